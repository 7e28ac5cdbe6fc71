#include "jit/code_memory.h"

#include <sys/mman.h>

#include "absl/strings/str_cat.h"

namespace isochron::jit {

absl::StatusOr<CodeMemory> CodeMemory::Create(size_t size) {
  const absl::Status refused = absl::InternalError(
      absl::StrCat("the host gives no ", size >> 10, " KiB of executable memory for engine jit; ",
                   "--engine ref needs none"));
  // Shared anonymous memory, which perf(1) takes for code of a translator, as it does not files.
  void* writable = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (writable == MAP_FAILED) return refused;
  // An old size of 0 asks for a second mapping of the same pages.
  void* executable = mremap(writable, 0, size, MREMAP_MAYMOVE);
  if (executable == MAP_FAILED || mprotect(executable, size, PROT_READ | PROT_EXEC) != 0) {
    if (executable != MAP_FAILED) munmap(executable, size);
    munmap(writable, size);
    return refused;
  }
  return CodeMemory(static_cast<uint8_t*>(writable), static_cast<uint8_t*>(executable), size);
}

CodeMemory::~CodeMemory() {
  if (writable_ == nullptr) return;
  munmap(writable_, size_);
  munmap(executable_, size_);
}

void* AllocateLow(size_t size) {
  void* memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void FreeLow(void* memory, size_t size) { munmap(memory, size); }

}  // namespace isochron::jit
