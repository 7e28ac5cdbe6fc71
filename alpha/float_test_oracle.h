// For the tests of floating point: MPFR as the oracle, and operands that hurt.

#ifndef ISOCHRON_ALPHA_FLOAT_TEST_ORACLE_H_
#define ISOCHRON_ALPHA_FLOAT_TEST_ORACLE_H_

#include <mpfr.h>

#include <bit>
#include <cstdint>
#include <iterator>
#include <random>

#include "alpha/float_format.h"
#include "alpha/fpcr.h"

namespace isochron::alpha {

// An MPFR number with the lifetime of an object.
class Real {
 public:
  explicit Real(int precision) { mpfr_init2(value_, precision); }
  ~Real() { mpfr_clear(value_); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;

  // (-1)**negative * significand * 2**exponent, exactly; the precision must suffice.
  void Set(bool negative, uint64_t significand, int exponent) {
    mpfr_set_uj_2exp(value_, significand, exponent, MPFR_RNDN);
    if (negative) mpfr_neg(value_, value_, MPFR_RNDN);
  }

  bool negative() const { return mpfr_signbit(value_) != 0; }
  // The exponent e of a finite non-zero number 1.f * 2**e.
  int exponent() const { return static_cast<int>(mpfr_get_exp(value_)) - 1; }
  // The significand as an integer of the number's precision.
  uint64_t significand() const {
    Real scaled(static_cast<int>(mpfr_get_prec(value_)));
    mpfr_abs(scaled.get(), value_, MPFR_RNDN);
    mpfr_set_exp(scaled.get(), mpfr_get_prec(value_));
    return mpfr_get_uj(scaled.get(), MPFR_RNDZ);
  }

  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }

 private:
  mpfr_t value_;
};

// What an operation delivers if nothing traps, and the exceptions it meets.
struct Expected {
  uint64_t value;
  uint32_t exceptions;  // EXC_SUM bits without SWC
};

// Rounds a real number to an integer register: the low 64 bits in two's complement.
// `round` is mpfr_rint with a direction, or mpfr_round or mpfr_trunc.
template <typename RoundFunction>
Expected ExpectInteger(const Real& operand, RoundFunction round) {
  Real rounded(64);
  mpfr_set_prec(rounded.get(), 1100);
  const bool inexact = round(rounded.get(), operand.get()) != 0;
  mpz_t integer, low;
  mpz_inits(integer, low, nullptr);
  mpfr_get_z(integer, rounded.get(), MPFR_RNDZ);
  mpz_fdiv_r_2exp(low, integer, 64);  // modulo 2**64, never negative
  uint64_t value = 0;
  mpz_export(&value, nullptr, -1, sizeof(value), 0, 0, low);
  const bool overflow =
      mpfr_cmp_si_2exp(rounded.get(), -1, 63) < 0 || mpfr_cmp_si_2exp(rounded.get(), 1, 63) >= 0;
  mpz_clears(integer, low, nullptr);
  if (overflow) return {value, fp_exception::kIntegerOverflow | fp_exception::kInexact};
  return {value, inexact ? fp_exception::kInexact : 0};
}

// Register contents chosen to meet the corners of add, multiply, divide and convert in formats
// with the sign, exponent and fraction fields of T and G.
class HardOperands {
 public:
  explicit HardOperands(uint64_t seed) : random_(seed) {}

  uint64_t Random() { return random_(); }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Any register; about one in eight is exceptional.
  uint64_t Any() {
    switch (Below(16)) {
      case 0: return random_();
      case 1: return Special();
      case 2: return Make(Below(4));                // zero, denormal, smallest
      case 3: return Make(0x7FF - Below(3));        // NaN, infinity, largest
      case 4: return Make(897 - Below(30));         // around the smallest single
      case 5: return Make(1023 + 120 + Below(12));  // around the largest single
      case 6: return Make(1023 + 50 + Below(20));   // around integer overflow
      default: return Make(1023 - 40 + Below(80));
    }
  }

  // A register that together with `a` cancels, ties, overflows or underflows.
  uint64_t Against(uint64_t a) {
    const uint64_t exponent = (a >> kFractionBits) & 0x7FF;
    switch (Below(8)) {
      case 0: return Make((exponent - Below(58)) & 0x7FF);  // addition: ties and sticky
      case 1: return Make((exponent - Below(3)) & 0x7FF);   // addition: cancellation
      case 2: return a + Below(5) - 2;                      // neighbours
      case 3: return (a ^ kSignBit) + Below(5) - 2;
      case 4: return Make((2046 + 1021 + Below(6) - exponent) & 0x7FF);  // product at the top
      case 5: return Make((1020 + Below(8) - exponent) & 0x7FF);         // product at the bottom
      case 6: return Make((1023 + 1149 - 2 + Below(6) - exponent) & 0x7FF);  // single at the top
      default: return Any();
    }
  }

  // A number whose square root is short or almost so.
  uint64_t NearSquare() {
    const uint64_t root = (random_() >> (37 + Below(26))) | 1;
    const uint64_t square = root * root;
    const int length = 64 - std::countl_zero(square);
    const uint64_t fraction = length > 53 ? square >> (length - 53) : square << (53 - length);
    return (((1023 - 8 + Below(16)) << kFractionBits) | (fraction & kFractionMask)) + Below(3) - 1;
  }

  uint64_t Make(uint64_t exponent) {
    return (random_() & kSignBit) | exponent << kFractionBits | Fraction();
  }

 private:
  uint64_t Fraction() {
    const uint64_t ones = ~uint64_t{0};
    switch (Below(8)) {
      case 0: return 0;
      case 1: return (ones << Below(53)) & kFractionMask;
      case 2: return kFractionMask >> Below(53);
      case 3: return uint64_t{1} << Below(52);
      case 4: return (uint64_t{1} << Below(52)) | 1;
      case 5: return random_() & kFractionMask & (ones << 29);                   // canonical single
      case 6: return ((random_() << 29) + (uint64_t{1} << 28)) & kFractionMask;  // its halfway
      default: return random_() & kFractionMask;
    }
  }

  uint64_t Special() {
    static constexpr uint64_t kSpecial[] = {0,
                                            1,
                                            kFractionMask,
                                            kFractionMask + 1,
                                            kExponentMask - 1,
                                            kExponentMask,
                                            kExponentMask + 1,
                                            0x7FF7'FFFF'FFFF'FFFF,
                                            0x7FF8'0000'0000'0000,
                                            ~uint64_t{0} >> 1,
                                            0x3FF0'0000'0000'0000,
                                            0x3FE0'0000'0000'0000,
                                            0x43DF'FFFF'FFFF'FFFF,
                                            0x43E0'0000'0000'0000,
                                            0x43F0'0000'0000'0000,
                                            0x4340'0000'0000'0001,
                                            0x47EF'FFFF'E000'0000,
                                            0x47EF'FFFF'F000'0000,
                                            0x380F'FFFF'F000'0000,
                                            0x3810'0000'0000'0000,
                                            0x4000'0000'0000'0000,
                                            0x4010'0000'0000'0000};
    return kSpecial[Below(std::size(kSpecial))] | (random_() & kSignBit);
  }

  std::mt19937_64 random_;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_FLOAT_TEST_ORACLE_H_
