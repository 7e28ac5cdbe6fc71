/* F and G floating arithmetic, conversions, loads and stores, and traps. */
#include "floats.h"

#define F12_MASK (1UL << 44)
#define RESERVED 0x8000000000000000UL
#define ONE 0x4010000000000000UL
#define LARGEST_G 0x7fffffffffffffffUL
#define LARGEST_F 0x47ffffffe0000000UL
#define SMALLEST_G 0x0010000000000000UL
#define HALF 0x4000000000000000UL

#define ALL "$f10, $f11, $f12"
#define TWO "$f11, $f12"
DEFINE_STUB(addg, "addg " ALL);
DEFINE_STUB(addf, "addf " ALL);
DEFINE_STUB(addg_s, "addg/s " ALL);
DEFINE_STUB(mulg, "mulg " ALL);
DEFINE_STUB(mulg_u, "mulg/u " ALL);
DEFINE_STUB(mulg_su, "mulg/su " ALL);
DEFINE_STUB(divg, "divg " ALL);
DEFINE_STUB(divf, "divf " ALL);
DEFINE_STUB(sqrtg, "sqrtg " TWO);
DEFINE_STUB(cvtgq_v, "cvtgq/v " TWO);
DEFINE_STUB(cvtgf, "cvtgf " TWO);
DEFINE_STUB(cvtdg, "cvtdg " TWO);
DEFINE_STUB(cvtgd, "cvtgd " TWO);
DEFINE_STUB(cmpgeq, "cmpgeq " ALL);

static const struct {
  float_stub stub;
  const char* name;
  u64 a, b, summary;
} traps[] = {
    {addg, "addg of a reserved operand", RESERVED, ONE, 0x02},
    {addf, "addf of a reserved operand", ONE, RESERVED, 0x02},
    {addg_s, "addg/s of a reserved operand", RESERVED, ONE, 0x03},
    {addg, "addg of a reserved operand with a fraction", RESERVED | 5, ONE, 0x02},
    {addg, "addg overflow", LARGEST_G, LARGEST_G, 0x08},
    {addf, "addf overflow", LARGEST_F, LARGEST_F, 0x08},
    {mulg_u, "mulg/u underflow", SMALLEST_G, SMALLEST_G, 0x10},
    {mulg_su, "mulg/su underflow", SMALLEST_G, SMALLEST_G, 0x11},
    {divg, "divg by zero", ONE, 0, 0x04},
    {divf, "divf by zero", ONE, 0, 0x04},
    {sqrtg, "sqrtg of a negative number", 0, ONE | RESERVED, 0x02},
    {cvtgq_v, "cvtgq/v overflow", 0, LARGEST_G, 0x40},
    {cvtgf, "cvtgf overflow", 0, LARGEST_G, 0x08},
    {cmpgeq, "cmpgeq of a reserved operand", ONE, RESERVED, 0x02},
};

static void test_traps(void) {
  for (u64 i = 0; i < ARRAY_SIZE(traps); ++i) {
    const u64 operands[2] = {traps[i].a, traps[i].b};
    u64 result = 0;
    trap_expect();
    traps[i].stub(operands, &result);
    group_begin(traps[i].name);
    group_eq(trap_end(), 1, "traps taken", operands[0], operands[1]);
    group_eq(trap.a0, traps[i].summary, "exception summary", operands[0], operands[1]);
    group_eq(trap.a1, F12_MASK, "register mask", operands[0], operands[1]);
    group_eq(trap.pc, STUB_PC(traps[i].stub), "pc", operands[0], operands[1]);
    group_end();
  }
  const u64 tiny[2] = {SMALLEST_G, SMALLEST_G};
  u64 result = 1;
  trap_expect();
  mulg(tiny, &result);
  ok_eq(trap_end(), 0, "mulg: underflow does not trap without /U");
  ok_eq(result, 0, "and gives true zero");
}

/* VAX memory order has the words of a number swapped. */
static void test_memory(void) {
  static const struct {
    u64 memory, reg;
  } g[] = {{0, 0}, {0x0000000000004010UL, ONE}, {0x0004000300028001UL, 0x8001000200030004UL}};
  static const struct {
    u32 memory;
    u64 reg;
  } f[] = {{0, 0},
           {0x00004080, ONE},
           {0xffff7fff, LARGEST_F},
           {0x5678c0b4, 0xc0168acf00000000UL},
           {0x00000080, 0x3810000000000000UL}};
  u64 out;
  group_begin("ldg and stg");
  for (u64 i = 0; i < ARRAY_SIZE(g); ++i) {
    u64 cell = g[i].memory;
    __asm__ volatile("ldg $f10, 0(%1)\n\tftoit $f10, %0" : "=r"(out) : "r"(&cell) : "memory");
    group_eq(out, g[i].reg, "ldg", cell, 0);
    __asm__ volatile("itoft %0, $f10\n\tstg $f10, 0(%1)" : : "r"(g[i].reg), "r"(&cell) : "memory");
    group_eq(cell, g[i].memory, "stg", g[i].reg, 0);
  }
  group_end();
  group_begin("ldf, stf and itoff");
  for (u64 i = 0; i < ARRAY_SIZE(f); ++i) {
    u32 cell = f[i].memory;
    __asm__ volatile("ldf $f10, 0(%1)\n\tftoit $f10, %0" : "=r"(out) : "r"(&cell) : "memory");
    group_eq(out, f[i].reg, "ldf", cell, 0);
    __asm__ volatile("itoft %0, $f10\n\tstf $f10, 0(%1)" : : "r"(f[i].reg), "r"(&cell) : "memory");
    group_eq(cell, f[i].memory, "stf", f[i].reg, 0);
    const u64 swapped = (u64)(cell >> 16 | cell << 16);
    __asm__ volatile("itoff %1, $f10\n\tftoit $f10, %0" : "=r"(out) : "r"(swapped & 0xffffffff));
    group_eq(out, f[i].reg, "itoff", swapped, 0);
  }
  group_end();
}

/* D has 8 exponent bits at bias 128 and 55 fraction bits: 1.0 is 0x4080 and 0.1f * 2**(e-128). */
static void test_d(void) {
  const u64 one_d[2] = {0, 0x4080000000000000UL};
  const u64 round_up[2] = {0, 0x4080000000000004UL};
  const u64 one_g[2] = {0, ONE};
  u64 result = 0;
  trap_expect();
  cvtdg(one_d, &result);
  ok_eq(result, ONE, "cvtdg of 1.0");
  cvtdg(round_up, &result);
  ok_eq(result, ONE + 1, "cvtdg rounds a half away from zero");
  cvtgd(one_g, &result);
  ok_eq(result, 0x4080000000000000UL, "cvtgd of 1.0");
  ok_eq(trap_end(), 0, "conversions of D do not trap");
}

void guest_main(void) {
  run_float_vectors();
  test_memory();
  test_traps();
  test_d();
}
