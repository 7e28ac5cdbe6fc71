// Contents of disks for tests.

#ifndef ISOCHRON_MACHINE_DISKS_DISK_TESTING_H_
#define ISOCHRON_MACHINE_DISKS_DISK_TESTING_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "machine/disks/disk_contents.h"

namespace isochron::machine {

// Contents that are bytes in memory.
class BytesContents final : public DiskContents {
 public:
  explicit BytesContents(std::string bytes) : bytes_(std::move(bytes)) {}

  uint64_t size() const override { return bytes_.size(); }
  absl::Status Read(uint64_t offset, std::span<uint8_t> bytes) const override {
    ++reads_;
    bytes_read_ += bytes.size();
    if (offset + bytes.size() > bytes_.size()) return absl::OutOfRangeError("read past the end");
    if (offset < unreadable_end_ && offset + bytes.size() > unreadable_) {
      return absl::DataLossError("test.img: Input/output error");
    }
    std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
    return absl::OkStatus();
  }

  // Bytes [first, end) cannot be read from now on.
  void Break(uint64_t first, uint64_t end) {
    unreadable_ = first;
    unreadable_end_ = end;
  }
  const std::string& bytes() const { return bytes_; }
  // What has been asked for since the beginning.
  uint64_t reads() const { return reads_; }
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  const std::string bytes_;
  uint64_t unreadable_ = 0;
  uint64_t unreadable_end_ = 0;
  mutable uint64_t reads_ = 0;
  mutable uint64_t bytes_read_ = 0;
};

// `size` bytes that differ from each other and from sector to sector.
inline std::string PatternBytes(uint64_t size) {
  std::string bytes(size, '\0');
  uint64_t state = 0x9e3779b97f4a7c15;
  std::ranges::generate(bytes, [&] {
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<char>(state >> 56);
  });
  return bytes;
}

// A disk of any size that holds zeros and takes no room.
class ZeroContents final : public DiskContents {
 public:
  explicit ZeroContents(uint64_t size) : size_(size) {}
  uint64_t size() const override { return size_; }
  absl::Status Read(uint64_t, std::span<uint8_t> bytes) const override {
    std::ranges::fill(bytes, uint8_t{0});
    return absl::OkStatus();
  }

 private:
  const uint64_t size_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DISKS_DISK_TESTING_H_
