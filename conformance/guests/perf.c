/* The EV67's performance counters through wrperfmon: retired instructions and cycles, to the last
   one, and the interrupt of an overflow at the exact instruction. QEMU's PALcode has no counters. */
#include "runtime.h"

enum { DISABLE = 0, ENABLE = 1, EVENTS = 2, OPTIONS = 3, READ = 5, WRITE = 6, ENABLE_WRITE = 7 };
#define COUNTER_0 1UL
#define COUNTER_1 2UL
#define BOTH 3UL
#define PERIOD (1UL << 20)
#define INSTRUCTIONS_AND_CYCLES 0UL
#define CYCLES_ONLY (1UL << 2)
#define SELECTED_PROCESSES 1UL
#define VECTOR_PERF 0x650UL

static u64 perfmon(u64 function, u64 argument) {
  register u64 a0 __asm__("$16") = function;
  register u64 a1 __asm__("$17") = argument;
  register u64 v0 __asm__("$0");
  __asm__ volatile("call_pal 0x39" : "=r"(v0), "+r"(a0), "+r"(a1) : : PAL_CLOBBERS);
  return v0;
}
static u64 in_0(u64 value) { return (value & (PERIOD - 1)) << 28; }
static u64 in_1(u64 value) { return (value & (PERIOD - 1)) << 6; }
static u64 counter_0(void) { return perfmon(READ, 0) >> 28 & (PERIOD - 1); }
static u64 counter_1(void) { return perfmon(READ, 0) >> 6 & (PERIOD - 1); }

/* Counts what is between: the same PALcode runs around each. */
#define COUNT(body)                                                                       \
  ({                                                                                      \
    perfmon(WRITE, BOTH);                                                                 \
    register u64 a0 __asm__("$16") = ENABLE;                                              \
    register u64 a1 __asm__("$17") = BOTH;                                                \
    register u64 v0 __asm__("$0");                                                        \
    __asm__ volatile("call_pal 0x39\n" body "\n\tlda $16, 0\n\tlda $17, 3\n\tcall_pal 0x39" \
                     : "=r"(v0), "+r"(a0), "+r"(a1)                                       \
                     :                                                                    \
                     : "$2", "$3", PAL_CLOBBERS);                                         \
    v0;                                                                                   \
  })

static void test_counts(void) {
  ok_eq(perfmon(DISABLE, BOTH), 1, "disable succeeds");
  ok_eq(perfmon(OPTIONS, 0), 1, "options succeed");
  ok_eq(perfmon(EVENTS, INSTRUCTIONS_AND_CYCLES), 1, "events succeed");
  ok_eq(perfmon(WRITE, in_0(0x12345) | in_1(0xfedcb) | BOTH), 1, "write succeeds");
  ok_eq(counter_0(), 0x12345, "counter 0 keeps its value");
  ok_eq(counter_1(), 0xfedcb, "counter 1 keeps its value");
  perfmon(WRITE, in_0(0x800ff) | in_1(7) | COUNTER_0);
  ok_eq(counter_0(), 0x800ff, "counter 0 is written alone");
  ok_eq(counter_1(), 0xfedcb, "and counter 1 is not");
  ok_eq(perfmon(READ, 0) >> 48, 0xffff, "the sign of counter 0 is extended");
  ok_eq(perfmon(4, 0), 0, "there are no interrupt frequencies");
  ok_eq(perfmon(10, 0), 0, "function 10 does not exist");

  COUNT("");
  const u64 instructions = counter_0(), cycles = counter_1();
  COUNT("");
  ok_eq(counter_0(), instructions, "nothing takes the same instructions again");
  ok_eq(counter_1(), cycles, "and the same cycles");
  COUNT(".rept 1000\n\taddq $2, 1, $2\n\t.endr");
  ok_eq(counter_0() - instructions, 1000, "a thousand additions are a thousand instructions");
  ok_eq(counter_1() - cycles, 1000, "of a cycle each");
  COUNT(".rept 10\n\tmulq $2, $3, $2\n\t.endr");
  ok_eq(counter_0() - instructions, 10, "ten multiplications are ten instructions");
  ok_eq(counter_1() - cycles, 70, "of seven cycles each");
  COUNT("lda $2, 30000\n1:\tsubq $2, 1, $2\n\tbne $2, 1b");
  ok_eq(counter_0() - instructions, 60001, "a loop of 30000 turns");
  ok_eq(counter_1() - cycles, 60001, "and its cycles");
  COUNT("lda $2, 300\n1:\tcall_pal 0x86\n\tsubq $2, 1, $2\n\tbne $2, 1b");
  const u64 imbs = counter_0() - instructions;
  ok(imbs > 900 && imbs % 300 == 1, "what PALcode executes is counted, too");

  perfmon(EVENTS, CYCLES_ONLY);
  COUNT(".rept 10\n\tmulq $2, $3, $2\n\t.endr");
  ok_eq(counter_0() - cycles, 70, "counter 0 can count cycles");
  ok_eq(counter_1(), 0, "and counter 1 then nothing");
  perfmon(EVENTS, INSTRUCTIONS_AND_CYCLES);
  perfmon(OPTIONS, SELECTED_PROCESSES);
  COUNT(".rept 10\n\tmulq $2, $3, $2\n\t.endr");
  ok_eq(counter_0() | counter_1(), 0, "a process that is not selected is not counted");
  perfmon(OPTIONS, 0);
}

/* A call of wrperfmon writes part of a register that both counters are in: nothing of the counter that it
   leaves alone may be lost. RPCC is what cycles are held against. An instruction of this PALcode is a cycle
   but for HW_MFPR, HW_MTPR, CALL_PAL and HW_RET, so rdps, which has the last two, tells how many more cycles than
   instructions a call takes. */
struct counts {
  u64 first, second, rpcc;
};
#define CALLS 200
static __attribute__((noinline)) struct counts count_calls(int is_rdps, u64 function, u64 argument) {
  struct counts counts;
  u64 start = 0, end = 0, before = 0, after = 0;
  register u64 a0 __asm__("$16");
  register u64 a1 __asm__("$17");
  register u64 v0 __asm__("$0");
#define READ_BOTH(value, cycle)                                                                     \
  a0 = READ;                                                                                        \
  __asm__ volatile("call_pal 0x39\n\trpcc %1" : "=r"(v0), "=r"(cycle), "+r"(a0) : : "$17", PAL_CLOBBERS); \
  value = v0
  READ_BOTH(before, start);
  for (int i = 0; i < CALLS; ++i) {
    a0 = function;
    a1 = argument;
    if (is_rdps) {
      __asm__ volatile("call_pal 0x36" : "=r"(v0), "+r"(a0), "+r"(a1) : : PAL_CLOBBERS);
    } else {
      __asm__ volatile("call_pal 0x39" : "=r"(v0), "+r"(a0), "+r"(a1) : : PAL_CLOBBERS);
    }
  }
  READ_BOTH(after, end);
  counts.first = ((after >> 28) - (before >> 28)) & (PERIOD - 1);
  counts.second = ((after >> 6) - (before >> 6)) & (PERIOD - 1);
  counts.rpcc = (end - start) & 0xffffffff;
  return counts;
}

/* As from HW_MFPR and HW_MTPR: two cycles more than instructions each. */
static u64 extra_cycles(struct counts counts, u64 moves) {
  return counts.rpcc - counts.first - 2 * moves * CALLS;
}

static void test_nothing_is_lost(void) {
  perfmon(DISABLE, BOTH);
  perfmon(OPTIONS, 0);
  perfmon(EVENTS, INSTRUCTIONS_AND_CYCLES);
  perfmon(ENABLE_WRITE, BOTH);
  const struct counts rdps = count_calls(1, 0, 0);
  ok_eq(rdps.second, rdps.rpcc, "cycles are as RPCC has them");
  const u64 extra = extra_cycles(rdps, 0);
  diag("%lu instructions, %lu cycles", rdps.first, rdps.second);

  struct counts counts = count_calls(0, WRITE, 0);
  ok_eq(counts.second, counts.rpcc, "a write of neither counter loses no cycle");
  ok_eq(extra_cycles(counts, 5), extra, "and no instruction");
  counts = count_calls(0, WRITE, in_0(0x123) | COUNTER_0);
  ok_eq(counts.second, counts.rpcc, "a write of counter 0 loses no cycle");
  counts = count_calls(0, WRITE, in_1(0x123) | COUNTER_1);
  ok_eq(extra_cycles(counts, 5), extra, "a write of counter 1 loses no instruction");
  counts = count_calls(0, EVENTS, INSTRUCTIONS_AND_CYCLES);
  ok_eq(counts.second, counts.rpcc, "events that are selected again lose no cycle");
  ok_eq(extra_cycles(counts, 5), extra, "and no instruction");
  counts = count_calls(0, OPTIONS, 0);
  ok_eq(counts.second, counts.rpcc, "options that are chosen again lose no cycle");
  ok_eq(extra_cycles(counts, 7), extra, "and no instruction");
  counts = count_calls(0, ENABLE_WRITE, in_1(0x123) | COUNTER_1);
  ok_eq(extra_cycles(counts, 7), extra, "a write of counter 1 that enables it loses no instruction");

  perfmon(EVENTS, CYCLES_ONLY);
  counts = count_calls(0, WRITE, in_1(5) | COUNTER_1);
  ok_eq(counts.first, counts.rpcc, "counter 0 loses no cycle");
  ok_eq(counter_1(), 5, "and counter 1 counts nothing");
  perfmon(EVENTS, INSTRUCTIONS_AND_CYCLES);
  perfmon(OPTIONS, SELECTED_PROCESSES);
  perfmon(WRITE, in_0(7) | in_1(9) | BOTH);
  counts = count_calls(0, WRITE, 0);
  ok_eq(counts.first | counts.second, 0, "what stands still is given nothing");
  ok_eq(counter_0(), 7, "neither counter 0");
  ok_eq(counter_1(), 9, "nor counter 1");
  perfmon(OPTIONS, 0);
  perfmon(DISABLE, BOTH);
  perfmon(WRITE, in_0(7) | in_1(9) | BOTH);
  perfmon(ENABLE, COUNTER_0);
  count_calls(0, WRITE, 0);
  ok_eq(counter_1(), 9, "a counter that is not enabled is given nothing");
  perfmon(DISABLE, BOTH);
  perfmon(ENABLE, COUNTER_1);
  perfmon(WRITE, in_0(7) | COUNTER_0);
  count_calls(0, WRITE, 0);
  ok_eq(counter_0(), 7, "whichever it is");
  perfmon(DISABLE, BOTH);
}

static volatile u64 interrupts, type, vector, which, at, pc;
static void on_interrupt(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  if (a0 != INT_PERF) return;
  perfmon(DISABLE, BOTH);
  ++interrupts;
  type = a0;
  vector = a1;
  which = a2;
  at = frame->r[2];
  pc = frame->pc;
}

/* Lets counter `counter` overflow `after` events after it was enabled, within 4000 additions; the
   number of additions at the interrupt. */
static __attribute__((noinline)) u64 overflow(u64 counter, u64 after, u64 ipl) {
  interrupts = 0;
  perfmon(WRITE, in_0(counter == 0 ? PERIOD - after : 0) | in_1(counter == 1 ? PERIOD - after : 0) | BOTH);
  pal_swpipl(ipl);
  register u64 a0 __asm__("$16") = ENABLE;
  register u64 a1 __asm__("$17") = counter + 1;
  __asm__ volatile("lda $2, 0\n\tcall_pal 0x39\n\t.rept 4000\n\taddq $2, 1, $2\n\t.endr"
                   : "+r"(a0), "+r"(a1)
                   :
                   : "$0", "$2", PAL_CLOBBERS);
  perfmon(DISABLE, BOTH);
  pal_swpipl(7);
  return at;
}

static void test_overflow(void) {
  interrupt_hook = on_interrupt;
  const u64 first = overflow(0, 500, 0);
  ok_eq(interrupts, 1, "counter 0 interrupts when it overflows");
  ok_eq(type, INT_PERF, "a0 4");
  ok_eq(vector, VECTOR_PERF, "vector 0x650");
  ok_eq(which, 0, "a2 names counter 0");
  ok(first < 500 && first > 470, "at the addition that made it overflow");
  const u64 first_pc = pc;
  diag("%lu additions", first);
  ok_eq(overflow(0, 1777, 0) - first, 1277, "1277 instructions later 1277 additions later");
  ok_eq(pc - first_pc, 1277 * 4, "as the PC says");
  const u64 cycle = overflow(1, 600, 0);
  ok_eq(which, 1, "a2 names counter 1");
  ok_eq(overflow(1, 3000, 0) - cycle, 2400, "2400 cycles later 2400 additions later");
  ok(overflow(0, 500, 5) == first && interrupts == 1, "IPL 5 lets it through");

  interrupts = 0;
  overflow(0, 500, 6);
  ok_eq(interrupts, 0, "IPL 6 holds it");
  pal_swpipl(5);
  pal_swpipl(7);
  ok_eq(interrupts, 1, "until the IPL falls");
  perfmon(WRITE, in_0(PERIOD - 100) | BOTH);
  perfmon(ENABLE, COUNTER_0);
  perfmon(DISABLE, BOTH);
  perfmon(ENABLE_WRITE, in_0(PERIOD - 1000000) | in_1(PERIOD - 100) | COUNTER_0);
  interrupts = 0;
  pal_swpipl(0);
  for (volatile u64 i = 0; i < 400000 && interrupts == 0; ++i) {
  }
  pal_swpipl(7);
  ok_eq(interrupts, 1, "a million instructions of a loop");
  perfmon(DISABLE, BOTH);
}

/* An overflow at each instruction of a write of the other counter. */
static void test_overflow_within_a_write(void) {
  u64 wrong = 0, late = 0;
  for (u64 i = 0; i < 100; ++i) {
    perfmon(WRITE, in_1(PERIOD - 3000 - i) | BOTH);
    perfmon(ENABLE, BOTH);
    interrupts = 0;
    const struct counts counts = count_calls(0, WRITE, in_0(5) | COUNTER_0);
    wrong += counts.second != counts.rpcc;
    pal_swpipl(0);
    pal_swpipl(7);
    late += interrupts != 1 || which != 1;
    perfmon(DISABLE, BOTH);
  }
  ok_eq(wrong, 0, "a counter that overflows while the other one is written loses nothing");
  ok_eq(late, 0, "and interrupts once");
}

void guest_main(void) {
  test_counts();
  test_nothing_is_lost();
  test_overflow();
  test_overflow_within_a_write();
}
