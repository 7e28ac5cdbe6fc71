#include "machine/host_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

namespace isochron::machine {

absl::StatusOr<HostMemory> HostMemory::Create(uint64_t size) {
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return absl::InternalError(
        absl::StrCat("the host has no ", size >> 20, " MiB of memory for the guest"));
  }
  // A huge page would make every touched 8 KiB cost 2 MiB.
  madvise(base, size, MADV_NOHUGEPAGE);
  return HostMemory(static_cast<uint8_t*>(base), size);
}

HostMemory::~HostMemory() {
  if (base_ != nullptr) munmap(base_, size_);
}

uint64_t HostMemory::TouchedBytes() const {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident(size_ / page);
  if (mincore(base_, size_, resident.data()) != 0) return 0;
  return page * static_cast<uint64_t>(std::count_if(resident.begin(), resident.end(),
                                                    [](unsigned char r) { return (r & 1) != 0; }));
}

void HostMemory::Clear() {
  // Dropped anonymous pages read as zeros; should the host refuse, write them.
  if (madvise(base_, size_, MADV_DONTNEED) != 0) std::memset(base_, 0, size_);
}

}  // namespace isochron::machine
