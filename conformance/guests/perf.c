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

void guest_main(void) {
  test_counts();
  test_overflow();
}
