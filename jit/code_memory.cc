#include "jit/code_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace isochron::jit {

absl::StatusOr<CodeMemory> CodeMemory::Create(size_t size) {
  const absl::Status refused = absl::ResourceExhaustedError(
      absl::StrCat("the host gives no ", size >> 10, " KiB of executable memory for engine jit; ",
                   "--engine ref needs none"));
  const int file = memfd_create("isochron-jit", MFD_CLOEXEC);
  if (file < 0) return refused;
  void* writable = MAP_FAILED;
  void* executable = MAP_FAILED;
  if (ftruncate(file, static_cast<off_t>(size)) == 0) {
    writable = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    executable = mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
  }
  close(file);
  if (writable == MAP_FAILED || executable == MAP_FAILED) {
    if (writable != MAP_FAILED) munmap(writable, size);
    if (executable != MAP_FAILED) munmap(executable, size);
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
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void FreeLow(void* memory, size_t size) { munmap(memory, size); }

}  // namespace isochron::jit
