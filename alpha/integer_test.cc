// The integer operates against definitions written another way: the Handbook's pseudo-code
// with byte arrays, bit loops and 128-bit numbers.

#include "alpha/integer.h"

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

using Signed128 = __int128;

// Values at the edges of every width, and random ones.
std::vector<uint64_t> Samples() {
  std::vector<uint64_t> samples = {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x0123'4567'89ab'cdef};
  for (const int bit : {15, 16, 31, 32, 62, 63}) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t v : {power - 1, power, power + 1}) {
      samples.push_back(v);
      samples.push_back(~v);
    }
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 40; ++i) samples.push_back(random() >> random() % 64);
  return samples;
}

template <typename F>
void ForPairs(F f) {
  const std::vector<uint64_t> samples = Samples();
  for (const uint64_t a : samples) {
    for (const uint64_t b : samples) f(a, b);
  }
}

Signed128 SignedValue(uint64_t x) { return static_cast<int64_t>(x); }
Signed128 LongValue(uint64_t x) { return static_cast<int32_t>(x & 0xffff'ffff); }

// The low 32 bits of a number, sign-extended by arithmetic.
uint64_t LongOf(Signed128 value) {
  const auto low = static_cast<uint64_t>(value & 0xffff'ffff);
  return low < 0x8000'0000 ? low : low - 0x1'0000'0000;
}
uint64_t QuadOf(Signed128 value) { return static_cast<uint64_t>(value); }
bool FitsLong(Signed128 v) { return v >= -(Signed128{1} << 31) && v < Signed128{1} << 31; }
bool FitsQuad(Signed128 v) { return v >= -(Signed128{1} << 63) && v < Signed128{1} << 63; }

TEST(IntegerTest, Arithmetic) {
  ForPairs([](uint64_t a, uint64_t b) {
    const Signed128 qa = SignedValue(a), qb = SignedValue(b);
    const Signed128 la = LongValue(a), lb = LongValue(b);
    ASSERT_EQ(Addl(a, b), LongOf(la + lb));
    ASSERT_EQ(S4addl(a, b), LongOf(la * 4 + lb));
    ASSERT_EQ(S8addl(a, b), LongOf(la * 8 + lb));
    ASSERT_EQ(Subl(a, b), LongOf(la - lb));
    ASSERT_EQ(S4subl(a, b), LongOf(la * 4 - lb));
    ASSERT_EQ(S8subl(a, b), LongOf(la * 8 - lb));
    ASSERT_EQ(Mull(a, b), LongOf(la * lb));
    ASSERT_EQ(Addq(a, b), QuadOf(qa + qb));
    ASSERT_EQ(S4addq(a, b), QuadOf(qa * 4 + qb));
    ASSERT_EQ(S8addq(a, b), QuadOf(qa * 8 + qb));
    ASSERT_EQ(Subq(a, b), QuadOf(qa - qb));
    ASSERT_EQ(S4subq(a, b), QuadOf(qa * 4 - qb));
    ASSERT_EQ(S8subq(a, b), QuadOf(qa * 8 - qb));
    ASSERT_EQ(Mulq(a, b), QuadOf(qa * qb));
  });
}

// Overflow is that the exact result does not fit; the low bits are written all the same.
TEST(IntegerTest, Overflow) {
  ForPairs([](uint64_t a, uint64_t b) {
    const Signed128 qa = SignedValue(a), qb = SignedValue(b);
    const Signed128 la = LongValue(a), lb = LongValue(b);
    const auto expect = [](OverflowResult result, uint64_t value, bool fits) {
      EXPECT_EQ(result.value, value);
      EXPECT_EQ(result.overflow, !fits);
    };
    expect(AddlV(a, b), LongOf(la + lb), FitsLong(la + lb));
    expect(SublV(a, b), LongOf(la - lb), FitsLong(la - lb));
    expect(MullV(a, b), LongOf(la * lb), FitsLong(la * lb));
    expect(AddqV(a, b), QuadOf(qa + qb), FitsQuad(qa + qb));
    expect(SubqV(a, b), QuadOf(qa - qb), FitsQuad(qa - qb));
    expect(MulqV(a, b), QuadOf(qa * qb), FitsQuad(qa * qb));
  });
}

// By 32-bit halves, as on paper.
TEST(IntegerTest, Umulh) {
  ForPairs([](uint64_t a, uint64_t b) {
    const uint64_t al = a & 0xffff'ffff, ah = a >> 32, bl = b & 0xffff'ffff, bh = b >> 32;
    const uint64_t middle = ah * bl + (al * bl >> 32);
    const uint64_t other = al * bh + (middle & 0xffff'ffff);
    ASSERT_EQ(Umulh(a, b), ah * bh + (middle >> 32) + (other >> 32));
  });
}

TEST(IntegerTest, Compares) {
  ForPairs([](uint64_t a, uint64_t b) {
    const uint64_t top = uint64_t{1} << 63;
    // Adding 2**63 maps signed order to unsigned order.
    ASSERT_EQ(Cmpeq(a, b), (a ^ b) == 0 ? 1u : 0u);
    ASSERT_EQ(Cmplt(a, b), a + top < b + top ? 1u : 0u);
    ASSERT_EQ(Cmple(a, b), a + top <= b + top ? 1u : 0u);
    ASSERT_EQ(Cmpult(a, b), a < b ? 1u : 0u);
    ASSERT_EQ(Cmpule(a, b), b < a ? 0u : 1u);
  });
}

TEST(IntegerTest, BitCounts) {
  for (const uint64_t b : Samples()) {
    uint64_t ones = 0, leading = 0, trailing = 0;
    for (int i = 0; i < 64; ++i) ones += b >> i & 1;
    while (leading < 64 && (b >> (63 - leading) & 1) == 0) ++leading;
    while (trailing < 64 && (b >> trailing & 1) == 0) ++trailing;
    EXPECT_EQ(Ctpop(99, b), ones);
    EXPECT_EQ(Ctlz(99, b), leading);
    EXPECT_EQ(Cttz(99, b), trailing);
  }
}

TEST(IntegerTest, Conditions) {
  for (const uint64_t a : Samples()) {
    const bool negative = (a >> 63) != 0, zero = a == 0, odd = a % 2 == 1;
    EXPECT_EQ(IsLowBitClear(a), !odd);
    EXPECT_EQ(IsLowBitSet(a), odd);
    EXPECT_EQ(IsEqual(a), zero);
    EXPECT_EQ(IsNotEqual(a), !zero);
    EXPECT_EQ(IsLess(a), negative);
    EXPECT_EQ(IsLessOrEqual(a), negative || zero);
    EXPECT_EQ(IsGreater(a), !negative && !zero);
    EXPECT_EQ(IsGreaterOrEqual(a), !negative);
  }
}

TEST(IntegerTest, LogicBitByBit) {
  ForPairs([](uint64_t a, uint64_t b) {
    uint64_t land = 0, lor = 0, lxor = 0, bic = 0, ornot = 0, eqv = 0;
    for (int i = 0; i < 64; ++i) {
      const bool x = (a >> i & 1) != 0, y = (b >> i & 1) != 0;
      const uint64_t bit = uint64_t{1} << i;
      if (x && y) land |= bit;
      if (x || y) lor |= bit;
      if (x != y) lxor |= bit;
      if (x && !y) bic |= bit;
      if (x || !y) ornot |= bit;
      if (x == y) eqv |= bit;
    }
    ASSERT_EQ(And(a, b), land);
    ASSERT_EQ(Bis(a, b), lor);
    ASSERT_EQ(Xor(a, b), lxor);
    ASSERT_EQ(Bic(a, b), bic);
    ASSERT_EQ(Ornot(a, b), ornot);
    ASSERT_EQ(Eqv(a, b), eqv);
  });
}

TEST(IntegerTest, ShiftsUseSixBits) {
  for (const uint64_t a : Samples()) {
    for (uint64_t count = 0; count < 200; ++count) {
      uint64_t left = a, right = a, arithmetic = a;
      for (uint64_t i = 0; i < count % 64; ++i) {
        left = left * 2;
        right = right / 2;
        arithmetic = arithmetic / 2 + (arithmetic & uint64_t{1} << 63);
      }
      ASSERT_EQ(Sll(a, count), left);
      ASSERT_EQ(Srl(a, count), right);
      ASSERT_EQ(Sra(a, count), arithmetic);
    }
  }
}

// A quadword as bytes, byte 0 first.
using ByteArray = std::array<uint8_t, 8>;

ByteArray Split(uint64_t value) {
  ByteArray bytes;
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(value >> 8 * i);
  return bytes;
}

uint64_t Join(const ByteArray& bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value * 256 + bytes[i];
  return value;
}

TEST(IntegerTest, ByteMasks) {
  for (uint64_t mask = 0; mask < 512; ++mask) {
    ByteArray bytes;
    for (int i = 0; i < 8; ++i) bytes[i] = (mask >> i & 1) != 0 ? 0xff : 0;
    ASSERT_EQ(ByteMask(mask), Join(bytes)) << "bits above 7 take no part";
    const uint64_t a = 0x8877'6655'4433'2211;
    ASSERT_EQ(Zapnot(a, mask), a & Join(bytes));
    ASSERT_EQ(Zap(a, mask), a - Zapnot(a, mask));
  }
}

TEST(IntegerTest, Cmpbge) {
  ForPairs([](uint64_t a, uint64_t b) {
    const ByteArray x = Split(a), y = Split(b);
    uint64_t result = 0;
    for (int i = 0; i < 8; ++i) result += (x[i] >= y[i] ? 1u : 0u) << i;
    ASSERT_EQ(Cmpbge(a, b), result);
  });
}

// What the instructions are for (Handbook section 4.6): a datum of `size` bytes at any byte
// address, of which the quadword at the address holds the low part and the next quadword
// the high part.
struct ByteManipulation {
  int size;
  uint64_t (*extract_low)(uint64_t, uint64_t);
  uint64_t (*extract_high)(uint64_t, uint64_t);  // none for bytes
  uint64_t (*insert_low)(uint64_t, uint64_t);
  uint64_t (*insert_high)(uint64_t, uint64_t);
  uint64_t (*mask_low)(uint64_t, uint64_t);
  uint64_t (*mask_high)(uint64_t, uint64_t);
};

constexpr ByteManipulation kByteManipulations[] = {
    {1, Extbl, nullptr, Insbl, nullptr, Mskbl, nullptr},
    {2, Extwl, Extwh, Inswl, Inswh, Mskwl, Mskwh},
    {4, Extll, Extlh, Insll, Inslh, Mskll, Msklh},
    {8, Extql, Extqh, Insql, Insqh, Mskql, Mskqh},
};

TEST(IntegerTest, ByteManipulationFollowsMemory) {
  std::mt19937_64 random(11);
  for (const ByteManipulation& m : kByteManipulations) {
    for (uint64_t address = 0; address < 24; ++address) {
      const uint64_t low = random(), high = random(), datum = random();
      const auto offset = static_cast<int>(address % 8);
      std::array<uint8_t, 16> memory;
      for (int i = 0; i < 8; ++i) {
        memory[i] = Split(low)[i];
        memory[8 + i] = Split(high)[i];
      }
      // Bytes of the datum that lie in each quadword; in the high one, none if it is aligned.
      ByteArray extract_low{}, extract_high{}, insert_low{}, insert_high{};
      ByteArray mask_low = Split(low), mask_high = Split(high);
      for (int i = 0; i < m.size; ++i) {
        const int place = offset + i;
        if (place < 8) {
          extract_low[i] = memory[place];
          insert_low[place] = Split(datum)[i];
          mask_low[place] = 0;
        } else {
          extract_high[i] = memory[place];
          insert_high[place - 8] = Split(datum)[i];
          mask_high[place - 8] = 0;
        }
      }
      EXPECT_EQ(m.extract_low(low, address), Join(extract_low)) << m.size << " " << address;
      EXPECT_EQ(m.insert_low(datum, address), Join(insert_low)) << m.size << " " << address;
      EXPECT_EQ(m.mask_low(low, address), Join(mask_low)) << m.size << " " << address;
      if (m.size == 1) continue;
      EXPECT_EQ(m.insert_high(datum, address), Join(insert_high)) << m.size << " " << address;
      EXPECT_EQ(m.mask_high(high, address), Join(mask_high)) << m.size << " " << address;
      // EXTxH with an aligned address shifts by 64, that is by 0: it gives the datum of the
      // same quadword, so that OR with EXTxL is right when both loads are of that quadword.
      if (offset == 0) {
        EXPECT_EQ(m.extract_high(low, address), Join(extract_low)) << m.size;
        continue;
      }
      // The bytes above the address's quadword that belong to later data are shifted in too,
      // up to the size of the datum.
      ByteArray shifted{};
      for (int i = 8 - offset; i < m.size; ++i) shifted[i] = Split(high)[i - (8 - offset)];
      EXPECT_EQ(m.extract_high(high, address), Join(shifted)) << m.size << " " << address;
    }
  }
}

TEST(IntegerTest, SignExtension) {
  for (uint64_t b = 0; b < 0x10000; ++b) {
    ASSERT_EQ(Sextb(5, b), b % 256 < 128 ? b % 256 : b % 256 - 256);
    ASSERT_EQ(Sextw(5, b), b < 0x8000 ? b : b - 0x10000);
  }
}

TEST(IntegerTest, Literals) {
  static_assert(Addl(0x7fff'ffff, 1) == 0xffff'ffff'8000'0000);
  static_assert(AddlV(0x7fff'ffff, 1).overflow);
  static_assert(!AddlV(0x1'7fff'ffff, 0).overflow, "only <31:0> count");
  static_assert(SubqV(uint64_t{1} << 63, 1).value == 0x7fff'ffff'ffff'ffff);
  static_assert(MulqV(uint64_t{1} << 32, uint64_t{1} << 31).overflow);
  static_assert(!MulqV(uint64_t{1} << 63, 1).overflow);
  static_assert(Umulh(~uint64_t{0}, ~uint64_t{0}) == ~uint64_t{1});
  static_assert(Cmpbge(0x0000'ff00'0080'7fff, 0x0001'ff00'0180'80ff) == 0b10110101);
  static_assert(Extbl(0x8877'6655'4433'2211, 3) == 0x44);
  static_assert(Extqh(0x8877'6655'4433'2211, 3) == 0x3322'1100'0000'0000);
  static_assert(Inswh(0xabcd, 7) == 0xab);
  static_assert(Mskll(~uint64_t{0}, 6) == 0x0000'ffff'ffff'ffff);
  static_assert(Amask(0, ~uint64_t{0}) == 0xffff'ffff'ffff'fcf8);
  static_assert(Implver(0, 1) == 2);
}

}  // namespace
}  // namespace isochron::alpha
