#include "alpha/vax_float.h"

#include "alpha/float_arithmetic.h"
#include "alpha/float_format.h"

namespace isochron::alpha {

namespace {

// A VAX significand is in [1/2, 1) and the exponents are in excess 128 and 1024. Here it is in
// [1, 2), as in Unpacked, which makes the biases one more.
constexpr int kGBias = 1025;
constexpr int kDBias = 129;
constexpr int kDFractionBits = 55;
constexpr uint64_t kDExponentMask = uint64_t{0xFF} << kDFractionBits;

constexpr FloatFormat kF{.precision = 24, .min_exponent = 1 - 129, .max_exponent = 255 - 129};
constexpr FloatFormat kG{
    .precision = 53, .min_exponent = 1 - kGBias, .max_exponent = 2047 - kGBias};
constexpr FloatFormat kD{.precision = 56, .min_exponent = 1 - kDBias, .max_exponent = 255 - kDBias};

constexpr RoundMode ModeOf(FpQualifiers q) {
  return q.rounding == Rounding::kChopped ? RoundMode::kChopped : RoundMode::kNearestAway;
}

// Exponent 0 without being a true zero: a reserved operand or a dirty zero.
constexpr bool IsInvalid(uint64_t g) { return (g & kExponentMask) == 0 && g != 0; }

constexpr Unpacked Unpack(uint64_t g) {
  if (g == 0) return {false, 0, 0};
  return {g >= kSignBit, static_cast<int32_t>((g & kExponentMask) >> kFractionBits) - kGBias,
          kSignBit | g << 11};
}

constexpr uint64_t SignOf(bool negative) { return negative ? kSignBit : 0; }

constexpr uint32_t CompletionOf(FpQualifiers q) {
  return q.software ? fp_exception::kSoftwareCompletion : 0;
}

constexpr FpResult Deliver(uint64_t value) {
  return {.value = value, .write = true, .trap = 0, .fpcr_set = 0};
}

// A trap that no qualifier disables and that leaves no result.
constexpr FpResult Trap(uint32_t cause, FpQualifiers q) {
  return {.value = 0, .write = false, .trap = cause | CompletionOf(q), .fpcr_set = 0};
}

// An exception with a result, which traps under /U or /V.
constexpr FpResult DeliverOrTrap(uint64_t value, uint32_t cause, FpQualifiers q) {
  if (!q.underflow) return Deliver(value);
  return {.value = value, .write = !q.software, .trap = cause | CompletionOf(q), .fpcr_set = 0};
}

// Rounds an exact result to F, G or D, detects overflow and underflow, delivers.
template <FloatFormat kFormat>
FpResult RoundAndDeliver(const Unpacked& exact, FpQualifiers q) {
  if (exact.significand == 0) return Deliver(0);
  const Rounded rounded = Round(exact, kFormat.precision, ModeOf(q));
  if (rounded.exponent > kFormat.max_exponent) return Trap(fp_exception::kOverflow, q);
  if (rounded.exponent < kFormat.min_exponent) {
    return DeliverOrTrap(0, fp_exception::kUnderflow, q);
  }
  if constexpr (kFormat.precision == kD.precision) {
    return Deliver(SignOf(exact.negative) |
                   static_cast<uint64_t>(rounded.exponent + kDBias) << kDFractionBits |
                   (rounded.significand & ((uint64_t{1} << kDFractionBits) - 1)));
  } else {
    return Deliver(SignOf(exact.negative) |
                   static_cast<uint64_t>(rounded.exponent + kGBias) << kFractionBits |
                   ((rounded.significand << (53 - kFormat.precision)) & kFractionMask));
  }
}

template <FloatFormat kFormat>
FpResult AddOrSubtract(uint64_t a, uint64_t b, bool subtract, FpQualifiers q) {
  if (IsInvalid(a) || IsInvalid(b)) return Trap(fp_exception::kInvalid, q);
  Unpacked addend = Unpack(b);
  addend.negative ^= subtract;
  return RoundAndDeliver<kFormat>(Add(Unpack(a), addend), q);
}

template <FloatFormat kFormat>
FpResult MultiplyVax(uint64_t a, uint64_t b, FpQualifiers q) {
  if (IsInvalid(a) || IsInvalid(b)) return Trap(fp_exception::kInvalid, q);
  return RoundAndDeliver<kFormat>(Multiply(Unpack(a), Unpack(b)), q);
}

template <FloatFormat kFormat>
FpResult DivideVax(uint64_t a, uint64_t b, FpQualifiers q) {
  if (IsInvalid(a) || IsInvalid(b)) return Trap(fp_exception::kInvalid, q);
  if (b == 0) return Trap(fp_exception::kDivideByZero, q);
  return RoundAndDeliver<kFormat>(Divide(Unpack(a), Unpack(b)), q);
}

template <FloatFormat kFormat>
FpResult SquareRootVax(uint64_t b, FpQualifiers q) {
  // A set sign is a negative number or a reserved operand.
  if (IsInvalid(b) || b >= kSignBit) return Trap(fp_exception::kInvalid, q);
  return RoundAndDeliver<kFormat>(SquareRoot(Unpack(b)), q);
}

template <FloatFormat kFormat>
FpResult ConvertFromG(uint64_t b, FpQualifiers q) {
  if (IsInvalid(b)) return Trap(fp_exception::kInvalid, q);
  return RoundAndDeliver<kFormat>(Unpack(b), q);
}

// A valid G number as an integer of the same order.
constexpr int64_t OrderKey(uint64_t g) {
  const auto magnitude = static_cast<int64_t>(g & ~kSignBit);
  return g >= kSignBit ? -magnitude : magnitude;
}

constexpr FpResult Truth(bool holds) { return Deliver(holds ? kCompareTrue : 0); }

}  // namespace

FpResult Addf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return AddOrSubtract<kF>(fa, fb, false, q);
}

FpResult Addg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return AddOrSubtract<kG>(fa, fb, false, q);
}

FpResult Subf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return AddOrSubtract<kF>(fa, fb, true, q);
}

FpResult Subg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return AddOrSubtract<kG>(fa, fb, true, q);
}

FpResult Mulf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return MultiplyVax<kF>(fa, fb, q);
}

FpResult Mulg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return MultiplyVax<kG>(fa, fb, q);
}

FpResult Divf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return DivideVax<kF>(fa, fb, q);
}

FpResult Divg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  return DivideVax<kG>(fa, fb, q);
}

FpResult Sqrtf(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) { return SquareRootVax<kF>(fb, q); }

FpResult Sqrtg(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) { return SquareRootVax<kG>(fb, q); }

FpResult Cmpgeq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  if (IsInvalid(fa) || IsInvalid(fb)) return Trap(fp_exception::kInvalid, q);
  return Truth(fa == fb);
}

FpResult Cmpglt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  if (IsInvalid(fa) || IsInvalid(fb)) return Trap(fp_exception::kInvalid, q);
  return Truth(OrderKey(fa) < OrderKey(fb));
}

FpResult Cmpgle(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t) {
  if (IsInvalid(fa) || IsInvalid(fb)) return Trap(fp_exception::kInvalid, q);
  return Truth(OrderKey(fa) <= OrderKey(fb));
}

FpResult Cvtgf(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) { return ConvertFromG<kF>(fb, q); }

FpResult Cvtgd(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) { return ConvertFromG<kD>(fb, q); }

FpResult Cvtdg(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) {
  if (fb == 0) return Deliver(0);
  const uint64_t exponent = (fb & kDExponentMask) >> kDFractionBits;
  if (exponent == 0) return Trap(fp_exception::kInvalid, q);
  const Unpacked number{fb >= kSignBit, static_cast<int32_t>(exponent) - kDBias,
                        kSignBit | fb << 8};
  return RoundAndDeliver<kG>(number, q);
}

FpResult Cvtgq(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) {
  if (IsInvalid(fb)) return Trap(fp_exception::kInvalid, q);
  const RoundedInteger integer = RoundToInteger(Unpack(fb), ModeOf(q));
  if (!integer.overflow) return Deliver(integer.value);
  return DeliverOrTrap(integer.value, fp_exception::kIntegerOverflow, q);
}

FpResult Cvtqf(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) {
  return RoundAndDeliver<kF>(FromInteger(fb), q);
}

FpResult Cvtqg(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) {
  return RoundAndDeliver<kG>(FromInteger(fb), q);
}

}  // namespace isochron::alpha
