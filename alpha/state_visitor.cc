#include "alpha/state_visitor.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace isochron::alpha {

static_assert(std::endian::native == std::endian::little,
              "Raw() moves integers as the host stores them");

void StateVisitor::Section(std::string_view name) {
  std::string stored(name);
  Field(stored, 64);
  if (restoring() && stored != name) Fail("another component's state stands here");
}

void StateVisitor::Field(std::string& bytes, size_t max_size) {
  uint32_t size = static_cast<uint32_t>(bytes.size());
  Field(size);
  if (restoring()) {
    if (size > max_size) {
      Fail("a byte string is longer than the component allows");
      size = 0;
    }
    bytes.resize(size);
  }
  if (!bytes.empty()) Raw(bytes.data(), bytes.size());
}

void StateReader::Fail(std::string_view what) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(
      absl::StrCat("machine state is damaged at byte ", offset_, ": ",
                   absl::string_view(what.data(), what.size())));
}

void StateReader::Raw(void* data, size_t size) {
  if (status_.ok() && size > bytes_.size() - offset_) Fail("it ends too early");
  if (!status_.ok()) {
    std::memset(data, 0, size);
    return;
  }
  std::memcpy(data, bytes_.data() + offset_, size);
  offset_ += size;
}

absl::Status StateReader::Finish() {
  if (status_.ok() && offset_ != bytes_.size()) Fail("bytes are left over");
  return status_;
}

}  // namespace isochron::alpha
