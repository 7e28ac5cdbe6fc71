/* Four CPUs that share a page in ways that are known, for who measures that (scripts/bench rounds). For ever, CPU 0 writes two
   words of the page, of which the first is another number each time and the second the same; each of
   the others reads one word, whose number is a digit of the command line, the first for CPU 1. A block
   has the words 0 to 7. */
#include "cpus.h"

#define CPUS 4

static u64 page[1024] __attribute__((aligned(8192)));

static void share(u64 cpu) {
  meet(cpu, CPUS, 1);
  if (cpu == 0) {
    print("sharing: begin\n");
    for (u64 number = 1;; ++number) {
      store(&page[0], number);
      store(&page[1], 1);
    }
  }
  const u64* const word = &page[COMMAND_LINE[cpu - 1] - '0'];
  for (;;) (void)load(word);
}

void guest_main(void) {
  start_cpus(share);
  share(0);
}
