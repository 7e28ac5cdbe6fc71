#include "jit/perf_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>

#include "absl/strings/str_cat.h"
#include "hostio/file.h"

namespace isochron::jit {

absl::Status PerfMap::Open(const std::string& path) {
  // The map that an earlier process of our number left makes way. Anything else is somebody's trap:
  // the name is known beforehand, and its directory everybody's.
  struct stat info;
  if (lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) unlink(path.c_str());
  absl::StatusOr<hostio::Descriptor> file = hostio::CreateNew(path);
  if (!file.ok()) {
    return absl::Status(file.status().code(), absl::StrCat(file.status().message(), " (perf map)"));
  }
  file_ = fdopen(file->Release(), "w");
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
