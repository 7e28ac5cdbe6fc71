// Unsigned numbers in as few bytes as they need.

#ifndef ISOCHRON_REPLAYLOG_VARINT_H_
#define ISOCHRON_REPLAYLOG_VARINT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isochron::replaylog {

// The longest encoding of a 64-bit number.
inline constexpr size_t kMaxVarintBytes = 10;

// Appends `value` in base 128, least significant digit first, bit 7 set on all but the last
// byte (LEB128). The encoding is the shortest one and the only one that is accepted.
void AppendVarint(uint64_t value, std::string& out);

// Takes one number off the front of `bytes`. False, with both arguments unspecified, when
// `bytes` ends within the number, when the number needs more than 64 bits or when a shorter
// encoding exists.
bool ConsumeVarint(std::string_view& bytes, uint64_t& value);

// Maps small magnitudes of either sign to small numbers: 0, -1, 1, -2, ... to 0, 1, 2, 3, ...
constexpr uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (uint64_t{0} - (value & 1)));
}

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_VARINT_H_
