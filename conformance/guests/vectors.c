#include "vectors.h"

/* EXC_SUM<IOV>; Alpha Architecture Reference Manual, II-B, arithmetic traps. */
#define EXC_SUM_IOV 0x40

extern const u64 vector_operands[][2];
extern const u64 vector_pairs, vector_old_rc, vector_count;
extern const struct vector_test vector_tests[];

static void check_trap(const struct vector_test* test, u64 pair) {
  const u64 a = vector_operands[pair][0];
  const u64 b = vector_operands[pair][1];
  group_eq(trap.count, test->traps[pair], "traps taken", a, b);
  if (trap.count == 0) return;
  group_eq(trap.kind, ENT_ARITH, "entry", a, b);
  group_eq(trap.a0, EXC_SUM_IOV, "exception summary", a, b);
  group_eq(trap.a1, 1, "register mask", a, b);
  group_eq(trap.pc, (u64)test->stub + 8, "pc", a, b);
}

static void run_test(const struct vector_test* test) {
  group_begin(test->name);
  for (u64 pair = 0; pair < vector_pairs; ++pair) {
    const u64 a = vector_operands[pair][0];
    const u64 b = vector_operands[pair][1];
    trap_expect();
    const u64 got = test->stub(a, b, vector_old_rc);
    trap_end();
    if (test->traps != 0) {
      check_trap(test, pair);
    } else {
      group_eq(trap.count, 0, "traps taken", a, b);
    }
    group_eq(got, test->expected[pair], test->name, a, b);
  }
  group_end();
}

void run_vectors(void) {
  for (u64 i = 0; i < vector_count; ++i) run_test(&vector_tests[i]);
}
