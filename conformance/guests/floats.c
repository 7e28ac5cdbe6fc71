#include "floats.h"

struct float_test {
  const char* name;
  float_stub stub;
  const u64 (*rows)[4]; /* Fa, Fb, result, FPCR<57:52> */
  u64 count;
  u64 dynamic;
  u64 options; /* 1: compare FPCR<57:52>; 2: /S, the FPCR's disables apply */
};
extern const u64 float_count;
extern const struct float_test float_tests[];

/* Traps that the FPCR should have kept away: one test of its own, so that results are compared
 * anyway. */
static u64 disabled_traps;

static void run_test(const struct float_test* test) {
  group_begin(test->name);
  for (u64 i = 0; i < test->count; ++i) {
    const u64* row = test->rows[i];
    u64 result = 0;
    write_fpcr(FPCR_NO_TRAPS | FPCR_DYN(test->dynamic));
    trap_expect();
    test->stub(row, &result);
    const u64 traps = trap_end();
    if (test->options & 2) {
      disabled_traps += traps;
    } else {
      group_eq(traps, 0, "traps taken", row[0], row[1]);
    }
    group_eq(result, row[2], "result", row[0], row[1]);
    if (test->options & 1) {
      group_eq((read_fpcr() & FPCR_STATUS) >> 52, row[3], "status", row[0], row[1]);
    }
  }
  group_end();
}

void run_float_vectors(void) {
  for (u64 i = 0; i < float_count; ++i) run_test(&float_tests[i]);
  write_fpcr(FPCR_NORMAL);
  ok_eq(disabled_traps, 0, "no arithmetic trap that the FPCR disables");
}
