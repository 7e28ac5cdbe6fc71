// VAX floating point of the 21264A: F_floating and G_floating, and the conversions to and from
// D_floating (Handbook 4.7 and 4.10).
//
// The signature is that of ieee_float.h; `fpcr` is ignored. F operations take a register as the
// G_floating number that its 64 bits say and round the exact result once, to F_floating.
//
//  - Rounding is chopped (/C) or to nearest with halves away from zero.
//  - A reserved operand (sign 1, exponent 0) and a dirty zero (exponent 0, anything else not
//    zero) trap with INV, whatever the instruction does with it. So does the square root of a
//    negative number.
//  - A division by zero traps with DZE, also 0/0. An overflow traps with FOV.
//  - An underflow gives a true zero and traps with UNF under /U; an integer overflow of CVTGQ
//    gives the low 64 bits and traps with IOV under /V.
//  - /S adds SWC to the trap and changes nothing else.
//  - The FPCR status bits are never set; the architecture leaves that open.

#ifndef ISOCHRON_ALPHA_VAX_FLOAT_H_
#define ISOCHRON_ALPHA_VAX_FLOAT_H_

#include <cstdint>

#include "alpha/fpcr.h"

namespace isochron::alpha {

FpResult Addf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Addg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Subf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Subg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Mulf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Mulg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Divf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Divg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Sqrtf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Sqrtg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

// Comparisons write 0.5 for true and a true zero for false.
FpResult Cmpgeq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cmpglt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cmpgle(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

FpResult Cvtgf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtgd(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtdg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtgq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtqf(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtqg(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_VAX_FLOAT_H_
