#include "machine/host_memory.h"

#include <sys/mman.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace isochron::machine {

absl::StatusOr<HostMemory> HostMemory::Create(uint64_t size) {
  void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the host has no ", size >> 20, " MiB of memory for the guest"));
  }
  // A huge page would make every touched 8 KiB cost 2 MiB.
  madvise(base, size, MADV_NOHUGEPAGE);
  return HostMemory(static_cast<uint8_t*>(base), size);
}

HostMemory::~HostMemory() {
  if (base_ != nullptr) munmap(base_, size_);
}

void HostMemory::Clear() {
  // Dropped anonymous pages read as zeros; should the host refuse, write them.
  if (madvise(base_, size_, MADV_DONTNEED) != 0) std::memset(base_, 0, size_);
}

}  // namespace isochron::machine
