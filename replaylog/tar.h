// The headers of tar archives (POSIX.1-1988, "ustar"), as far as bundles need them.

#ifndef ISOCHRON_REPLAYLOG_TAR_H_
#define ISOCHRON_REPLAYLOG_TAR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace isochron::replaylog {

inline constexpr size_t kTarBlock = 512;
inline constexpr uint64_t kMaxTarMember = (uint64_t{1} << 33) - 1;

struct TarMember {
  std::string name;
  uint64_t size = 0;
};

// A header block for a regular file that belongs to nobody and has no date. `name` has at most
// 100 bytes, `size` is at most kMaxTarMember.
std::string MakeTarHeader(std::string_view name, uint64_t size);

// DataLoss when the block is not the header of a regular file with a valid checksum.
absl::StatusOr<TarMember> ParseTarHeader(std::string_view block);

// Bytes of padding behind `size` bytes.
constexpr uint64_t TarPadding(uint64_t size) { return (kTarBlock - size % kTarBlock) % kTarBlock; }

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_TAR_H_
