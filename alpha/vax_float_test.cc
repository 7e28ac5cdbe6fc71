#include "alpha/vax_float.h"

#include <gtest/gtest.h>
#include <mpfr.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "alpha/float_format.h"
#include "alpha/float_test_oracle.h"

namespace isochron::alpha {
namespace {

using namespace fp_exception;  // NOLINT: the causes appear in every line

using Operate = FpResult (*)(uint64_t, uint64_t, FpQualifiers, uint64_t);

constexpr uint64_t kHalf = 0x4000'0000'0000'0000;  // exponent 1024: 0.1 * 2**0 in binary
constexpr uint64_t kOne = 0x4010'0000'0000'0000;
constexpr uint64_t kTwo = 0x4020'0000'0000'0000;
constexpr uint64_t kLargest = 0x7FFF'FFFF'FFFF'FFFF;
constexpr uint64_t kSmallest = 0x0010'0000'0000'0000;
constexpr uint64_t kReserved = kSignBit;
constexpr uint64_t kDirtyZero = 1;

constexpr FpQualifiers kPlain{Rounding::kNearest, false, false, false};
constexpr FpQualifiers kU{Rounding::kNearest, true, false, false};
constexpr FpQualifiers kS{Rounding::kNearest, false, true, false};
constexpr FpQualifiers kSu{Rounding::kNearest, true, true, false};
constexpr FpQualifiers kChopped{Rounding::kChopped, false, false, false};

enum class Format { kF, kG, kD };

int PrecisionOf(Format format) {
  return format == Format::kF ? 24 : format == Format::kG ? 53 : 56;
}

bool IsBad(uint64_t g) { return (g & kExponentMask) == 0 && g != 0; }

void SetG(Real& real, uint64_t g) {
  if (g == 0) return mpfr_set_zero(real.get(), 1);
  const int exponent = static_cast<int>(g >> kFractionBits & 0x7FF);
  // 0.1f * 2**(exponent - 1024), with the 53 bits 1f as an integer.
  real.Set(g >= kSignBit, (g & kFractionMask) | (kFractionMask + 1), exponent - 1024 - 53);
}

// What a real number, rounded to the format's precision, is in a register.
Expected FromReal(const Real& real, Format format) {
  if (mpfr_zero_p(real.get())) return {0, 0};
  const int excess = format == Format::kG ? 1024 : 128;
  // MPFR's own exponent is that of a significand in [1/2, 1), as VAX has it.
  const int exponent = static_cast<int>(mpfr_get_exp(real.get())) + excess;
  if (exponent > (format == Format::kG ? 2047 : 255)) return {0, kOverflow};
  if (exponent < 1) return {0, kUnderflow};
  const uint64_t sign = real.negative() ? kSignBit : 0;
  const uint64_t significand = real.significand();
  if (format == Format::kD) {
    return {sign | static_cast<uint64_t>(exponent) << 55 | (significand & ~(uint64_t{1} << 55)), 0};
  }
  const uint64_t fraction = (significand << (53 - PrecisionOf(format))) & kFractionMask;
  return {sign | static_cast<uint64_t>(exponent - excess + 1024) << kFractionBits | fraction, 0};
}

enum class Kind { kAdd, kSubtract, kMultiply, kDivide, kSquareRoot, kConvert };

struct Arithmetic {
  const char* name;
  Operate operate;
  Kind kind;
  Format to;
};

constexpr Arithmetic kArithmetic[] = {
    {"addf", Addf, Kind::kAdd, Format::kF},
    {"addg", Addg, Kind::kAdd, Format::kG},
    {"subf", Subf, Kind::kSubtract, Format::kF},
    {"subg", Subg, Kind::kSubtract, Format::kG},
    {"mulf", Mulf, Kind::kMultiply, Format::kF},
    {"mulg", Mulg, Kind::kMultiply, Format::kG},
    {"divf", Divf, Kind::kDivide, Format::kF},
    {"divg", Divg, Kind::kDivide, Format::kG},
    {"sqrtf", Sqrtf, Kind::kSquareRoot, Format::kF},
    {"sqrtg", Sqrtg, Kind::kSquareRoot, Format::kG},
    {"cvtgf", Cvtgf, Kind::kConvert, Format::kF},
    {"cvtgd", Cvtgd, Kind::kConvert, Format::kD},
};

bool TakesOne(Kind kind) { return kind == Kind::kSquareRoot || kind == Kind::kConvert; }

// Calls calculate(result, direction) and rounds as the qualifiers say. MPFR has no rounding of
// halves away from zero: one bit more, chopped, is exactly what decides it.
template <typename Calculation>
void CalculateRounded(Real& result, FpQualifiers q, Calculation calculate) {
  const mpfr_prec_t precision = mpfr_get_prec(result.get());
  if (q.rounding != Rounding::kChopped) mpfr_set_prec(result.get(), precision + 1);
  calculate(result.get(), MPFR_RNDZ);
  mpfr_prec_round(result.get(), precision, MPFR_RNDA);
}

Expected Expect(const Arithmetic& op, uint64_t fa, uint64_t fb, FpQualifiers q) {
  if (IsBad(fb) || (!TakesOne(op.kind) && IsBad(fa))) return {0, kInvalid};
  if (op.kind == Kind::kDivide && fb == 0) return {0, kDivideByZero};
  if (op.kind == Kind::kSquareRoot && fb >= kSignBit) return {0, kInvalid};
  Real a(53), b(53), result(PrecisionOf(op.to));
  SetG(a, TakesOne(op.kind) ? 0 : fa);
  SetG(b, fb);
  CalculateRounded(result, q, [&](mpfr_ptr to, mpfr_rnd_t direction) {
    switch (op.kind) {
      case Kind::kAdd: return mpfr_add(to, a.get(), b.get(), direction);
      case Kind::kSubtract: return mpfr_sub(to, a.get(), b.get(), direction);
      case Kind::kMultiply: return mpfr_mul(to, a.get(), b.get(), direction);
      case Kind::kDivide: return mpfr_div(to, a.get(), b.get(), direction);
      case Kind::kSquareRoot: return mpfr_sqrt(to, b.get(), direction);
      case Kind::kConvert: return mpfr_set(to, b.get(), direction);
    }
    return 0;
  });
  return FromReal(result, op.to);
}

// The whole of a result for an expected value or cause.
::testing::AssertionResult Agrees(const FpResult& got, const Expected& expected, FpQualifiers q) {
  const uint32_t always = kInvalid | kDivideByZero | kOverflow;
  uint32_t trap =
      expected.exceptions & (q.underflow ? always | kUnderflow | kIntegerOverflow : always);
  const bool write = (trap & always) == 0 && !(trap != 0 && q.software);
  if (trap != 0 && q.software) trap |= kSoftwareCompletion;
  if (got.trap == trap && got.write == write && got.fpcr_set == 0 &&
      (!write || got.value == expected.value)) {
    return ::testing::AssertionSuccess();
  }
  char text[160];
  std::snprintf(text, sizeof(text),
                ": got %016lx write %d trap %02x, want %016lx write %d trap %02x", got.value,
                got.write, got.trap, expected.value, write, trap);
  return ::testing::AssertionFailure() << text;
}

std::string Describe(const char* name, uint64_t a, uint64_t b, FpQualifiers q) {
  char text[120];
  std::snprintf(text, sizeof(text), "%s%s%s%s %016lx %016lx", name, q.underflow ? "/u" : "",
                q.software ? "/s" : "", q.rounding == Rounding::kChopped ? "/c" : "", a, b);
  return text;
}

FpQualifiers RandomQualifiers(HardOperands& operands) {
  return {operands.Below(2) ? Rounding::kNearest : Rounding::kChopped, operands.Below(2) != 0,
          operands.Below(2) != 0, false};
}

constexpr int kRounds = 150'000;

class VaxArithmeticTest : public ::testing::TestWithParam<Arithmetic> {};

TEST_P(VaxArithmeticTest, AgreesWithMpfr) {
  const Arithmetic& op = GetParam();
  HardOperands operands(11);
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t a = operands.Any();
    uint64_t b = operands.Against(a);
    if (op.kind == Kind::kSquareRoot && operands.Below(2)) b = operands.NearSquare();
    const FpQualifiers q = RandomQualifiers(operands);
    ASSERT_TRUE(Agrees(op.operate(a, b, q, 0), Expect(op, a, b, q), q))
        << Describe(op.name, a, b, q);
  }
}

INSTANTIATE_TEST_SUITE_P(Vax, VaxArithmeticTest, ::testing::ValuesIn(kArithmetic),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(VaxConversionTest, CvtdgAgreesWithMpfr) {
  HardOperands operands(12);
  for (int i = 0; i < kRounds; ++i) {
    uint64_t d = operands.Random();
    if (operands.Below(4) == 0) d |= 0x007F'FFFF'FFFF'FFF8;  // a carry into the exponent
    if (operands.Below(16) == 0) d &= ~(uint64_t{0xFF} << 55);
    if (operands.Below(64) == 0) d = 0;
    const FpQualifiers q = RandomQualifiers(operands);
    Expected expected{0, 0};
    if ((d >> 55 & 0xFF) == 0) {
      expected.exceptions = d == 0 ? 0 : kInvalid;
    } else {
      Real operand(56), result(53);
      const uint64_t fraction = d & ((uint64_t{1} << 55) - 1);
      operand.Set(d >= kSignBit, fraction | uint64_t{1} << 55,
                  static_cast<int>(d >> 55 & 0xFF) - 128 - 56);
      CalculateRounded(result, q, [&](mpfr_ptr to, mpfr_rnd_t direction) {
        mpfr_set(to, operand.get(), direction);
      });
      expected = FromReal(result, Format::kG);
    }
    ASSERT_TRUE(Agrees(Cvtdg(0, d, q, 0), expected, q)) << Describe("cvtdg", 0, d, q);
  }
}

TEST(VaxConversionTest, CvtgqAgreesWithMpfr) {
  HardOperands operands(13);
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t g = operands.Any();
    const FpQualifiers q = RandomQualifiers(operands);
    Expected expected{0, kInvalid};
    if (!IsBad(g)) {
      Real operand(53);
      SetG(operand, g);
      expected = ExpectInteger(operand, [&](mpfr_ptr to, mpfr_srcptr from) {
        return q.rounding == Rounding::kChopped ? mpfr_trunc(to, from) : mpfr_round(to, from);
      });
    }
    ASSERT_TRUE(Agrees(Cvtgq(0, g, q, 0), expected, q)) << Describe("cvtgq", 0, g, q);
  }
}

TEST(VaxConversionTest, FromIntegerAgreesWithMpfr) {
  HardOperands operands(14);
  for (int i = 0; i < kRounds; ++i) {
    uint64_t b = operands.Random() >> operands.Below(64);
    if (operands.Below(2)) b = ~b;
    if (operands.Below(4) == 0) b = (uint64_t{3} << operands.Below(64)) + operands.Below(5) - 2;
    const FpQualifiers q = RandomQualifiers(operands);
    Real exact(64), f(24), g(53);
    mpfr_set_sj(exact.get(), static_cast<int64_t>(b), MPFR_RNDN);
    const auto copy = [&](mpfr_ptr to, mpfr_rnd_t direction) {
      mpfr_set(to, exact.get(), direction);
    };
    CalculateRounded(f, q, copy);
    CalculateRounded(g, q, copy);
    ASSERT_TRUE(Agrees(Cvtqf(0, b, q, 0), FromReal(f, Format::kF), q))
        << Describe("cvtqf", 0, b, q);
    ASSERT_TRUE(Agrees(Cvtqg(0, b, q, 0), FromReal(g, Format::kG), q))
        << Describe("cvtqg", 0, b, q);
  }
}

TEST(VaxCompareTest, AgreesWithMpfr) {
  HardOperands operands(15);
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t a = operands.Any();
    const uint64_t b = operands.Below(8) ? operands.Against(a) : a;
    const FpQualifiers q = operands.Below(2) ? kS : kPlain;
    int order = 0;
    const bool bad = IsBad(a) || IsBad(b);
    if (!bad) {
      Real real_a(53), real_b(53);
      SetG(real_a, a);
      SetG(real_b, b);
      order = mpfr_cmp(real_a.get(), real_b.get());
    }
    const auto truth = [&](bool holds) -> Expected {
      return {holds ? kHalf : 0, bad ? kInvalid : 0};
    };
    ASSERT_TRUE(Agrees(Cmpgeq(a, b, q, 0), truth(order == 0), q)) << Describe("cmpgeq", a, b, q);
    ASSERT_TRUE(Agrees(Cmpglt(a, b, q, 0), truth(order < 0), q)) << Describe("cmpglt", a, b, q);
    ASSERT_TRUE(Agrees(Cmpgle(a, b, q, 0), truth(order <= 0), q)) << Describe("cmpgle", a, b, q);
  }
}

// ---- By hand ------------------------------------------------------------------------------------

void ExpectValue(const FpResult& got, uint64_t value) {
  EXPECT_TRUE(got.write);
  EXPECT_EQ(got.trap, 0u);
  EXPECT_EQ(got.value, value);
  EXPECT_EQ(got.fpcr_set, 0u);
}

void ExpectTrap(const FpResult& got, uint32_t trap) {
  EXPECT_FALSE(got.write);
  EXPECT_EQ(got.trap, trap);
  EXPECT_EQ(got.fpcr_set, 0u);
}

TEST(VaxFloatTest, PlainArithmetic) {
  ExpectValue(Addg(kOne, kOne, kPlain, 0), kTwo);
  ExpectValue(Subf(kTwo, kOne, kPlain, 0), kOne);
  ExpectValue(Mulg(kHalf, kTwo, kPlain, 0), kOne);
  ExpectValue(Sqrtg(0, 0x4030'0000'0000'0000, kPlain, 0), kTwo);
  ExpectValue(Subg(kOne, kOne, kPlain, 0), 0);
  ExpectValue(Mulg(0, kOne | kSignBit, kPlain, 0), 0);
}

TEST(VaxFloatTest, HalvesRoundAwayFromZero) {
  // 1 + 2**-53, half a last place above 1.
  const uint64_t tie = kOne - (uint64_t{53} << kFractionBits);
  ExpectValue(Addg(kOne, tie, kPlain, 0), kOne + 1);
  ExpectValue(Addg(kOne | kSignBit, tie | kSignBit, kPlain, 0), (kOne + 1) | kSignBit);
  ExpectValue(Addg(kOne, tie, kChopped, 0), kOne);
  ExpectValue(Cvtgq(0, kHalf, kPlain, 0), 1);
  ExpectValue(Cvtgq(0, kHalf | kSignBit, kPlain, 0), ~uint64_t{0});
  ExpectValue(Cvtgq(0, kHalf, kChopped, 0), 0);
}

TEST(VaxFloatTest, ReservedOperandsAndDirtyZerosAreInvalid) {
  for (const uint64_t operand : {kReserved, kReserved | 5, kDirtyZero}) {
    ExpectTrap(Addg(operand, kOne, kPlain, 0), kInvalid);
    ExpectTrap(Mulf(kOne, operand, kSu, 0), kInvalid | kSoftwareCompletion);
    ExpectTrap(Divg(operand, 0, kPlain, 0), kInvalid);
    ExpectTrap(Cmpgeq(operand, operand, kS, 0), kInvalid | kSoftwareCompletion);
    ExpectTrap(Sqrtf(0, operand, kPlain, 0), kInvalid);
    ExpectTrap(Cvtgq(0, operand, kPlain, 0), kInvalid);
    ExpectTrap(Cvtdg(0, operand, kPlain, 0), kInvalid);
    ExpectTrap(Cvtgf(0, operand, kPlain, 0), kInvalid);
  }
}

TEST(VaxFloatTest, Traps) {
  ExpectTrap(Divg(kOne, 0, kPlain, 0), kDivideByZero);
  ExpectTrap(Divg(0, 0, kS, 0), kDivideByZero | kSoftwareCompletion);
  ExpectTrap(Sqrtg(0, kOne | kSignBit, kPlain, 0), kInvalid);
  ExpectTrap(Addg(kLargest, kLargest, kPlain, 0), kOverflow);
  ExpectTrap(Cvtgf(0, kLargest, kS, 0), kOverflow | kSoftwareCompletion);
  ExpectValue(Mulg(kSmallest, kHalf, kPlain, 0), 0);
  ExpectValue(Mulg(kSmallest | kSignBit, kHalf, kS, 0), 0);
  ExpectTrap(Mulg(kSmallest, kHalf, kSu, 0), kUnderflow | kSoftwareCompletion);
  const FpResult underflow = Mulg(kSmallest | kSignBit, kHalf, kU, 0);
  EXPECT_EQ(underflow.trap, kUnderflow);
  EXPECT_TRUE(underflow.write);
  EXPECT_EQ(underflow.value, 0u);
  const FpResult overflow = Cvtgq(0, 0x4410'0000'0000'0001, kU, 0);  // 2**64 + 2**12
  EXPECT_EQ(overflow.trap, kIntegerOverflow);
  EXPECT_TRUE(overflow.write);
  EXPECT_EQ(overflow.value, 4096u);
}

}  // namespace
}  // namespace isochron::alpha
