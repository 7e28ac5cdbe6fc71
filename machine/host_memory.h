// Host storage for guest RAM.

#ifndef ISOCHRON_MACHINE_HOST_MEMORY_H_
#define ISOCHRON_MACHINE_HOST_MEMORY_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"

namespace isochron::machine {

// Zero-filled, page-aligned memory that costs the host only the pages that were written.
class HostMemory {
 public:
  // Internal when the host refuses `size` bytes.
  static absl::StatusOr<HostMemory> Create(uint64_t size);
  HostMemory(HostMemory&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  HostMemory& operator=(HostMemory&&) = delete;
  ~HostMemory();

  uint8_t* base() const { return base_; }
  uint64_t size() const { return size_; }
  // Bytes that the host holds in memory for it: the pages that were written, in the host's page
  // size. For statistics.
  uint64_t TouchedBytes() const;
  // Makes all of it zero again.
  void Clear();

 private:
  HostMemory(uint8_t* base, uint64_t size) : base_(base), size_(size) {}

  uint8_t* base_;
  uint64_t size_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_HOST_MEMORY_H_
