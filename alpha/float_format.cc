#include "alpha/float_format.h"

namespace isochron::alpha {

namespace {

FpResult Quiet(uint64_t value) { return {.value = value, .write = true, .trap = 0, .fpcr_set = 0}; }

}  // namespace

FpResult Cpys(uint64_t fa, uint64_t fb, FpQualifiers, uint64_t) {
  return Quiet((fa & kSignBit) | (fb & ~kSignBit));
}

FpResult Cpysn(uint64_t fa, uint64_t fb, FpQualifiers, uint64_t) {
  return Quiet((~fa & kSignBit) | (fb & ~kSignBit));
}

FpResult Cpyse(uint64_t fa, uint64_t fb, FpQualifiers, uint64_t) {
  return Quiet((fa & ~kFractionMask) | (fb & kFractionMask));
}

FpResult Cvtlq(uint64_t, uint64_t fb, FpQualifiers, uint64_t) { return Quiet(Ftois(fb)); }

FpResult Cvtql(uint64_t, uint64_t fb, FpQualifiers q, uint64_t) {
  const uint64_t value = (fb & 0xC000'0000) << 32 | (fb & 0x3FFF'FFFF) << 29;
  if (static_cast<int64_t>(fb) == static_cast<int32_t>(fb)) return Quiet(value);
  const uint64_t status =
      fp_exception::FpcrStatus(fp_exception::kIntegerOverflow | fp_exception::kInexact);
  if (!q.underflow) return {.value = value, .write = true, .trap = 0, .fpcr_set = status};
  const uint32_t completion = q.software ? fp_exception::kSoftwareCompletion : 0;
  return {.value = value,
          .write = !q.software,
          .trap = fp_exception::kIntegerOverflow | completion,
          .fpcr_set = status};
}

}  // namespace isochron::alpha
