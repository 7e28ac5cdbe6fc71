// Golden semantics of the multimedia instructions (MVI; Alpha Architecture Handbook, section
// 4.13): pure functions of Rav and Rbv on vectors of bytes, words and longwords.

#ifndef ISOCHRON_ALPHA_MULTIMEDIA_H_
#define ISOCHRON_ALPHA_MULTIMEDIA_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace isochron::alpha {

// Applies `f` to each lane of type Lane; `f` takes and returns a Lane.
template <typename Lane, typename F>
constexpr uint64_t ForEachLane(uint64_t a, uint64_t b, F f) {
  constexpr int kBits = 8 * sizeof(Lane);
  using Unsigned = std::make_unsigned_t<Lane>;
  uint64_t result = 0;
  for (int shift = 0; shift < 64; shift += kBits) {
    const Lane lane = f(static_cast<Lane>(a >> shift), static_cast<Lane>(b >> shift));
    result |= uint64_t{static_cast<Unsigned>(lane)} << shift;
  }
  return result;
}

template <typename Lane>
constexpr uint64_t LaneMin(uint64_t a, uint64_t b) {
  return ForEachLane<Lane>(a, b, [](Lane x, Lane y) { return std::min(x, y); });
}
template <typename Lane>
constexpr uint64_t LaneMax(uint64_t a, uint64_t b) {
  return ForEachLane<Lane>(a, b, [](Lane x, Lane y) { return std::max(x, y); });
}

constexpr uint64_t Minub8(uint64_t a, uint64_t b) { return LaneMin<uint8_t>(a, b); }
constexpr uint64_t Minsb8(uint64_t a, uint64_t b) { return LaneMin<int8_t>(a, b); }
constexpr uint64_t Minuw4(uint64_t a, uint64_t b) { return LaneMin<uint16_t>(a, b); }
constexpr uint64_t Minsw4(uint64_t a, uint64_t b) { return LaneMin<int16_t>(a, b); }
constexpr uint64_t Maxub8(uint64_t a, uint64_t b) { return LaneMax<uint8_t>(a, b); }
constexpr uint64_t Maxsb8(uint64_t a, uint64_t b) { return LaneMax<int8_t>(a, b); }
constexpr uint64_t Maxuw4(uint64_t a, uint64_t b) { return LaneMax<uint16_t>(a, b); }
constexpr uint64_t Maxsw4(uint64_t a, uint64_t b) { return LaneMax<int16_t>(a, b); }

// The sum of the absolute differences of the eight bytes.
constexpr uint64_t Perr(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  for (int shift = 0; shift < 64; shift += 8) {
    const int difference =
        static_cast<int>(a >> shift & 0xff) - static_cast<int>(b >> shift & 0xff);
    sum += difference < 0 ? -difference : difference;
  }
  return sum;
}

constexpr uint64_t Pklb(uint64_t, uint64_t b) { return (b & 0xff) | (b >> 32 & 0xff) << 8; }
constexpr uint64_t Pkwb(uint64_t, uint64_t b) {
  return (b & 0xff) | (b >> 16 & 0xff) << 8 | (b >> 32 & 0xff) << 16 | (b >> 48 & 0xff) << 24;
}
constexpr uint64_t Unpkbl(uint64_t, uint64_t b) { return (b & 0xff) | (b >> 8 & 0xff) << 32; }
constexpr uint64_t Unpkbw(uint64_t, uint64_t b) {
  return (b & 0xff) | (b >> 8 & 0xff) << 16 | (b >> 16 & 0xff) << 32 | (b >> 24 & 0xff) << 48;
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_MULTIMEDIA_H_
