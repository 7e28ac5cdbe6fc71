// Memory for translated code, and low memory for the data that it refers to.

#ifndef ISOCHRON_JIT_CODE_MEMORY_H_
#define ISOCHRON_JIT_CODE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"

namespace isochron::jit {

// A stretch of memory that is mapped twice: once to be written, once to be executed. No
// mapping is ever both. Code is appended; nothing is freed but everything at once.
class CodeMemory {
 public:
  // Internal when the host does not give two mappings of `size` bytes.
  static absl::StatusOr<CodeMemory> Create(size_t size);
  CodeMemory(CodeMemory&& other) noexcept
      : writable_(std::exchange(other.writable_, nullptr)),
        executable_(std::exchange(other.executable_, nullptr)),
        size_(other.size_),
        used_(other.used_) {}
  CodeMemory& operator=(CodeMemory&&) = delete;
  ~CodeMemory();

  size_t size() const { return size_; }
  size_t used() const { return used_; }
  size_t free() const { return size_ - used_; }
  // Where the next code is written, and where it will be executed.
  uint8_t* write_cursor() const { return writable_ + used_; }
  const uint8_t* execute_cursor() const { return executable_ + used_; }
  // Keeps the `bytes` written at write_cursor(), at most free().
  void Advance(size_t bytes) { used_ += bytes; }
  // Forgets all that was written behind the first `bytes`.
  void Truncate(size_t bytes) { used_ = bytes; }

 private:
  CodeMemory(uint8_t* writable, uint8_t* executable, size_t size)
      : writable_(writable), executable_(executable), size_(size) {}

  uint8_t* writable_;
  uint8_t* executable_;
  size_t size_;
  size_t used_ = 0;
};

// Zero-filled memory below 2 GiB, whose addresses fit an instruction's displacement. nullptr
// when the host has none.
void* AllocateLow(size_t size);
void FreeLow(void* memory, size_t size);

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_CODE_MEMORY_H_
