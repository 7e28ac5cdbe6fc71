// IEEE floating point of the 21264A: S_floating and T_floating (Handbook 4.7 and 4.10, HRM A.8).
//
// One signature for all, so that any of them can be the handler of an instruction. `fa` and
// `fb` are registers; an instruction with one operand ignores `fa`. `fpcr` supplies the dynamic
// rounding mode and, for instructions with /S only, the trap disable bits and DNZ.
//
// What the hardware completes, and what traps:
//  - Operands. Without /S a NaN or an infinity traps with INV (CMPTxx takes infinities), and so
//    does a denormal. With /S, NaNs and infinities follow the standard; a denormal counts as a
//    zero of its sign if FPCR DNZ is set, otherwise it traps with INV and SWC, which nothing
//    disables. A trap for a denormal leaves the FPCR alone: the operand is legal.
//  - Traps of results. INV, DZE and OVF always, UNF under /U, IOV under /V, INE under /I. With
//    /S the FPCR suppresses them: INVD, DZED, OVFD, INED, and for UNF both of UNFD and UNDZ,
//    because the chip cannot deliver a denormal. Nothing suppresses IOV.
//  - The FPCR status bits record what happened, whether or not it traps. Overflow, underflow
//    and integer overflow are inexact results as well.
//  - Results. An underflow (a rounded result below the smallest normal number) gives +0. Of two
//    NaNs Fb's is kept, made quiet; an invalid operation without a NaN gives 0xFFF8000000000000.
//    CVTTQ keeps the low 64 bits of an integer too large.
//  - S operations take a register as the T_floating number that its 64 bits say and round the
//    exact result once, to S_floating. On canonical S values that is S arithmetic; on others
//    the architecture defines nothing, and this does.

#ifndef ISOCHRON_ALPHA_IEEE_FLOAT_H_
#define ISOCHRON_ALPHA_IEEE_FLOAT_H_

#include <cstdint>

#include "alpha/fpcr.h"

namespace isochron::alpha {

FpResult Adds(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Addt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Subs(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Subt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Muls(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Mult(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Divs(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Divt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Sqrts(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Sqrtt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

// Comparisons write 2.0 for true and +0 for false. A signaling NaN is an invalid operation in
// all of them, a quiet NaN in CMPTLT and CMPTLE.
FpResult Cmptun(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cmpteq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cmptlt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cmptle(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

FpResult Cvtts(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtst(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvttq(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtqs(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);
FpResult Cvtqt(uint64_t fa, uint64_t fb, FpQualifiers q, uint64_t fpcr);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_IEEE_FLOAT_H_
