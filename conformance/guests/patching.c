/* One CPU writes code that another one runs: the next call is of the new code, without more than the
 * barriers of both. While it waits it counts up, in a block to which the other one stores, so that
 * some of its conditional stores fail. */
#include "code.h"
#include "cpus.h"

#define ROUNDS 300

static u32 function[2] __attribute__((aligned(64)));
static u64 asked[8] __attribute__((aligned(64))); /* and how often CPU 1 has counted */
static u64 written[8] __attribute__((aligned(64)));

/* Writes what it is asked for. */
static void writer(u64 cpu) {
  if (cpu != 1) return;
  for (u64 round = 1; round <= ROUNDS; ++round) {
    while (load(&asked[0]) != round) (void)fetch_add(&asked[1], 1);
    mb();
    *(volatile u32*)function = INSN_LDA_0(round);
    mb();
    store(&written[0], round);
  }
}

void guest_main(void) {
  function[0] = INSN_LDA_0(0);
  function[1] = INSN_RET;
  pal_imb();
  start_cpus(writer);
  group_begin("a function that another CPU rewrites before each call");
  for (u64 round = 1; round <= ROUNDS; ++round) {
    store(&asked[0], round);
    while (load(&written[0]) != round) {
    }
    mb();
    pal_imb();
    group_eq(call_code((u64)function), round, "call", round, 0);
  }
  group_end();
}
