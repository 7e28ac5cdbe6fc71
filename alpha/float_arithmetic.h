// Exact arithmetic on unpacked numbers and the one place that rounds: what IEEE and VAX
// floating point share. Integers only; the host's floating-point unit plays no part.

#ifndef ISOCHRON_ALPHA_FLOAT_ARITHMETIC_H_
#define ISOCHRON_ALPHA_FLOAT_ARITHMETIC_H_

#include <bit>
#include <cstdint>
#include <utility>

namespace isochron::alpha {

// How a result is fitted to its format. The first four are the FPCR's DYN encodings.
enum class RoundMode : uint8_t {
  kChopped = 0,
  kMinusInfinity = 1,
  kNearestEven = 2,
  kPlusInfinity = 3,
  kNearestAway = 4,  // the VAX rule: halves away from zero
};

// The number +-significand * 2**(exponent - 63). Bit 63 of the significand is set, or the
// significand is zero and so is the number. Bit 0 is sticky: it is set where the exact result
// has any bits below it.
struct Unpacked {
  bool negative;
  int32_t exponent;
  uint64_t significand;
};

// A format's precision in bits, its implicit one included, and the exponents, as in Unpacked,
// of its smallest and largest normal numbers.
struct FloatFormat {
  int precision;
  int min_exponent;
  int max_exponent;
};

constexpr uint64_t ShiftRightSticky(uint64_t value, uint32_t count) {
  if (count == 0) return value;
  if (count >= 64) return value != 0;
  return value >> count | ((value << (64 - count)) != 0);
}

// Puts the leading one of a non-zero significand, worth 2**exponent at bit 63, at bit 63.
constexpr Unpacked Normalize(bool negative, int32_t exponent, uint64_t significand) {
  const int zeros = std::countl_zero(significand);
  return {negative, exponent - zeros, significand << zeros};
}

constexpr Unpacked FromInteger(uint64_t value) {
  if (value == 0) return {false, 0, 0};
  const bool negative = static_cast<int64_t>(value) < 0;
  return Normalize(negative, 63, negative ? 0 - value : value);
}

// a + b. An exact zero out of non-zero operands comes back positive. Operands must leave bits
// <9:0> clear, that is, have at most 54 significant bits.
constexpr Unpacked Add(Unpacked a, Unpacked b) {
  if (a.significand == 0) return b;
  if (b.significand == 0) return a;
  if (a.exponent < b.exponent || (a.exponent == b.exponent && a.significand < b.significand)) {
    std::swap(a, b);
  }
  const uint64_t large = a.significand >> 1;  // room for the carry
  const uint64_t small =
      ShiftRightSticky(b.significand >> 1, static_cast<uint32_t>(a.exponent - b.exponent));
  const uint64_t sum = a.negative == b.negative ? large + small : large - small;
  if (sum == 0) return {false, 0, 0};
  return Normalize(a.negative, a.exponent + 1, sum);
}

// a * b; zero if either is zero.
constexpr Unpacked Multiply(const Unpacked& a, const Unpacked& b) {
  const bool negative = a.negative != b.negative;
  const auto product = static_cast<unsigned __int128>(a.significand) * b.significand;
  if (product == 0) return {negative, 0, 0};
  // The product of two significands in [2**63, 2**64) has its leading one at bit 127 or 126.
  const int zeros = static_cast<int>((~product) >> 127);
  const auto scaled = product << zeros;
  const auto low = static_cast<uint64_t>(scaled);
  return {negative, a.exponent + b.exponent + 1 - zeros,
          static_cast<uint64_t>(scaled >> 64) | (low != 0)};
}

// a / b, of at most 53 significant bits each; b is not zero.
constexpr Unpacked Divide(const Unpacked& a, const Unpacked& b) {
  const bool negative = a.negative != b.negative;
  if (a.significand == 0) return {negative, 0, 0};
  const auto dividend = static_cast<unsigned __int128>(a.significand >> 11) << 58;
  const uint64_t divisor = b.significand >> 11;
  const auto quotient = static_cast<uint64_t>(dividend / divisor);  // 2**58 stands for 1.0
  const bool exact = static_cast<uint64_t>(dividend) == quotient * divisor;
  Unpacked result = Normalize(negative, a.exponent - b.exponent + (63 - 58), quotient);
  result.significand |= !exact;
  return result;
}

// The square root of `a`, of at most 53 significant bits; the sign of `a` is kept.
Unpacked SquareRoot(const Unpacked& a);

// A significand of `precision` bits, worth significand * 2**(exponent - precision + 1).
struct Rounded {
  int32_t exponent;
  uint64_t significand;
  bool inexact;
};

// What to add to a significand before the bits below its last place are cut off, where those
// bits are `mask` and the last place is odd or not. No branch on the data: half of them would
// be mispredicted.
constexpr uint64_t RoundingIncrement(RoundMode mode, bool negative, bool odd, uint64_t mask) {
  switch (mode) {
    case RoundMode::kChopped: return 0;
    case RoundMode::kMinusInfinity: return negative ? mask : 0;
    case RoundMode::kPlusInfinity: return negative ? 0 : mask;
    case RoundMode::kNearestEven: return (mask >> 1) + odd;
    case RoundMode::kNearestAway: return (mask >> 1) + 1;
  }
  return 0;
}

// Rounds a non-zero number to `precision` bits with an unlimited exponent.
constexpr Rounded Round(const Unpacked& number, int precision, RoundMode mode) {
  const int dropped = 64 - precision;
  const uint64_t mask = (uint64_t{1} << dropped) - 1;
  const bool odd = (number.significand >> dropped & 1) != 0;
  const uint64_t sum = number.significand + RoundingIncrement(mode, number.negative, odd, mask);
  const bool inexact = (number.significand & mask) != 0;
  if (sum < number.significand) [[unlikely]] {  // a carry out of bit 63: the next power of two
    return {number.exponent + 1, uint64_t{1} << (precision - 1), inexact};
  }
  return {number.exponent, sum >> dropped, inexact};
}

// A number rounded to an integer: its low 64 bits in two's complement.
struct RoundedInteger {
  uint64_t value;
  bool inexact;
  bool overflow;  // the integer is outside -2**63 .. 2**63 - 1
};

// `number` has at most 53 significant bits.
RoundedInteger RoundToInteger(const Unpacked& number, RoundMode mode);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_FLOAT_ARITHMETIC_H_
