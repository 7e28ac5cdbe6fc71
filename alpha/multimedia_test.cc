// The MVI operates against arrays of lanes.

#include "alpha/multimedia.h"

#include <cstdint>
#include <random>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

// Lane `i` of `bits` bits, as a number.
int64_t Lane(uint64_t value, int bits, int i, bool is_signed) {
  const auto lane = static_cast<int64_t>(value / (uint64_t{1} << bits * i) % (1u << bits));
  return is_signed && lane >= 1 << (bits - 1) ? lane - (1 << bits) : lane;
}

uint64_t Extreme(uint64_t a, uint64_t b, int bits, bool is_signed, bool maximum) {
  uint64_t result = 0;
  for (int i = 0; i < 64 / bits; ++i) {
    const int64_t x = Lane(a, bits, i, is_signed), y = Lane(b, bits, i, is_signed);
    const int64_t chosen = (x < y) == maximum ? y : x;
    result += (static_cast<uint64_t>(chosen) & ((1u << bits) - 1)) << bits * i;
  }
  return result;
}

TEST(MultimediaTest, LanesAgreeWithNumbers) {
  std::mt19937_64 random(3);
  for (int n = 0; n < 2000; ++n) {
    const uint64_t a = random() & random(), b = n % 5 == 0 ? a : random() | random();
    ASSERT_EQ(Minub8(a, b), Extreme(a, b, 8, false, false));
    ASSERT_EQ(Minsb8(a, b), Extreme(a, b, 8, true, false));
    ASSERT_EQ(Minuw4(a, b), Extreme(a, b, 16, false, false));
    ASSERT_EQ(Minsw4(a, b), Extreme(a, b, 16, true, false));
    ASSERT_EQ(Maxub8(a, b), Extreme(a, b, 8, false, true));
    ASSERT_EQ(Maxsb8(a, b), Extreme(a, b, 8, true, true));
    ASSERT_EQ(Maxuw4(a, b), Extreme(a, b, 16, false, true));
    ASSERT_EQ(Maxsw4(a, b), Extreme(a, b, 16, true, true));
    uint64_t sum = 0;
    for (int i = 0; i < 8; ++i) {
      const int64_t x = Lane(a, 8, i, false), y = Lane(b, 8, i, false);
      sum += static_cast<uint64_t>(x > y ? x - y : y - x);
    }
    ASSERT_EQ(Perr(a, b), sum);
  }
}

TEST(MultimediaTest, Literals) {
  static_assert(Perr(0, ~uint64_t{0}) == 8 * 255);
  static_assert(Pklb(0, 0x8877'6655'4433'2211) == 0x5511);
  static_assert(Pkwb(0, 0x8877'6655'4433'2211) == 0x7755'3311);
  static_assert(Unpkbl(0, 0x8877'6655'4433'2211) == 0x0000'0022'0000'0011);
  static_assert(Unpkbw(0, 0x8877'6655'4433'2211) == 0x0044'0033'0022'0011);
  static_assert(Minsb8(0x80, 0x7f) == 0x80);
  static_assert(Minub8(0x80, 0x7f) == 0x7f);
  static_assert(Maxsw4(0x8000'0001, 0x7fff'0000) == 0x7fff'0001);
}

}  // namespace
}  // namespace isochron::alpha
