#include "alpha/state_list.h"

#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace isochron::alpha {
namespace {

// Whether `path` is `under` or below it.
bool IsUnder(std::string_view path, std::string_view under) {
  if (under.empty() || path == under) return true;
  return path.starts_with(under) && (path[under.size()] == '.' || path[under.size()] == '[');
}

}  // namespace

absl::Status StateLister::Check() const {
  std::unordered_set<std::string_view> seen;
  for (const StateField& field : fields_) {
    if (seen.insert(field.path).second) continue;
    return absl::InternalError(absl::StrCat("two fields of the state are called ", field.path));
  }
  return absl::OkStatus();
}

// A path costs more than the walk: in other sections none is built.
bool StateLister::InSection() const {
  return under_.empty() ||
         section() == std::string_view(under_).substr(0, under_.find_first_of(".["));
}

void StateLister::OnNumber(uint64_t value, size_t size) {
  if (InSection()) Add(path(), value, size);
}

void StateLister::OnBytes(std::string_view bytes) {
  if (bytes.empty() || !InSection()) return;
  const std::string name = path();
  for (size_t i = 0; i < bytes.size(); ++i) {
    Add(absl::StrCat(name, "[", i, "]"), static_cast<unsigned char>(bytes[i]), 1);
  }
}

void StateLister::Add(std::string path, uint64_t value, size_t size) {
  if (!IsUnder(path, under_)) return;
  if (size < sizeof value) value &= (uint64_t{1} << (8 * size)) - 1;
  fields_.push_back({std::move(path), value, size});
}

}  // namespace isochron::alpha
