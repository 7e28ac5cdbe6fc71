/* The FPCR: which bits exist, SUM, sticky status, dynamic rounding, and that it belongs to no
 * instruction alone. */
#include "floats.h"

#define ONE 0x3ff0000000000000UL
#define THREE 0x4008000000000000UL
#define ONE_THIRD 0x3fd5555555555555UL

DEFINE_STUB(addt_sui, "addt/sui $f10, $f11, $f12");
DEFINE_STUB(divt_sui, "divt/sui $f10, $f11, $f12");
DEFINE_STUB(divt_d, "divt/d $f10, $f11, $f12");
DEFINE_STUB(divt_n, "divt $f10, $f11, $f12");
DEFINE_STUB(divt_c, "divt/c $f10, $f11, $f12");
DEFINE_STUB(divt_m, "divt/m $f10, $f11, $f12");
DEFINE_STUB(cvttq_sv, "cvttq/sv $f11, $f12");
DEFINE_STUB(mult_su, "mult/su $f10, $f11, $f12");

static u64 run(float_stub stub, u64 a, u64 b) {
  const u64 operands[2] = {a, b};
  u64 result = 0;
  trap_expect();
  stub(operands, &result);
  trap_end();
  return result;
}

static void test_bits(void) {
  group_begin("each writable bit is kept");
  for (u64 bit = 48; bit < 63; ++bit) {
    const u64 value = 1UL << bit;
    const u64 status = (value & FPCR_STATUS) != 0 ? FPCR_SUM : 0;
    write_fpcr(value);
    group_eq(read_fpcr(), value | status, "bit", bit, 0);
  }
  group_end();
  write_fpcr(~0UL);
  ok_eq(read_fpcr(), 0xffff000000000000UL, "bits <47:0> read as zero");
  write_fpcr(FPCR_SUM);
  ok_eq(read_fpcr(), 0, "SUM cannot be written");
  write_fpcr(0);
  ok_eq(read_fpcr(), 0, "all bits clear");
}

static void test_status(void) {
  write_fpcr(FPCR_NO_TRAPS | FPCR_NORMAL);
  run(divt_sui, ONE, THREE);
  ok_eq(read_fpcr(), FPCR_NO_TRAPS | FPCR_NORMAL | FPCR_SUM | FPCR_INE,
        "an inexact result sets INE and SUM");
  run(divt_sui, ONE, 0);
  ok_eq(read_fpcr(), FPCR_NO_TRAPS | FPCR_NORMAL | FPCR_SUM | FPCR_INE | FPCR_DZE,
        "DZE is added, INE stays");
  run(divt_sui, 0, 0);
  ok_eq(read_fpcr() & FPCR_STATUS, FPCR_INE | FPCR_DZE | FPCR_INV, "INV is added");
  run(addt_sui, ONE, ONE);
  ok_eq(read_fpcr() & FPCR_STATUS, FPCR_INE | FPCR_DZE | FPCR_INV,
        "an exact result clears nothing");
  write_fpcr(FPCR_NO_TRAPS | FPCR_NORMAL);
  ok_eq(read_fpcr(), FPCR_NO_TRAPS | FPCR_NORMAL, "mt_fpcr clears the status and SUM");
  run(addt_sui, 0x7fefffffffffffffUL, 0x7fefffffffffffffUL);
  ok_eq(read_fpcr() & FPCR_STATUS, FPCR_OVF | FPCR_INE, "overflow sets OVF and INE");
  write_fpcr(FPCR_NORMAL);
  run(cvttq_sv, 0, 0x43f0000000000000UL);
  ok_eq(read_fpcr() & FPCR_IOV, FPCR_IOV, "integer overflow sets IOV");
  write_fpcr(FPCR_NORMAL);
  run(divt_n, ONE, 0);
  ok_eq(read_fpcr() & FPCR_STATUS, FPCR_DZE, "a trap without /S records its cause");
  write_fpcr(FPCR_NORMAL);
  run(divt_n, ONE, THREE);
  ok_eq(read_fpcr() & FPCR_STATUS, FPCR_INE, "inexact is recorded without /I");
  write_fpcr(FPCR_NO_TRAPS | FPCR_NORMAL | FPCR_DNZ);
  run(addt_sui, 1, ONE);
  ok_eq(read_fpcr() & FPCR_STATUS, 0, "a denormal taken as zero sets nothing");
  ok_eq(run(addt_sui, 1, ONE), ONE, "and counts as zero");
  write_fpcr(FPCR_NO_TRAPS | FPCR_NORMAL);
  run(mult_su, 0x0010000000000000UL, 0x3fe0000000000000UL);
  ok_eq(read_fpcr() & FPCR_UNF, FPCR_UNF, "underflow sets UNF");
}

static void test_rounding(void) {
  static const struct {
    u64 mode, positive, negative;
    const char* name;
  } modes[] = {{0, 0, 0, "chopped"},
               {1, 0, 1, "minus infinity"},
               {2, 0, 0, "normal"},
               {3, 1, 0, "plus infinity"}};
  for (u64 i = 0; i < ARRAY_SIZE(modes); ++i) {
    write_fpcr(FPCR_DYN(modes[i].mode));
    group_begin(modes[i].name);
    group_eq(run(divt_d, ONE, THREE), ONE_THIRD + modes[i].positive, "divt/d", 1, 3);
    group_eq(run(divt_d, ONE | 1UL << 63, THREE), (ONE_THIRD | 1UL << 63) + modes[i].negative,
             "divt/d", 1, 3);
    group_eq(run(divt_n, ONE, THREE), ONE_THIRD, "divt", 1, 3);
    group_eq(run(divt_c, ONE, THREE), ONE_THIRD, "divt/c", 1, 3);
    group_eq(run(divt_m, ONE | 1UL << 63, THREE), (ONE_THIRD | 1UL << 63) + 1, "divt/m", 1, 3);
    group_end();
  }
}

static void test_survives(void) {
  const u64 value = FPCR_DYN(3) | FPCR_INED | FPCR_DNZ;
  write_fpcr(value);
  trap_expect();
  pal_bpt();
  trap_end();
  ok_eq(read_fpcr(), value, "a trap and rti leave the FPCR alone");
  write_fpcr(FPCR_NORMAL);
}

void guest_main(void) {
  test_bits();
  test_status();
  test_rounding();
  test_survives();
}
