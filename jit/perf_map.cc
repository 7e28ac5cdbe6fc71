#include "jit/perf_map.h"

#include <cerrno>
#include <cinttypes>

#include "absl/strings/str_cat.h"

namespace isochron::jit {

absl::Status PerfMap::Open(const std::string& path) {
  file_ = fopen(path.c_str(), "w");
  if (file_ == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat(path, " (perf map)"));
  return absl::OkStatus();
}

void PerfMap::Add(const uint8_t* code, size_t bytes, uint64_t pc, const char* mode,
                  const std::string& name) {
  if (file_ == nullptr) return;
  fprintf(file_, "%" PRIxPTR " %zx %s%sguest_%s_%016" PRIx64 "\n",
          reinterpret_cast<uintptr_t>(code), bytes, name.c_str(), name.empty() ? "" : " ", mode,
          pc & ~uint64_t{3});
  fflush(file_);
}

}  // namespace isochron::jit
