#include "jit/code_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace isochron::jit {

namespace {

struct Mappings {
  void* writable = MAP_FAILED;
  void* executable = MAP_FAILED;
};

void* MapWritable(size_t size, int flags, int file) {
  return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, file, 0);
}

// Shared anonymous memory, which perf(1) takes for code of a translator, as it does not files.
Mappings MapAnonymous(size_t size) {
  Mappings found;
  found.writable = MapWritable(size, MAP_ANONYMOUS, -1);
  if (found.writable == MAP_FAILED) return found;
  // An old size of 0 asks for a second mapping of the same pages.
  found.executable = mremap(found.writable, 0, size, MREMAP_MAYMOVE);
  if (found.executable != MAP_FAILED) return found;
  munmap(found.writable, size);
  return {};
}

// A file without a name: valgrind knows no such mremap.
Mappings MapFile(size_t size) {
  Mappings found;
  const int file = memfd_create("isochron-code", MFD_CLOEXEC);
  if (file < 0) return found;
  if (ftruncate(file, static_cast<off_t>(size)) == 0) {
    found.writable = MapWritable(size, 0, file);
    found.executable = mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  }
  close(file);
  return found;
}

}  // namespace

absl::StatusOr<CodeMemory> CodeMemory::Create(size_t size) {
  const absl::Status refused = absl::InternalError(
      absl::StrCat("the host gives no ", size >> 10, " KiB of executable memory for engine jit; ",
                   "--engine ref needs none"));
  Mappings found = MapAnonymous(size);
  if (found.executable == MAP_FAILED) found = MapFile(size);
  const bool whole = found.writable != MAP_FAILED && found.executable != MAP_FAILED &&
                     mprotect(found.executable, size, PROT_READ | PROT_EXEC) == 0;
  if (!whole) {
    for (void* mapping : {found.writable, found.executable}) {
      if (mapping != MAP_FAILED) munmap(mapping, size);
    }
    return refused;
  }
  return CodeMemory(static_cast<uint8_t*>(found.writable), static_cast<uint8_t*>(found.executable),
                    size);
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
