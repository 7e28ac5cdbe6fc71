#include "alpha/ieee_float.h"

#include <optional>

#include "alpha/float_arithmetic.h"
#include "alpha/float_format.h"

namespace isochron::alpha {

namespace {

constexpr FloatFormat kS{.precision = 24, .min_exponent = -126, .max_exponent = 127};
constexpr FloatFormat kT{.precision = 53, .min_exponent = -1022, .max_exponent = 1023};

constexpr int kBias = 1023;
constexpr uint64_t kQuietBit = uint64_t{1} << 51;
constexpr uint64_t kInfinity = kExponentMask;
constexpr uint64_t kCanonicalQuietNan = 0xFFF8'0000'0000'0000;

constexpr uint64_t Magnitude(uint64_t t) { return t & ~kSignBit; }
constexpr bool IsNegative(uint64_t t) { return t >= kSignBit; }
constexpr bool IsZero(uint64_t t) { return Magnitude(t) == 0; }
constexpr bool IsDenormal(uint64_t t) { return Magnitude(t) - 1 < kFractionMask; }
constexpr bool IsInfinity(uint64_t t) { return Magnitude(t) == kInfinity; }
constexpr bool IsNan(uint64_t t) { return Magnitude(t) > kInfinity; }
constexpr bool IsSignaling(uint64_t t) { return IsNan(t) && (t & kQuietBit) == 0; }

// Finite, and neither zero nor denormal: no rule but arithmetic applies.
constexpr bool IsNormal(uint64_t t) {
  return Magnitude(t) - (kFractionMask + 1) < kInfinity - (kFractionMask + 1);
}

constexpr Unpacked Unpack(uint64_t t) {
  if (IsZero(t)) return {IsNegative(t), 0, 0};
  return {IsNegative(t), static_cast<int32_t>((t & kExponentMask) >> kFractionBits) - kBias,
          kSignBit | t << 11};
}

constexpr uint64_t SignOf(bool negative) { return negative ? kSignBit : 0; }

constexpr RoundMode ModeOf(FpQualifiers q, uint64_t fpcr) {
  if (q.rounding != Rounding::kDynamic) return static_cast<RoundMode>(q.rounding);
  return static_cast<RoundMode>((fpcr >> fpcr::kDynamicRoundingShift) & 3);
}

// The causes that trap in an instruction with these qualifiers.
constexpr uint32_t EnabledTraps(FpQualifiers q, uint64_t fpcr) {
  uint32_t enabled = fp_exception::kInvalid | fp_exception::kDivideByZero | fp_exception::kOverflow;
  if (q.underflow) enabled |= fp_exception::kUnderflow | fp_exception::kIntegerOverflow;
  if (q.inexact) enabled |= fp_exception::kInexact;
  if (!q.software) return enabled;
  constexpr uint64_t kNoUnderflow = fpcr::kUnderflowDisable | fpcr::kUnderflowToZero;
  if ((fpcr & fpcr::kInvalidDisable) != 0) enabled &= ~fp_exception::kInvalid;
  if ((fpcr & fpcr::kDivideByZeroDisable) != 0) enabled &= ~fp_exception::kDivideByZero;
  if ((fpcr & fpcr::kOverflowDisable) != 0) enabled &= ~fp_exception::kOverflow;
  if ((fpcr & kNoUnderflow) == kNoUnderflow) enabled &= ~fp_exception::kUnderflow;
  if ((fpcr & fpcr::kInexactDisable) != 0) enabled &= ~fp_exception::kInexact;
  return enabled;
}

// A trap before there is a result. `status` is recorded in the FPCR.
constexpr FpResult OperandTrap(FpQualifiers q, uint64_t status) {
  const uint32_t completion = q.software ? fp_exception::kSoftwareCompletion : 0;
  return {
      .value = 0, .write = false, .trap = fp_exception::kInvalid | completion, .fpcr_set = status};
}

// The end of every operation: `value` with the exceptions that were met.
constexpr FpResult Deliver(uint64_t value, uint32_t exceptions, FpQualifiers q, uint64_t fpcr) {
  const uint64_t status = fp_exception::FpcrStatus(exceptions);
  uint32_t trap = 0;
  if ((exceptions & ~fp_exception::kInexact) != 0 || q.inexact) {
    trap = exceptions & EnabledTraps(q, fpcr);
  }
  if (trap == 0) return {.value = value, .write = true, .trap = 0, .fpcr_set = status};
  if (q.software) {
    return {.value = value,
            .write = false,
            .trap = trap | fp_exception::kSoftwareCompletion,
            .fpcr_set = status};
  }
  constexpr uint32_t kResultDefined =
      fp_exception::kUnderflow | fp_exception::kIntegerOverflow | fp_exception::kInexact;
  return {.value = value, .write = (trap & ~kResultDefined) == 0, .trap = trap, .fpcr_set = status};
}

// The value of an overflow: infinity, or the largest finite number where rounding goes inward.
template <FloatFormat kFormat>
constexpr uint64_t OverflowValue(bool negative, RoundMode mode) {
  const bool inward = mode == RoundMode::kChopped ||
                      (mode == RoundMode::kMinusInfinity && !negative) ||
                      (mode == RoundMode::kPlusInfinity && negative);
  constexpr uint64_t kLargest = static_cast<uint64_t>(kFormat.max_exponent + kBias)
                                    << kFractionBits |
                                (kFractionMask & ~(kFractionMask >> (kFormat.precision - 1)));
  return SignOf(negative) | (inward ? kLargest : kInfinity);
}

// Rounds an exact result to a format, detects overflow, underflow and inexactness, delivers.
template <FloatFormat kFormat>
FpResult RoundAndDeliver(const Unpacked& exact, FpQualifiers q, uint64_t fpcr) {
  if (exact.significand == 0) return Deliver(SignOf(exact.negative), 0, q, fpcr);
  const RoundMode mode = ModeOf(q, fpcr);
  const Rounded rounded = Round(exact, kFormat.precision, mode);
  if (rounded.exponent > kFormat.max_exponent) [[unlikely]] {
    return Deliver(OverflowValue<kFormat>(exact.negative, mode),
                   fp_exception::kOverflow | fp_exception::kInexact, q, fpcr);
  }
  if (rounded.exponent < kFormat.min_exponent) [[unlikely]] {
    return Deliver(0, fp_exception::kUnderflow | fp_exception::kInexact, q, fpcr);
  }
  const uint64_t value = SignOf(exact.negative) |
                         static_cast<uint64_t>(rounded.exponent + kBias) << kFractionBits |
                         ((rounded.significand << (53 - kFormat.precision)) & kFractionMask);
  return Deliver(value, rounded.inexact ? fp_exception::kInexact : 0, q, fpcr);
}

// The trap that an operand causes, if any; otherwise a denormal has become a zero. kCompare
// lets infinities pass without /S.
enum class OperandRule { kArithmetic, kCompare };

template <OperandRule kRule = OperandRule::kArithmetic>
std::optional<FpResult> CheckOperands(uint64_t& a, uint64_t& b, FpQualifiers q, uint64_t fpcr) {
  if (!q.software) {
    const auto traps = [](uint64_t t) {
      return IsNan(t) || (kRule == OperandRule::kArithmetic && IsInfinity(t));
    };
    if (traps(a) || traps(b)) {
      return OperandTrap(q, fp_exception::FpcrStatus(fp_exception::kInvalid));
    }
    if (IsDenormal(a) || IsDenormal(b)) return OperandTrap(q, 0);
  } else if (IsDenormal(a) || IsDenormal(b)) {
    if ((fpcr & fpcr::kDenormalToZero) == 0) return OperandTrap(q, 0);
    if (IsDenormal(a)) a &= kSignBit;
    if (IsDenormal(b)) b &= kSignBit;
  }
  return std::nullopt;
}

std::optional<FpResult> CheckOperand(uint64_t& b, FpQualifiers q, uint64_t fpcr) {
  uint64_t none = 0;
  return CheckOperands(none, b, q, fpcr);
}

// The result of an operation with a NaN among its operands (Handbook 4.7.10.4).
template <FloatFormat kFormat>
FpResult DeliverNan(uint64_t a, uint64_t b, FpQualifiers q, uint64_t fpcr) {
  constexpr uint64_t kKept = ~(kFractionMask >> (kFormat.precision - 1));
  const uint64_t nan = ((IsNan(b) ? b : a) | kQuietBit) & kKept;
  return Deliver(nan, IsSignaling(a) || IsSignaling(b) ? fp_exception::kInvalid : 0, q, fpcr);
}

FpResult DeliverInvalid(FpQualifiers q, uint64_t fpcr) {
  return Deliver(kCanonicalQuietNan, fp_exception::kInvalid, q, fpcr);
}

// ADDx and SUBx, where `subtract` is the sign bit that SUBx flips in Fb.
template <FloatFormat kFormat>
FpResult AddOrSubtract(uint64_t a, uint64_t b, uint64_t subtract, FpQualifiers q, uint64_t fpcr) {
  if (!IsNormal(a) || !IsNormal(b)) [[unlikely]] {
    if (const auto trap = CheckOperands(a, b, q, fpcr)) return *trap;
    if (IsNan(a) || IsNan(b)) return DeliverNan<kFormat>(a, b, q, fpcr);
    const uint64_t addend = b ^ subtract;
    if (IsInfinity(a) && IsInfinity(b) && a != addend) return DeliverInvalid(q, fpcr);
    if (IsInfinity(a)) return Deliver(a, 0, q, fpcr);
    if (IsInfinity(b)) return Deliver(addend, 0, q, fpcr);
    if (IsZero(a) && a == addend) return Deliver(a, 0, q, fpcr);
  }
  Unpacked sum = Add(Unpack(a), Unpack(b ^ subtract));
  if (sum.significand == 0) sum.negative = ModeOf(q, fpcr) == RoundMode::kMinusInfinity;
  return RoundAndDeliver<kFormat>(sum, q, fpcr);
}

template <FloatFormat kFormat>
FpResult MultiplyIeee(uint64_t a, uint64_t b, FpQualifiers q, uint64_t fpcr) {
  if (!IsNormal(a) || !IsNormal(b)) [[unlikely]] {
    if (const auto trap = CheckOperands(a, b, q, fpcr)) return *trap;
    if (IsNan(a) || IsNan(b)) return DeliverNan<kFormat>(a, b, q, fpcr);
    if (IsInfinity(a) || IsInfinity(b)) {
      if (IsZero(a) || IsZero(b)) return DeliverInvalid(q, fpcr);
      return Deliver(kInfinity | ((a ^ b) & kSignBit), 0, q, fpcr);
    }
  }
  return RoundAndDeliver<kFormat>(Multiply(Unpack(a), Unpack(b)), q, fpcr);
}

template <FloatFormat kFormat>
FpResult DivideIeee(uint64_t a, uint64_t b, FpQualifiers q, uint64_t fpcr) {
  if (!IsNormal(a) || !IsNormal(b)) [[unlikely]] {
    if (const auto trap = CheckOperands(a, b, q, fpcr)) return *trap;
    if (IsNan(a) || IsNan(b)) return DeliverNan<kFormat>(a, b, q, fpcr);
    if ((IsInfinity(a) && IsInfinity(b)) || (IsZero(a) && IsZero(b))) {
      return DeliverInvalid(q, fpcr);
    }
    const uint64_t sign = (a ^ b) & kSignBit;
    if (IsInfinity(a)) return Deliver(kInfinity | sign, 0, q, fpcr);
    if (IsInfinity(b)) return Deliver(sign, 0, q, fpcr);
    if (IsZero(b)) return Deliver(kInfinity | sign, fp_exception::kDivideByZero, q, fpcr);
  }
  return RoundAndDeliver<kFormat>(Divide(Unpack(a), Unpack(b)), q, fpcr);
}

template <FloatFormat kFormat>
FpResult SquareRootIeee(uint64_t b, FpQualifiers q, uint64_t fpcr) {
  if (const auto trap = CheckOperand(b, q, fpcr)) return *trap;
  if (IsNan(b)) return DeliverNan<kFormat>(0, b, q, fpcr);
  if (IsNegative(b) && !IsZero(b)) return DeliverInvalid(q, fpcr);
  if (IsInfinity(b)) return Deliver(b, 0, q, fpcr);
  return RoundAndDeliver<kFormat>(SquareRoot(Unpack(b)), q, fpcr);
}

template <FloatFormat kFormat>
FpResult ConvertIeee(uint64_t b, FpQualifiers q, uint64_t fpcr) {
  if (!IsNormal(b)) [[unlikely]] {
    if (const auto trap = CheckOperand(b, q, fpcr)) return *trap;
    if (IsNan(b)) return DeliverNan<kFormat>(0, b, q, fpcr);
    if (IsInfinity(b)) return Deliver(b, 0, q, fpcr);
  }
  return RoundAndDeliver<kFormat>(Unpack(b), q, fpcr);
}

// -1, 0 or 1 for a < b, a == b, a > b; neither is a NaN.
int Order(uint64_t a, uint64_t b) {
  const auto key = [](uint64_t t) {
    const auto magnitude = static_cast<int64_t>(Magnitude(t));
    return IsNegative(t) ? -magnitude : magnitude;
  };
  return (key(a) > key(b)) - (key(a) < key(b));
}

enum class Relation { kUnordered, kEqual, kLess, kLessOrEqual };

template <Relation kRelation>
FpResult Compare(uint64_t a, uint64_t b, FpQualifiers q, uint64_t fpcr) {
  if (!IsNormal(a) || !IsNormal(b)) [[unlikely]] {
    if (const auto trap = CheckOperands<OperandRule::kCompare>(a, b, q, fpcr)) return *trap;
    if (IsNan(a) || IsNan(b)) {
      constexpr bool kSignals = kRelation == Relation::kLess || kRelation == Relation::kLessOrEqual;
      const bool invalid = kSignals || IsSignaling(a) || IsSignaling(b);
      return Deliver(kRelation == Relation::kUnordered ? kCompareTrue : 0,
                     invalid ? fp_exception::kInvalid : 0, q, fpcr);
    }
  }
  bool holds = false;
  switch (kRelation) {
    case Relation::kUnordered: break;
    case Relation::kEqual: holds = Order(a, b) == 0; break;
    case Relation::kLess: holds = Order(a, b) < 0; break;
    case Relation::kLessOrEqual: holds = Order(a, b) <= 0; break;
  }
  return Deliver(holds ? kCompareTrue : 0, 0, q, fpcr);
}

}  // namespace

FpResult Adds(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return AddOrSubtract<kS>(fa, fb, 0, q, fpcr);
}

FpResult Addt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return AddOrSubtract<kT>(fa, fb, 0, q, fpcr);
}

FpResult Subs(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return AddOrSubtract<kS>(fa, fb, kSignBit, q, fpcr);
}

FpResult Subt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return AddOrSubtract<kT>(fa, fb, kSignBit, q, fpcr);
}

FpResult Muls(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return MultiplyIeee<kS>(fa, fb, q, fpcr);
}

FpResult Mult(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return MultiplyIeee<kT>(fa, fb, q, fpcr);
}

FpResult Divs(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return DivideIeee<kS>(fa, fb, q, fpcr);
}

FpResult Divt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return DivideIeee<kT>(fa, fb, q, fpcr);
}

FpResult Sqrts(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return SquareRootIeee<kS>(fb, q, fpcr);
}

FpResult Sqrtt(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return SquareRootIeee<kT>(fb, q, fpcr);
}

FpResult Cmptun(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return Compare<Relation::kUnordered>(fa, fb, q, fpcr);
}

FpResult Cmpteq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return Compare<Relation::kEqual>(fa, fb, q, fpcr);
}

FpResult Cmptlt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return Compare<Relation::kLess>(fa, fb, q, fpcr);
}

FpResult Cmptle(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return Compare<Relation::kLessOrEqual>(fa, fb, q, fpcr);
}

FpResult Cvtts(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return ConvertIeee<kS>(fb, q, fpcr);
}

FpResult Cvtst(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return ConvertIeee<kT>(fb, q, fpcr);
}

FpResult Cvttq(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  if (const auto trap = CheckOperand(fb, q, fpcr)) return *trap;
  if (IsNan(fb) || IsInfinity(fb)) return Deliver(0, fp_exception::kInvalid, q, fpcr);
  const RoundedInteger integer = RoundToInteger(Unpack(fb), ModeOf(q, fpcr));
  uint32_t exceptions = integer.inexact ? fp_exception::kInexact : 0;
  if (integer.overflow) exceptions = fp_exception::kIntegerOverflow | fp_exception::kInexact;
  return Deliver(integer.value, exceptions, q, fpcr);
}

FpResult Cvtqs(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return RoundAndDeliver<kS>(FromInteger(fb), q, fpcr);
}

FpResult Cvtqt(uint64_t, uint64_t fb, FpQualifiers q, uint64_t fpcr) {
  return RoundAndDeliver<kT>(FromInteger(fb), q, fpcr);
}

}  // namespace isochron::alpha
