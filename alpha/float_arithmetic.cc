#include "alpha/float_arithmetic.h"

namespace isochron::alpha {

namespace {

struct RootAndRemainder {
  uint64_t root;
  uint64_t remainder;  // n - root * root
};

// The integer square root of n in [2**(kBits-2), 2**kBits). Zimmermann's recursion ("Karatsuba
// Square Root"): the root of the upper half, one division by twice that root, one correction.
template <int kBits>
RootAndRemainder IntegerSquareRoot(uint64_t n) {
  constexpr int kQuarter = kBits / 4;
  constexpr uint64_t kQuarterMask = (uint64_t{1} << kQuarter) - 1;
  const RootAndRemainder upper = IntegerSquareRoot<kBits / 2>(n >> (2 * kQuarter));
  const uint64_t dividend = upper.remainder << kQuarter | ((n >> kQuarter) & kQuarterMask);
  const uint64_t quotient = dividend / (2 * upper.root);
  uint64_t root = (upper.root << kQuarter) + quotient;
  auto remainder = static_cast<int64_t>(
      ((dividend % (2 * upper.root)) << kQuarter | (n & kQuarterMask)) - quotient * quotient);
  if (remainder < 0) {
    remainder += static_cast<int64_t>(2 * root - 1);
    --root;
  }
  return {root, static_cast<uint64_t>(remainder)};
}

template <>
RootAndRemainder IntegerSquareRoot<14>(uint64_t n) {
  uint64_t root = 0;
  for (uint64_t bit = 1 << 6; bit != 0; bit >>= 1) {
    if ((root | bit) * (root | bit) <= n) root |= bit;
  }
  return {root, n - root * root};
}

}  // namespace

Unpacked SquareRoot(const Unpacked& a) {
  if (a.significand == 0) return a;
  // The operand is s * 2**(even exponent - 110) with s in [2**110, 2**112). Its upper 56 bits
  // are `upper`, its lower 56 bits are zero: the last step of the recursion is written out,
  // because s is wider than a host register.
  const int odd = a.exponent & 1;
  const uint64_t upper = (a.significand >> 11) << (2 + odd);
  const RootAndRemainder half = IntegerSquareRoot<56>(upper);
  const uint64_t dividend = half.remainder << 28;
  const uint64_t quotient = dividend / (2 * half.root);
  uint64_t root = (half.root << 28) + quotient;
  auto remainder = static_cast<int64_t>(((dividend % (2 * half.root)) << 28) - quotient * quotient);
  if (remainder < 0) {
    remainder += static_cast<int64_t>(2 * root - 1);
    --root;
  }
  return {a.negative, (a.exponent - odd) / 2, root << 8 | (remainder != 0)};
}

RoundedInteger RoundToInteger(const Unpacked& number, RoundMode mode) {
  if (number.significand == 0) return {0, false, false};
  if (number.exponent >= 63) {
    // No fraction bits: the low 64 bits of significand * 2**(exponent - 63).
    const int shift = number.exponent - 63;
    const uint64_t magnitude = shift < 64 ? number.significand << shift : 0;
    const bool is_minimum =
        number.negative && shift == 0 && number.significand == uint64_t{1} << 63;
    return {number.negative ? 0 - magnitude : magnitude, false, !is_minimum};
  }
  // The integer and what is below its last place, as two words. With 53 bits a number below
  // 2**63 that has a fraction is below 2**52: rounding cannot make it overflow.
  const auto shift = static_cast<uint32_t>(63 - number.exponent);
  const uint64_t whole = shift < 64 ? number.significand >> shift : 0;
  const uint64_t fraction = shift < 64 ? number.significand << (64 - shift)
                                       : ShiftRightSticky(number.significand, shift - 64);
  const uint64_t increment =
      RoundingIncrement(mode, number.negative, (whole & 1) != 0, ~uint64_t{0});
  const uint64_t magnitude = whole + (fraction + increment < fraction);
  return {number.negative ? 0 - magnitude : magnitude, fraction != 0, false};
}

}  // namespace isochron::alpha
