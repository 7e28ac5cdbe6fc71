#include "cpus.h"

#define HWRPB_SLOT_SIZE 19
#define HWRPB_SLOT_COUNT 18
#define HWRPB_SLOTS 20
#define HWRPB_RESTART 32
#define HWRPB_RXRDY 37
#define SLOT_FLAGS 16
#define SLOT_RXLEN 37
#define SLOT_RXTEXT 38
#define PRESENT_AND_AVAILABLE 0xcUL
#define BOOTSTRAP_IN_PROGRESS 1UL

#define STACK_BYTES 16384

u64 cpu_stacks[MAX_CPUS][STACK_BYTES / sizeof(u64)] __attribute__((aligned(16)));
void (*volatile cpu_body)(u64 cpu);
/* In a block of its own each: who waits does not disturb who arrives. */
static u64 arrived[MAX_CPUS][8] __attribute__((aligned(64)));

extern char cpu_entry[];

static u64* slot_of(u64 cpu) {
  return hwrpb + (hwrpb[HWRPB_SLOTS] + cpu * hwrpb[HWRPB_SLOT_SIZE]) / 8;
}

u64 cpu_count(void) {
  u64 count = 0;
  for (u64 cpu = 0; cpu < hwrpb[HWRPB_SLOT_COUNT] && cpu < MAX_CPUS; ++cpu) {
    if ((slot_of(cpu)[SLOT_FLAGS] & PRESENT_AND_AVAILABLE) == PRESENT_AND_AVAILABLE) ++count;
  }
  return count;
}

void start_cpus(void (*body)(u64 cpu)) {
  cpu_body = body;
  hwrpb[HWRPB_RESTART] = hwrpb[HWRPB_RESTART + 1] = (u64)cpu_entry;
  for (u64 cpu = 1; cpu < cpu_count(); ++cpu) {
    u64* const slot = slot_of(cpu);
    slot[0] = (u64)(cpu_stacks[cpu] + ARRAY_SIZE(cpu_stacks[cpu])); /* its kernel stack */
    slot[SLOT_RXTEXT] = 0x0a0d5452415453UL;                         /* START, CR, LF */
    slot[SLOT_RXLEN] = 7;
    mb();
    fetch_add(&hwrpb[HWRPB_RXRDY], 1UL << cpu);
    while ((load(&slot[SLOT_FLAGS]) & BOOTSTRAP_IN_PROGRESS) == 0) {
      (void)inb(0x61); /* takes its time, in few instructions */
    }
  }
}

void meet(u64 cpu, u64 count, u64 time) {
  mb();
  store(&arrived[cpu][0], time);
  for (u64 other = 0; other < count; ++other) {
    while (load(&arrived[other][0]) < time) {
    }
  }
  mb();
}
