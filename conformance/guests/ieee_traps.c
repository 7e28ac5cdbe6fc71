/* Arithmetic traps of S and T instructions: which qualifiers and FPCR bits trap for what, the
   exception summary, the register mask, the PC behind the instruction (the 21264A is precise), and
   results that are written. */
#include "floats.h"

#define SWC 0x01
#define INV 0x02
#define DZE 0x04
#define OVF 0x08
#define UNF 0x10
#define INE 0x20
#define IOV 0x40
#define F12_MASK (1UL << 44)

#define ONE 0x3ff0000000000000UL
#define THREE 0x4008000000000000UL
#define MINUS_ONE 0xbff0000000000000UL
#define LARGEST 0x7fefffffffffffffUL
#define LARGEST_S 0x47efffffe0000000UL
#define SMALLEST 0x0010000000000000UL
#define SMALLEST_S 0x3810000000000000UL
#define DENORMAL 0x0000000000000001UL
#define INFINITE 0x7ff0000000000000UL
#define QNAN 0x7ff8000000000000UL
#define SNAN 0x7ff4000000000000UL
#define TWO_TO_63 0x43e0000000000000UL
#define ONE_HALF 0x3fe0000000000000UL

#define ALL "$f10, $f11, $f12"
#define TWO "$f11, $f12"
DEFINE_STUB(addt, "addt " ALL);
DEFINE_STUB(addt_u, "addt/u " ALL);
DEFINE_STUB(addt_su, "addt/su " ALL);
DEFINE_STUB(addt_sui, "addt/sui " ALL);
DEFINE_STUB(adds, "adds " ALL);
DEFINE_STUB(adds_su, "adds/su " ALL);
DEFINE_STUB(subt, "subt " ALL);
DEFINE_STUB(mult, "mult " ALL);
DEFINE_STUB(mult_u, "mult/u " ALL);
DEFINE_STUB(mult_su, "mult/su " ALL);
DEFINE_STUB(mult_sui, "mult/sui " ALL);
DEFINE_STUB(muls, "muls " ALL);
DEFINE_STUB(muls_u, "muls/u " ALL);
DEFINE_STUB(muls_su, "muls/su " ALL);
DEFINE_STUB(divt, "divt " ALL);
DEFINE_STUB(divt_u, "divt/u " ALL);
DEFINE_STUB(divt_su, "divt/su " ALL);
DEFINE_STUB(divt_sui, "divt/sui " ALL);
DEFINE_STUB(divs, "divs " ALL);
DEFINE_STUB(divs_sui, "divs/sui " ALL);
DEFINE_STUB(sqrtt, "sqrtt " TWO);
DEFINE_STUB(sqrtt_su, "sqrtt/su " TWO);
DEFINE_STUB(sqrtt_sui, "sqrtt/sui " TWO);
DEFINE_STUB(cvtts, "cvtts " TWO);
DEFINE_STUB(cvtts_u, "cvtts/u " TWO);
DEFINE_STUB(cvtts_su, "cvtts/su " TWO);
DEFINE_STUB(cvtst, "cvtst " TWO);
DEFINE_STUB(cvtst_s, "cvtst/s " TWO);
DEFINE_STUB(cvttq, "cvttq " TWO);
DEFINE_STUB(cvttq_c, "cvttq/c " TWO);
DEFINE_STUB(cvttq_v, "cvttq/v " TWO);
DEFINE_STUB(cvttq_vc, "cvttq/vc " TWO);
DEFINE_STUB(cvttq_sv, "cvttq/sv " TWO);
DEFINE_STUB(cvttq_svi, "cvttq/svi " TWO);
DEFINE_STUB(cvtql, "cvtql " TWO);
DEFINE_STUB(cvtql_v, "cvtql/v " TWO);
DEFINE_STUB(cvtql_sv, "cvtql/sv " TWO);
DEFINE_STUB(cvtqt_sui, "cvtqt/sui " TWO);
DEFINE_STUB(cmpteq, "cmpteq " ALL);
DEFINE_STUB(cmpteq_su, "cmpteq/su " ALL);
DEFINE_STUB(cmptlt, "cmptlt " ALL);
DEFINE_STUB(cmptlt_su, "cmptlt/su " ALL);
DEFINE_STUB(cmptun_su, "cmptun/su " ALL);
DEFINE_STUB(cpys, "cpys " ALL);

#define NO_RESULT 0x0badUL

struct trap_case {
  float_stub stub;
  const char* name;
  u64 a, b, fpcr;
  u64 summary; /* 0: no trap */
  u64 result;  /* NO_RESULT: not compared */
};

#define CASE(stub, what, a, b, fpcr, summary, result) \
  { stub, #stub ": " what, a, b, FPCR_NORMAL | (fpcr), summary, result }

static const struct trap_case cases[] = {
    CASE(addt, "NaN", ONE, QNAN, 0, INV, NO_RESULT),
    CASE(addt, "NaN in Fa", SNAN, ONE, 0, INV, NO_RESULT),
    CASE(addt, "infinity", INFINITE, ONE, 0, INV, NO_RESULT),
    CASE(addt, "denormal operand", DENORMAL, ONE, 0, INV, NO_RESULT),
    CASE(addt, "denormal operand, DNZ only counts with /S", DENORMAL, ONE, FPCR_DNZ, INV,
         NO_RESULT),
    CASE(addt, "NaN, INVD only counts with /S", ONE, QNAN, FPCR_INVD, INV, NO_RESULT),
    CASE(addt, "overflow", LARGEST, LARGEST, 0, OVF, NO_RESULT),
    CASE(addt, "overflow, OVFD only counts with /S", LARGEST, LARGEST, FPCR_OVFD, OVF, NO_RESULT),
    CASE(addt, "inexact does not trap", ONE, SMALLEST, 0, 0, ONE),
    CASE(addt_u, "overflow", LARGEST, LARGEST, 0, OVF, NO_RESULT),
    CASE(addt_su, "quiet NaN", ONE, QNAN, 0, 0, QNAN),
    CASE(addt_su, "signaling NaN", ONE, SNAN, 0, INV | SWC, NO_RESULT),
    CASE(addt_su, "signaling NaN, INVD", ONE, SNAN, FPCR_INVD, 0, 0x7ffc000000000000UL),
    CASE(addt_su, "infinity", INFINITE, ONE, 0, 0, INFINITE),
    CASE(addt_su, "denormal operand", DENORMAL, ONE, 0, INV | SWC, NO_RESULT),
    CASE(addt_su, "denormal operand is not disabled by INVD", ONE, DENORMAL, FPCR_INVD, INV | SWC,
         NO_RESULT),
    CASE(addt_su, "denormal operand, DNZ", DENORMAL, ONE, FPCR_DNZ, 0, ONE),
    CASE(addt_su, "overflow", LARGEST, LARGEST, 0, OVF | SWC, NO_RESULT),
    CASE(addt_su, "overflow, OVFD", LARGEST, LARGEST, FPCR_OVFD, 0, INFINITE),
    CASE(addt_su, "inexact does not trap without /I", ONE, SMALLEST, 0, 0, ONE),
    CASE(addt_sui, "inexact", ONE, SMALLEST, 0, INE | SWC, NO_RESULT),
    CASE(addt_sui, "inexact, INED", ONE, SMALLEST, FPCR_INED, 0, ONE),
    CASE(addt_sui, "exact", ONE, ONE, 0, 0, 0x4000000000000000UL),
    CASE(adds, "overflow", LARGEST_S, LARGEST_S, 0, OVF, NO_RESULT),
    CASE(adds_su, "overflow", LARGEST_S, LARGEST_S, 0, OVF | SWC, NO_RESULT),
    CASE(subt, "infinity", ONE, INFINITE, 0, INV, NO_RESULT),
    CASE(mult, "underflow does not trap without /U", SMALLEST, ONE_HALF, 0, 0, 0),
    CASE(mult, "underflow of a negative is +0", SMALLEST | 1UL << 63, ONE_HALF, 0, 0, 0),
    CASE(mult_u, "underflow", SMALLEST, ONE_HALF, 0, UNF, 0),
    CASE(mult_u, "underflow, UNFD only counts with /S", SMALLEST, ONE_HALF, FPCR_UNFD | FPCR_UNDZ,
         UNF, 0),
    CASE(mult_su, "underflow", SMALLEST, ONE_HALF, 0, UNF | SWC, NO_RESULT),
    CASE(mult_su, "underflow, UNFD and UNDZ", SMALLEST, ONE_HALF, FPCR_UNFD | FPCR_UNDZ, 0, 0),
    CASE(mult_su, "underflow, UNDZ alone", SMALLEST, ONE_HALF, FPCR_UNDZ, UNF | SWC, NO_RESULT),
    CASE(mult_su, "zero times infinity", 0, INFINITE, 0, INV | SWC, NO_RESULT),
    CASE(mult_su, "zero times infinity, INVD", 0, INFINITE, FPCR_INVD, 0, 0xfff8000000000000UL),
    CASE(mult_sui, "overflow, OVFD, INED", LARGEST, THREE, FPCR_OVFD | FPCR_INED, 0, INFINITE),
    CASE(mult_sui, "overflow and inexact", LARGEST, THREE, 0, OVF | INE | SWC, NO_RESULT),
    CASE(muls, "overflow", LARGEST_S, THREE, 0, OVF, NO_RESULT),
    CASE(muls_u, "underflow", SMALLEST_S, ONE_HALF, 0, UNF, 0),
    CASE(muls_su, "underflow", SMALLEST_S, ONE_HALF, 0, UNF | SWC, NO_RESULT),
    CASE(divt, "division by zero", ONE, 0, 0, DZE, NO_RESULT),
    CASE(divt, "division by zero, DZED only counts with /S", ONE, 0, FPCR_DZED, DZE, NO_RESULT),
    CASE(divt, "zero by zero", 0, 0, 0, INV, NO_RESULT),
    CASE(divt_u, "division by minus zero", ONE, 1UL << 63, 0, DZE, NO_RESULT),
    CASE(divt_su, "division by zero", ONE, 0, 0, DZE | SWC, NO_RESULT),
    CASE(divt_su, "division by zero, DZED", MINUS_ONE, 0, FPCR_DZED, 0, INFINITE | 1UL << 63),
    CASE(divt_su, "zero by zero", 0, 0, FPCR_DZED, INV | SWC, NO_RESULT),
    CASE(divt_su, "zero by zero, INVD", 0, 0, FPCR_INVD, 0, 0xfff8000000000000UL),
    CASE(divt_sui, "inexact", ONE, THREE, 0, INE | SWC, NO_RESULT),
    CASE(divs, "division by zero", ONE, 0, 0, DZE, NO_RESULT),
    CASE(divs_sui, "inexact", ONE, THREE, 0, INE | SWC, NO_RESULT),
    CASE(sqrtt, "of minus one", 0, MINUS_ONE, 0, INV, NO_RESULT),
    CASE(sqrtt, "of minus zero", 0, 1UL << 63, 0, 0, 1UL << 63),
    CASE(sqrtt_su, "of minus one", 0, MINUS_ONE, 0, INV | SWC, NO_RESULT),
    CASE(sqrtt_su, "of minus one, INVD", 0, MINUS_ONE, FPCR_INVD, 0, 0xfff8000000000000UL),
    CASE(sqrtt_sui, "inexact", 0, THREE, 0, INE | SWC, NO_RESULT),
    CASE(cvtts, "overflow", 0, LARGEST, 0, OVF, NO_RESULT),
    CASE(cvtts_u, "underflow", 0, SMALLEST, 0, UNF, 0),
    CASE(cvtts_su, "underflow", 0, SMALLEST, 0, UNF | SWC, NO_RESULT),
    CASE(cvtst, "NaN", 0, QNAN, 0, INV, NO_RESULT),
    CASE(cvtst_s, "quiet NaN", 0, QNAN, 0, 0, QNAN),
    CASE(cvttq, "overflow does not trap without /V", 0, TWO_TO_63, 0, 0, 1UL << 63),
    CASE(cvttq_c, "NaN", 0, QNAN, 0, INV, NO_RESULT),
    CASE(cvttq_v, "overflow", 0, TWO_TO_63, 0, IOV, 1UL << 63),
    CASE(cvttq_vc, "overflow", 0, TWO_TO_63, 0, IOV, 1UL << 63),
    CASE(cvttq_vc, "the least quadword", 0, TWO_TO_63 | 1UL << 63, 0, 0, 1UL << 63),
    CASE(cvttq_sv, "overflow", 0, TWO_TO_63, 0, IOV | SWC, NO_RESULT),
    CASE(cvttq_sv, "NaN, INVD", 0, QNAN, FPCR_INVD, 0, 0),
    CASE(cvttq_svi, "inexact", 0, 0x3ff8000000000000UL, 0, INE | SWC, NO_RESULT),
    CASE(cvtql, "overflow does not trap without /V", 0, 0x123456789UL, 0, 0, 0x0468acf120000000UL),
    CASE(cvtql_v, "overflow", 0, 0x100000001UL, 0, IOV, 0x20000000UL),
    CASE(cvtql_sv, "overflow", 0, 0x100000001UL, 0, IOV | SWC, NO_RESULT),
    CASE(cvtqt_sui, "inexact", 0, 0x20000000000001UL, 0, INE | SWC, NO_RESULT),
    CASE(cmpteq, "quiet NaN", ONE, QNAN, 0, INV, NO_RESULT),
    CASE(cmpteq, "infinity is no exception", INFINITE, INFINITE, 0, 0, 0x4000000000000000UL),
    CASE(cmpteq_su, "quiet NaN", ONE, QNAN, 0, 0, 0),
    CASE(cmpteq_su, "signaling NaN", ONE, SNAN, 0, INV | SWC, NO_RESULT),
    CASE(cmptlt, "denormal operand", DENORMAL, ONE, 0, INV, NO_RESULT),
    CASE(cmptlt_su, "quiet NaN", ONE, QNAN, 0, INV | SWC, NO_RESULT),
    CASE(cmptlt_su, "quiet NaN, INVD", ONE, QNAN, FPCR_INVD, 0, 0),
    CASE(cmptlt_su, "denormal operand, DNZ", DENORMAL, 0, FPCR_DNZ, 0, 0),
    CASE(cmptun_su, "quiet NaN", ONE, QNAN, 0, 0, 0x4000000000000000UL),
    CASE(cpys, "signaling NaN and denormal", SNAN, DENORMAL, 0, 0, DENORMAL),
};

static void run_case(const struct trap_case* test) {
  const u64 operands[2] = {test->a, test->b};
  u64 result = 0;
  write_fpcr(test->fpcr);
  trap_expect();
  test->stub(operands, &result);
  group_begin(test->name);
  group_eq(trap_end(), test->summary != 0, "traps taken", test->a, test->b);
  if (test->summary != 0 && trap.count != 0) {
    group_eq(trap.kind, ENT_ARITH, "entry", test->a, test->b);
    group_eq(trap.a0, test->summary, "exception summary", test->a, test->b);
    group_eq(trap.a1, F12_MASK, "register mask", test->a, test->b);
    group_eq(trap.pc, STUB_PC(test->stub), "pc", test->a, test->b);
  }
  if (test->result != NO_RESULT) group_eq(result, test->result, "result", test->a, test->b);
  group_end();
}

void guest_main(void) {
  for (u64 i = 0; i < ARRAY_SIZE(cases); ++i) run_case(&cases[i]);
  write_fpcr(FPCR_NORMAL);
}
