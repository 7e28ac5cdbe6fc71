#include "alpha/ieee_float.h"

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

constexpr uint64_t kOne = 0x3FF0'0000'0000'0000;
constexpr uint64_t kTwo = 0x4000'0000'0000'0000;
constexpr uint64_t kThree = 0x4008'0000'0000'0000;
constexpr uint64_t kPlusInfinity = 0x7FF0'0000'0000'0000;
constexpr uint64_t kMinusInfinity = 0xFFF0'0000'0000'0000;
constexpr uint64_t kLargest = 0x7FEF'FFFF'FFFF'FFFF;
constexpr uint64_t kSmallest = 0x0010'0000'0000'0000;
constexpr uint64_t kDenormal = 0x0000'0000'0000'0001;
constexpr uint64_t kQuiet = 0x7FF8'0000'0000'1234;
constexpr uint64_t kSignaling = 0x7FF0'0000'0000'5678;
constexpr uint64_t kDefaultNan = 0xFFF8'0000'0000'0000;

constexpr uint64_t kAllDisabled = fpcr::kInvalidDisable | fpcr::kDivideByZeroDisable |
                                  fpcr::kOverflowDisable | fpcr::kUnderflowDisable |
                                  fpcr::kUnderflowToZero | fpcr::kInexactDisable;

constexpr FpQualifiers kPlain{Rounding::kNearest, false, false, false};
constexpr FpQualifiers kU{Rounding::kNearest, true, false, false};
constexpr FpQualifiers kSu{Rounding::kNearest, true, true, false};
constexpr FpQualifiers kSui{Rounding::kNearest, true, true, true};

// ---- The oracle -----------------------------------------------------------------------------

bool IsDenormal(uint64_t t) { return (t & kExponentMask) == 0 && (t & kFractionMask) != 0; }
bool IsNan(uint64_t t) { return (t & ~kSignBit) > kExponentMask; }
bool IsSignaling(uint64_t t) { return IsNan(t) && (t >> 51 & 1) == 0; }
bool IsInfinite(uint64_t t) { return (t & ~kSignBit) == kExponentMask; }

void SetT(Real& real, uint64_t t) {
  const int exponent = static_cast<int>(t >> kFractionBits & 0x7FF);
  if (IsNan(t)) {
    mpfr_set_nan(real.get());
  } else if (IsInfinite(t)) {
    mpfr_set_inf(real.get(), t >= kSignBit ? -1 : 1);
  } else if (exponent == 0) {
    mpfr_set_zero(real.get(), t >= kSignBit ? -1 : 1);  // denormals are zeros here
  } else {
    real.Set(t >= kSignBit, (t & kFractionMask) | (kFractionMask + 1), exponent - 1075);
  }
}

mpfr_rnd_t DirectionOf(FpQualifiers q, uint64_t fpcr) {
  static constexpr mpfr_rnd_t kDirections[] = {MPFR_RNDZ, MPFR_RNDD, MPFR_RNDN, MPFR_RNDU};
  if (q.rounding == Rounding::kDynamic) return kDirections[fpcr >> 58 & 3];
  return kDirections[static_cast<int>(q.rounding)];
}

// A result of MPFR, `ternary` its return value, as hardware with all traps disabled gives it.
Expected FromReal(Real& real, int ternary, int precision, int min_exponent, int max_exponent,
                  mpfr_rnd_t direction) {
  const uint64_t sign = real.negative() ? kSignBit : 0;
  if (mpfr_inf_p(real.get())) return {sign | kPlusInfinity, 0};
  if (mpfr_zero_p(real.get())) return {sign, 0};
  if (real.exponent() < min_exponent) return {0, kUnderflow | kInexact};
  const mpfr_exp_t saved = mpfr_get_emax();
  mpfr_set_emax(max_exponent + 1);
  const bool overflow = real.exponent() > max_exponent;
  if (overflow) mpfr_check_range(real.get(), ternary, direction);  // infinity or largest
  mpfr_set_emax(saved);
  const uint32_t exceptions = (overflow ? kOverflow | kInexact : 0) | (ternary ? kInexact : 0);
  if (mpfr_inf_p(real.get())) return {sign | kPlusInfinity, exceptions};
  const uint64_t fraction = (real.significand() << (53 - precision)) & kFractionMask;
  const auto exponent = static_cast<uint64_t>(real.exponent() + 1023);
  return {sign | exponent << kFractionBits | fraction, exceptions};
}

enum class Kind { kAdd, kSubtract, kMultiply, kDivide, kSquareRoot, kConvert };

struct Arithmetic {
  const char* name;
  Operate operate;
  Kind kind;
  bool single;
};

constexpr Arithmetic kArithmetic[] = {
    {"adds", Adds, Kind::kAdd, true},          {"addt", Addt, Kind::kAdd, false},
    {"subs", Subs, Kind::kSubtract, true},     {"subt", Subt, Kind::kSubtract, false},
    {"muls", Muls, Kind::kMultiply, true},     {"mult", Mult, Kind::kMultiply, false},
    {"divs", Divs, Kind::kDivide, true},       {"divt", Divt, Kind::kDivide, false},
    {"sqrts", Sqrts, Kind::kSquareRoot, true}, {"sqrtt", Sqrtt, Kind::kSquareRoot, false},
    {"cvtts", Cvtts, Kind::kConvert, true},    {"cvtst", Cvtst, Kind::kConvert, false},
};

bool TakesOne(Kind kind) { return kind == Kind::kSquareRoot || kind == Kind::kConvert; }

int Calculate(Kind kind, Real& result, const Real& a, const Real& b, mpfr_rnd_t direction) {
  switch (kind) {
    case Kind::kAdd: return mpfr_add(result.get(), a.get(), b.get(), direction);
    case Kind::kSubtract: return mpfr_sub(result.get(), a.get(), b.get(), direction);
    case Kind::kMultiply: return mpfr_mul(result.get(), a.get(), b.get(), direction);
    case Kind::kDivide: return mpfr_div(result.get(), a.get(), b.get(), direction);
    case Kind::kSquareRoot: return mpfr_sqrt(result.get(), b.get(), direction);
    case Kind::kConvert: return mpfr_set(result.get(), b.get(), direction);
  }
  return 0;
}

Expected Expect(const Arithmetic& op, uint64_t fa, uint64_t fb, mpfr_rnd_t direction) {
  const int precision = op.single ? 24 : 53;
  Real a(53), b(53), result(precision);
  SetT(a, TakesOne(op.kind) ? 0 : fa);
  SetT(b, fb);
  mpfr_clear_flags();
  const int ternary = Calculate(op.kind, result, a, b, direction);
  if (mpfr_nan_p(result.get())) {
    const bool has_a = IsNan(fa) && !TakesOne(op.kind);
    if (!IsNan(fb) && !has_a) return {kDefaultNan, kInvalid};
    const uint64_t nan = (IsNan(fb) ? fb : fa) | uint64_t{1} << 51;
    const bool invalid = IsSignaling(fb) || (has_a && IsSignaling(fa));
    return {op.single ? nan >> 29 << 29 : nan, invalid ? kInvalid : 0};
  }
  Expected expected = FromReal(result, ternary, precision, op.single ? -126 : -1022,
                               op.single ? 127 : 1023, direction);
  if (mpfr_divby0_p()) expected.exceptions |= kDivideByZero;
  return expected;
}

// ---- The trapping rules, written out once more ------------------------------------------------

uint32_t TrapOf(uint32_t exceptions, FpQualifiers q, uint64_t fpcr) {
  struct Rule {
    uint32_t cause;
    bool enabled;
    uint64_t disable;
  };
  const Rule rules[] = {
      {kInvalid, true, fpcr::kInvalidDisable},
      {kDivideByZero, true, fpcr::kDivideByZeroDisable},
      {kOverflow, true, fpcr::kOverflowDisable},
      {kUnderflow, q.underflow, fpcr::kUnderflowDisable | fpcr::kUnderflowToZero},
      {kInexact, q.inexact, fpcr::kInexactDisable},
  };
  uint32_t trap = q.underflow ? exceptions & kIntegerOverflow : 0;
  for (const Rule& rule : rules) {
    const bool disabled = q.software && (fpcr & rule.disable) == rule.disable;
    if ((exceptions & rule.cause) != 0 && rule.enabled && !disabled) trap |= rule.cause;
  }
  return trap == 0 ? 0 : trap | (q.software ? kSoftwareCompletion : 0);
}

uint64_t StatusOf(uint32_t exceptions) {
  uint64_t status = 0;
  if (exceptions & kInvalid) status |= fpcr::kInvalid;
  if (exceptions & kDivideByZero) status |= fpcr::kDivideByZero;
  if (exceptions & kOverflow) status |= fpcr::kOverflow;
  if (exceptions & kUnderflow) status |= fpcr::kUnderflow;
  if (exceptions & kInexact) status |= fpcr::kInexact;
  if (exceptions & kIntegerOverflow) status |= fpcr::kIntegerOverflow;
  return status == 0 ? 0 : status | fpcr::kSummary;
}

// Whether an operand makes the instruction trap at once, and with what status.
enum class OperandFate { kFine, kInvalid, kDenormal };

OperandFate FateOf(uint64_t a, uint64_t b, FpQualifiers q, uint64_t fpcr, bool compare) {
  const bool denormal = IsDenormal(a) || IsDenormal(b);
  if (q.software) {
    return denormal && !(fpcr & fpcr::kDenormalToZero) ? OperandFate::kDenormal
                                                       : OperandFate::kFine;
  }
  const bool infinite = IsInfinite(a) || IsInfinite(b);
  if (IsNan(a) || IsNan(b) || (infinite && !compare)) return OperandFate::kInvalid;
  return denormal ? OperandFate::kDenormal : OperandFate::kFine;
}

std::string Describe(const char* name, uint64_t a, uint64_t b, FpQualifiers q, uint64_t fpcr) {
  char text[160];
  std::snprintf(text, sizeof(text), "%s %016lx %016lx rounding %d%s%s%s fpcr %016lx", name, a, b,
                static_cast<int>(q.rounding), q.underflow ? " U" : "", q.software ? " S" : "",
                q.inexact ? " I" : "", fpcr);
  return text;
}

// Compares all of a result with what the operands, the oracle and the trapping rules say.
template <typename Oracle>
::testing::AssertionResult Agrees(const FpResult& got, uint64_t a, uint64_t b, FpQualifiers q,
                                  uint64_t fpcr, bool compare, Oracle oracle) {
  FpResult want{};
  const OperandFate fate = FateOf(a, b, q, fpcr, compare);
  if (fate != OperandFate::kFine) {
    want = {0, false, kInvalid | (q.software ? kSoftwareCompletion : 0),
            fate == OperandFate::kInvalid ? StatusOf(kInvalid) : 0};
  } else {
    const Expected expected = oracle();
    const uint32_t trap = TrapOf(expected.exceptions, q, fpcr);
    const bool defined = (trap & (kSoftwareCompletion | kInvalid | kDivideByZero | kOverflow)) == 0;
    want = {expected.value, defined, trap, StatusOf(expected.exceptions)};
  }
  if (got.write == want.write && got.trap == want.trap && got.fpcr_set == want.fpcr_set &&
      (!want.write || got.value == want.value)) {
    return ::testing::AssertionSuccess();
  }
  char text[240];
  std::snprintf(text, sizeof(text),
                ": got %016lx write %d trap %02x status %016lx, want %016lx write %d trap %02x "
                "status %016lx",
                got.value, got.write, got.trap, got.fpcr_set, want.value, want.write, want.trap,
                want.fpcr_set);
  return ::testing::AssertionFailure() << text;
}

FpQualifiers RandomQualifiers(HardOperands& operands) {
  static constexpr uint32_t kTrapping[] = {0, 1, 5, 7};
  return DecodeFpQualifiers(kTrapping[operands.Below(4)] << 8 |
                            static_cast<uint32_t>(operands.Below(4)) << 6);
}

uint64_t RandomFpcr(HardOperands& operands) {
  return fpcr::Written(operands.Random() | (operands.Below(2) ? kAllDisabled : 0));
}

constexpr int kRounds = 250'000;

class ArithmeticTest : public ::testing::TestWithParam<Arithmetic> {};

TEST_P(ArithmeticTest, AgreesWithMpfr) {
  const Arithmetic& op = GetParam();
  HardOperands operands(1);
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t a = operands.Any();
    uint64_t b = operands.Against(a);
    if (op.kind == Kind::kSquareRoot && operands.Below(2)) b = operands.NearSquare();
    const FpQualifiers q = RandomQualifiers(operands);
    const uint64_t fpcr = RandomFpcr(operands);
    ASSERT_TRUE(Agrees(op.operate(a, b, q, fpcr), TakesOne(op.kind) ? 0 : a, b, q, fpcr, false,
                       [&] { return Expect(op, a, b, DirectionOf(q, fpcr)); }))
        << Describe(op.name, a, b, q, fpcr);
  }
}

// Single precision on the values that programs have: LDS of anything.
TEST_P(ArithmeticTest, AgreesWithMpfrOnCanonicalSingles) {
  const Arithmetic& op = GetParam();
  HardOperands operands(2);
  for (int i = 0; i < kRounds / 4; ++i) {
    const uint64_t a = LoadS(static_cast<uint32_t>(operands.Random()));
    const uint64_t b = operands.Below(2) ? LoadS(static_cast<uint32_t>(operands.Random()))
                                         : operands.Against(a) >> 29 << 29;
    const FpQualifiers q = RandomQualifiers(operands);
    const uint64_t fpcr = RandomFpcr(operands);
    const FpResult got = op.operate(a, b, q, fpcr);
    ASSERT_TRUE(Agrees(got, TakesOne(op.kind) ? 0 : a, b, q, fpcr, false, [&] {
      return Expect(op, a, b, DirectionOf(q, fpcr));
    })) << Describe(op.name, a, b, q, fpcr);
    if (op.single && got.write) {
      ASSERT_EQ(LoadS(StoreS(got.value)), got.value) << "not canonical";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ieee, ArithmeticTest, ::testing::ValuesIn(kArithmetic),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(IeeeConversionTest, CvttqAgreesWithMpfr) {
  HardOperands operands(3);
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t b = operands.Any();
    const FpQualifiers q = RandomQualifiers(operands);
    const uint64_t fpcr = RandomFpcr(operands);
    ASSERT_TRUE(Agrees(Cvttq(0, b, q, fpcr), 0, b, q, fpcr, false, [&]() -> Expected {
      if (IsNan(b) || IsInfinite(b)) return {0, kInvalid};
      Real operand(53);
      SetT(operand, b);
      return ExpectInteger(operand, [&](mpfr_ptr to, mpfr_srcptr from) {
        return mpfr_rint(to, from, DirectionOf(q, fpcr));
      });
    })) << Describe("cvttq", 0, b, q, fpcr);
  }
}

TEST(IeeeConversionTest, FromIntegerAgreesWithMpfr) {
  HardOperands operands(4);
  for (int i = 0; i < kRounds; ++i) {
    uint64_t b = operands.Random() >> operands.Below(64);
    if (operands.Below(2)) b = ~b;
    if (operands.Below(4) == 0) b = (uint64_t{1} << operands.Below(64)) + operands.Below(5) - 2;
    const FpQualifiers q = RandomQualifiers(operands);
    const uint64_t fpcr = RandomFpcr(operands);
    const mpfr_rnd_t direction = DirectionOf(q, fpcr);
    for (const bool single : {true, false}) {
      const FpResult got = single ? Cvtqs(0, b, q, fpcr) : Cvtqt(0, b, q, fpcr);
      ASSERT_TRUE(Agrees(got, 0, 0, q, fpcr, false, [&] {
        const int precision = single ? 24 : 53;
        Real real(precision);
        const int ternary = mpfr_set_sj(real.get(), static_cast<int64_t>(b), direction);
        return FromReal(real, ternary, precision, -126, 127, direction);
      })) << Describe(single ? "cvtqs" : "cvtqt", 0, b, q, fpcr);
    }
  }
}

TEST(IeeeCompareTest, AgreesWithMpfr) {
  HardOperands operands(5);
  for (int i = 0; i < kRounds; ++i) {
    const uint64_t a = operands.Any();
    const uint64_t b = operands.Below(4) ? operands.Against(a) : operands.Any();
    const FpQualifiers q = operands.Below(2) ? kSu : kPlain;
    const uint64_t fpcr = RandomFpcr(operands);
    Real real_a(53), real_b(53);
    SetT(real_a, a);
    SetT(real_b, b);
    const auto check = [&](const char* name, Operate operate, bool truth, bool ordered_only) {
      ASSERT_TRUE(Agrees(operate(a, b, q, fpcr), a, b, q, fpcr, true, [&]() -> Expected {
        const bool invalid =
            IsSignaling(a) || IsSignaling(b) || (ordered_only && (IsNan(a) || IsNan(b)));
        return {truth ? kTwo : 0, invalid ? kInvalid : 0};
      })) << Describe(name, a, b, q, fpcr);
    };
    check("cmptun", Cmptun, mpfr_unordered_p(real_a.get(), real_b.get()) != 0, false);
    check("cmpteq", Cmpteq, mpfr_equal_p(real_a.get(), real_b.get()) != 0, false);
    check("cmptlt", Cmptlt, mpfr_less_p(real_a.get(), real_b.get()) != 0, true);
    check("cmptle", Cmptle, mpfr_lessequal_p(real_a.get(), real_b.get()) != 0, true);
  }
}

// ---- Each trap by hand: what an operating system relies on --------------------------------------

void ExpectValue(const FpResult& got, uint64_t value, uint32_t status) {
  EXPECT_TRUE(got.write);
  EXPECT_EQ(got.trap, 0u);
  EXPECT_EQ(got.value, value);
  EXPECT_EQ(got.fpcr_set, StatusOf(status));
}

void ExpectTrap(const FpResult& got, uint32_t trap, uint32_t status) {
  EXPECT_FALSE(got.write);
  EXPECT_EQ(got.trap, trap);
  EXPECT_EQ(got.fpcr_set, StatusOf(status));
}

TEST(IeeeTrapTest, OrdinaryAdditionRaisesNothing) {
  ExpectValue(Addt(kOne, kTwo, kPlain, 0), kThree, 0);
  ExpectValue(Adds(kOne, kTwo, kSui, 0), kThree, 0);
}

TEST(IeeeTrapTest, NanAndInfinityTrapWithoutS) {
  for (const uint64_t operand : {kQuiet, kSignaling, kPlusInfinity, kMinusInfinity}) {
    ExpectTrap(Addt(kOne, operand, kPlain, kAllDisabled), kInvalid, kInvalid);
    ExpectTrap(Mult(operand, kOne, kU, kAllDisabled), kInvalid, kInvalid);
    ExpectTrap(Cvttq(0, operand, kPlain, kAllDisabled), kInvalid, kInvalid);
    ExpectTrap(Cvtst(0, operand, kPlain, kAllDisabled), kInvalid, kInvalid);
    ExpectTrap(Sqrts(0, operand, kPlain, kAllDisabled), kInvalid, kInvalid);
  }
  ExpectTrap(Cmptun(kQuiet, kOne, kPlain, 0), kInvalid, kInvalid);
  ExpectValue(Cmptlt(kOne, kPlusInfinity, kPlain, 0), kTwo, 0);
}

TEST(IeeeTrapTest, NanAndInfinityFollowTheStandardWithS) {
  ExpectValue(Addt(kOne, kPlusInfinity, kSu, 0), kPlusInfinity, 0);
  ExpectValue(Divt(kOne, kMinusInfinity, kSu, 0), kSignBit, 0);
  ExpectValue(Addt(kQuiet, kOne, kSu, 0), kQuiet, 0);
  ExpectTrap(Addt(kSignaling, kOne, kSu, 0), kInvalid | kSoftwareCompletion, kInvalid);
  ExpectValue(Addt(kSignaling, kOne, kSu, kAllDisabled), kSignaling | 0x0008'0000'0000'0000,
              kInvalid);
  ExpectTrap(Subt(kPlusInfinity, kPlusInfinity, kSu, 0), kInvalid | kSoftwareCompletion, kInvalid);
  ExpectValue(Subt(kPlusInfinity, kPlusInfinity, kSu, kAllDisabled), kDefaultNan, kInvalid);
  ExpectValue(Sqrtt(0, kOne | kSignBit, kSu, kAllDisabled), kDefaultNan, kInvalid);
  ExpectValue(Sqrtt(0, kSignBit, kSu, 0), kSignBit, 0);
}

TEST(IeeeTrapTest, OfTwoNansFbIsKept) {
  ExpectValue(Mult(kQuiet, kQuiet | kSignBit | 1, kSu, 0), kQuiet | kSignBit | 1, 0);
  ExpectValue(Subt(kQuiet, kQuiet | 1, kSu, 0), kQuiet | 1, 0);
  // A signaling Fa is reported though Fb is delivered.
  ExpectValue(Mult(kSignaling, kQuiet, kSu, kAllDisabled), kQuiet, kInvalid);
  // A single keeps what a single can hold.
  ExpectValue(Cvtts(0, kQuiet, kSu, 0), 0x7FF8'0000'0000'0000, 0);
}

TEST(IeeeTrapTest, DenormalOperandTrapsUnlessDnz) {
  ExpectTrap(Addt(kOne, kDenormal, kPlain, fpcr::kDenormalToZero | kAllDisabled), kInvalid, 0);
  ExpectTrap(Addt(kOne, kDenormal, kSu, kAllDisabled), kInvalid | kSoftwareCompletion, 0);
  ExpectTrap(Cmpteq(kDenormal, 0, kSu, kAllDisabled), kInvalid | kSoftwareCompletion, 0);
  ExpectTrap(Cvttq(0, kDenormal, kSu, kAllDisabled), kInvalid | kSoftwareCompletion, 0);
  ExpectTrap(Cvtst(0, kDenormal, kSu, kAllDisabled), kInvalid | kSoftwareCompletion, 0);
  // The trap for a denormal comes before what a NaN beside it would do.
  ExpectTrap(Addt(kSignaling, kDenormal, kSu, kAllDisabled), kInvalid | kSoftwareCompletion, 0);

  ExpectValue(Addt(kOne, kDenormal, kSu, fpcr::kDenormalToZero), kOne, 0);
  ExpectValue(Cmpteq(kDenormal, kSignBit | kDenormal, kSu, fpcr::kDenormalToZero), kTwo, 0);
  ExpectValue(Sqrtt(0, kSignBit | kDenormal, kSu, fpcr::kDenormalToZero), kSignBit, 0);
  ExpectTrap(Divt(kOne, kDenormal, kSu, fpcr::kDenormalToZero), kDivideByZero | kSoftwareCompletion,
             kDivideByZero);
  ExpectTrap(Mult(kPlusInfinity, kDenormal, kSu, fpcr::kDenormalToZero),
             kInvalid | kSoftwareCompletion, kInvalid);
}

TEST(IeeeTrapTest, DivisionByZero) {
  ExpectTrap(Divt(kOne, 0, kPlain, kAllDisabled), kDivideByZero, kDivideByZero);
  ExpectTrap(Divt(kOne, 0, kSu, 0), kDivideByZero | kSoftwareCompletion, kDivideByZero);
  ExpectValue(Divt(kOne, kSignBit, kSu, fpcr::kDivideByZeroDisable), kMinusInfinity, kDivideByZero);
  ExpectTrap(Divt(0, 0, kSu, fpcr::kDivideByZeroDisable), kInvalid | kSoftwareCompletion, kInvalid);
  ExpectValue(Divt(0, 0, kSu, fpcr::kInvalidDisable), kDefaultNan, kInvalid);
}

TEST(IeeeTrapTest, Overflow) {
  constexpr uint32_t kStatus = kOverflow | kInexact;
  ExpectTrap(Addt(kLargest, kLargest, kPlain, kAllDisabled), kOverflow, kStatus);
  ExpectTrap(Addt(kLargest, kLargest, kSu, 0), kOverflow | kSoftwareCompletion, kStatus);
  ExpectTrap(Addt(kLargest, kLargest, kSui, 0), kOverflow | kInexact | kSoftwareCompletion,
             kStatus);
  ExpectValue(Addt(kLargest, kLargest, kSu, fpcr::kOverflowDisable), kPlusInfinity, kStatus);
  FpQualifiers q = kSu;
  q.rounding = Rounding::kChopped;
  ExpectValue(Addt(kLargest, kLargest, q, fpcr::kOverflowDisable), kLargest, kStatus);
  ExpectValue(Cvtts(0, kLargest, q, fpcr::kOverflowDisable), LoadS(0x7F7F'FFFF), kStatus);
}

TEST(IeeeTrapTest, Underflow) {
  constexpr uint32_t kStatus = kUnderflow | kInexact;
  constexpr uint64_t kHalf = 0x3FE0'0000'0000'0000;
  // Without /U a zero, positive whatever the sign was.
  ExpectValue(Mult(kSmallest | kSignBit, kHalf, kPlain, 0), 0, kStatus);
  // The trap without software completion delivers that zero too.
  const FpResult imprecise = Mult(kSmallest, kHalf, kU, kAllDisabled);
  EXPECT_EQ(imprecise.trap, kUnderflow);
  EXPECT_TRUE(imprecise.write);
  EXPECT_EQ(imprecise.value, 0u);
  // With it, the sources stay as they are and software makes the denormal. UNFD alone is not
  // enough: Linux runs with it set and UNDZ clear, and expects to be called.
  ExpectTrap(Mult(kSmallest, kHalf, kSu, 0), kUnderflow | kSoftwareCompletion, kStatus);
  ExpectTrap(Mult(kSmallest, kHalf, kSu, fpcr::kUnderflowDisable), kUnderflow | kSoftwareCompletion,
             kStatus);
  ExpectValue(
      Mult(kSmallest | kSignBit, kHalf, kSu, fpcr::kUnderflowDisable | fpcr::kUnderflowToZero), 0,
      kStatus);
  // What rounds up to the smallest normal number has not underflowed.
  ExpectValue(Mult(kSmallest + 1, 0x3FEF'FFFF'FFFF'FFFE, kSu, 0), kSmallest, kInexact);
}

TEST(IeeeTrapTest, Inexact) {
  constexpr uint64_t kThird = 0x3FD5'5555'5555'5555;
  ExpectValue(Divt(kOne, kThree, kPlain, 0), kThird, kInexact);
  ExpectValue(Divt(kOne, kThree, kSu, 0), kThird, kInexact);
  ExpectTrap(Divt(kOne, kThree, kSui, 0), kInexact | kSoftwareCompletion, kInexact);
  ExpectValue(Divt(kOne, kThree, kSui, fpcr::kInexactDisable), kThird, kInexact);
  ExpectTrap(Cvtqt(0, (uint64_t{1} << 60) + 1, kSui, 0), kInexact | kSoftwareCompletion, kInexact);
}

TEST(IeeeTrapTest, IntegerOverflowKeepsLowBits) {
  constexpr uint64_t kTwoTo63 = 0x43E0'0000'0000'0000;
  constexpr uint64_t kTwoTo64Plus4096 = 0x43F0'0000'0000'0001;
  constexpr uint32_t kStatus = kIntegerOverflow | kInexact;
  ExpectValue(Cvttq(0, kTwoTo63, kPlain, 0), uint64_t{1} << 63, kStatus);
  ExpectValue(Cvttq(0, kTwoTo64Plus4096, kPlain, 0), 4096, kStatus);
  ExpectValue(Cvttq(0, kTwoTo63 | kSignBit, kSu, 0), uint64_t{1} << 63, 0);
  // Nothing in the FPCR disables the trap.
  ExpectTrap(Cvttq(0, kTwoTo63, kSu, kAllDisabled), kIntegerOverflow | kSoftwareCompletion,
             kStatus);
  const FpResult imprecise = Cvttq(0, kTwoTo64Plus4096, kU, 0);
  EXPECT_EQ(imprecise.trap, kIntegerOverflow);
  EXPECT_TRUE(imprecise.write);
  EXPECT_EQ(imprecise.value, 4096u);
}

TEST(IeeeTrapTest, ComparisonsAndNans) {
  ExpectValue(Cmptun(kQuiet, kOne, kSu, 0), kTwo, 0);
  ExpectValue(Cmpteq(kQuiet, kQuiet, kSu, 0), 0, 0);
  ExpectTrap(Cmpteq(kSignaling, kOne, kSu, 0), kInvalid | kSoftwareCompletion, kInvalid);
  ExpectTrap(Cmptlt(kQuiet, kOne, kSu, 0), kInvalid | kSoftwareCompletion, kInvalid);
  ExpectValue(Cmptle(kQuiet, kOne, kSu, fpcr::kInvalidDisable), 0, kInvalid);
  ExpectValue(Cmpteq(0, kSignBit, kSu, 0), kTwo, 0);
}

TEST(IeeeRoundingTest, DynamicModeComesFromTheFpcr) {
  const FpQualifiers q{Rounding::kDynamic, false, false, false};
  constexpr uint64_t kThird = 0x3FD5'5555'5555'5555;
  const auto divide = [&](uint64_t dyn, uint64_t a) {
    return Divt(a, kThree, q, dyn << fpcr::kDynamicRoundingShift).value;
  };
  EXPECT_EQ(divide(0, kOne), kThird);
  EXPECT_EQ(divide(1, kOne), kThird);
  EXPECT_EQ(divide(2, kOne), kThird);
  EXPECT_EQ(divide(3, kOne), kThird + 1);
  EXPECT_EQ(divide(1, kOne | kSignBit), (kThird + 1) | kSignBit);
  // x - x is -0 when rounding down, else +0.
  EXPECT_EQ(Subt(kOne, kOne, q, uint64_t{1} << 58).value, kSignBit);
  EXPECT_EQ(Subt(kOne, kOne, q, uint64_t{3} << 58).value, 0u);
}

}  // namespace
}  // namespace isochron::alpha
