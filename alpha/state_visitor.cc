#include "alpha/state_visitor.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace isochron::alpha {

static_assert(std::endian::native == std::endian::little,
              "numbers are moved as the host stores them");

template <typename Derived>
void StateWalk<Derived>::Scope::AppendPath(std::string& path) const {
  if (outer_ != nullptr) outer_->AppendPath(path);
  if (!path.empty() && name_[0] != '\0') path += '.';
  path += name_;
  if (index_ != kNoIndex) absl::StrAppend(&path, "[", index_, "]");
}

template <typename Derived>
std::string StateWalk<Derived>::path() const {
  std::string path = section_;
  if (innermost_ != nullptr) innermost_->AppendPath(path);
  return path;
}

template class StateWalk<StateVisitor>;
template class StateWalk<StateReader>;

void StateWriter::Append(const void* data, size_t size) {
  if (size == 0) return;
  if (static_cast<size_t>(end_ - cursor_) < size) {
    constexpr size_t kRoom = size_t{1} << 14;  // all but the memory of most machines
    const size_t used = this->size();
    bytes_.resize(std::max(2 * used, used + size + kRoom));
    cursor_ = bytes_.data() + used;
    end_ = bytes_.data() + bytes_.size();
  }
  std::memcpy(cursor_, data, size);
  cursor_ += size;
}

void StateReader::Mark(std::string_view mark) {
  uint32_t size = 0;
  Number(size);
  std::string stored;
  Resize(stored, size, 64);
  Raw(stored.data(), stored.size());
  if (stored != mark) Fail("another component's state stands here");
}

void StateReader::Fail(std::string_view what) { FailAt(path(), what); }

void StateReader::FailAt(const std::string& path, std::string_view what) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(absl::StrCat("machine state is damaged at byte ", offset_,
                                                    path.empty() ? "" : ", ", path, ": ",
                                                    absl::string_view(what.data(), what.size())));
}

void StateReader::Raw(void* data, size_t size) {
  if (size == 0) return;
  if (status_.ok() && size > bytes_.size() - offset_) Fail("it ends too early");
  if (!status_.ok()) {
    std::memset(data, 0, size);
    return;
  }
  std::memcpy(data, bytes_.data() + offset_, size);
  offset_ += size;
}

absl::Status StateReader::Finish() {
  if (status_.ok() && offset_ != bytes_.size()) FailAt("", "bytes are left over");
  return status_;
}

}  // namespace isochron::alpha
