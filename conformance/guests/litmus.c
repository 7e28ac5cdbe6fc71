/* Litmus tests: small programs of several CPUs, made again and again, and how often they came out
   how. Which outcomes there can be says what the memory of the machine is; see "What it hides" in
   docs/smp.md.

   A test is a body for each CPU. What it has to show it leaves in `seen`, a number of its own for
   each CPU; an outcome is their digits. The command line is the number of rounds, 200 without one.
 */
#include "cpus.h"

#define OUTCOMES 256

/* Each in a block of its own. */
static u64 shared[2][8] __attribute__((aligned(64)));
static u64 seen[MAX_CPUS][8] __attribute__((aligned(64)));
#define X (&shared[0][0])
#define Y (&shared[1][0])
#define SEE(cpu, value) store(&seen[cpu][0], (value))

static void store_buffering(u64 cpu) {
  store(cpu == 0 ? X : Y, 1);
  SEE(cpu, load(cpu == 0 ? Y : X));
}

static void message_passing(u64 cpu) {
  if (cpu == 0) {
    store(X, 1);
    store(Y, 1);
  } else {
    const u64 flag = load(Y);
    SEE(cpu, flag * 2 + load(X));
  }
}

static void load_buffering(u64 cpu) {
  const u64 value = load(cpu == 0 ? X : Y);
  store(cpu == 0 ? Y : X, 1);
  SEE(cpu, value);
}

static void independent_reads(u64 cpu) {
  if (cpu < 2) {
    store(cpu == 0 ? X : Y, 1);
  } else {
    const u64 first = load(cpu == 2 ? X : Y);
    SEE(cpu, first * 2 + load(cpu == 2 ? Y : X));
  }
}

static void coherent_reads(u64 cpu) {
  if (cpu == 0) {
    store(X, 1);
  } else {
    const u64 first = load(X);
    SEE(cpu, first * 2 + load(X));
  }
}

static void two_writes(u64 cpu) {
  store(cpu == 0 ? X : Y, 1);
  store(cpu == 0 ? Y : X, 2);
}

/* Both count up. An outcome has for each what it found, and whether it had to try again. */
static void contention(u64 cpu) {
  u64 old, status, failed = 0;
  for (;;) {
    __asm__ volatile("ldq_l %0, 0(%2)\n\taddq %0, 1, %1\n\tstq_c %1, 0(%2)"
                     : "=&r"(old), "=&r"(status)
                     : "r"(X)
                     : "memory");
    if (status != 0) break;
    failed = 1;
  }
  SEE(cpu, old * 2 + failed);
}

static const struct test {
  const char* name;
  u64 cpus;
  void (*body)(u64 cpu);
  int shows_memory; /* an outcome has what is in X and Y at the end */
} tests[] = {
    {"SB", 2, store_buffering, 0},     {"MP", 2, message_passing, 0},  {"LB", 2, load_buffering, 0},
    {"IRIW", 4, independent_reads, 0}, {"CoRR", 2, coherent_reads, 0}, {"2+2W", 2, two_writes, 1},
    {"LLSC", 2, contention, 1},
};

static u64 rounds = 200;
static u64 counts[ARRAY_SIZE(tests)][OUTCOMES];

static void run_all(u64 cpu) {
  for (u64 number = 0; number < ARRAY_SIZE(tests); ++number) {
    const struct test* const test = &tests[number];
    if (cpu >= test->cpus || cpu_count() < test->cpus) continue;
    for (u64 round = 0; round < rounds; ++round) {
      if (cpu == 0) {
        store(X, 0);
        store(Y, 0);
        for (u64 other = 0; other < MAX_CPUS; ++other) SEE(other, 0);
      }
      const u64 time = 2 * (number * rounds + round) + 1;
      meet(cpu, test->cpus, time);
      test->body(cpu);
      meet(cpu, test->cpus, time + 1);
      if (cpu != 0) continue;
      u64 outcome = 0;
      for (u64 other = 0; other < test->cpus; ++other)
        outcome = outcome * 4 + load(&seen[other][0]);
      if (test->shows_memory) outcome = (outcome * 4 + load(X)) * 4 + load(Y);
      ++counts[number][outcome % OUTCOMES];
    }
  }
}

static void other_cpu(u64 cpu) {
  run_all(cpu);
  for (;;) {
  }
}

/* The number at `text`, `otherwise` when there is none. */
static u64 number_at(const char* text, u64 otherwise) {
  u64 value = 0;
  if (*text < '0' || *text > '9') return otherwise;
  for (; *text >= '0' && *text <= '9'; ++text) value = value * 10 + (u64)(*text - '0');
  return value;
}

void guest_main(void) {
  rounds = number_at(COMMAND_LINE, rounds);
  start_cpus(other_cpu);
  run_all(0);
  for (u64 number = 0; number < ARRAY_SIZE(tests); ++number) {
    print("%s", tests[number].name);
    for (u64 outcome = 0; outcome < OUTCOMES; ++outcome) {
      if (counts[number][outcome] != 0) print(" %lu:%lu", outcome, counts[number][outcome]);
    }
    print("\n");
  }
  guest_exit();
}
