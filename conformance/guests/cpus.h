/* Several CPUs for a guest kernel. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_CPUS_H_
#define ISOCHRON_CONFORMANCE_GUESTS_CPUS_H_

#include "runtime.h"

#define MAX_CPUS 4

/* Where the console leaves the command line: 0x6000 below the kernel. */
#define COMMAND_LINE ((const char*)kseg(0x30a000))

/* Slots of the HWRPB with a CPU that is there. */
u64 cpu_count(void);

/* Starts the other CPUs, as an operating system does; each runs `body`, at IPL 7 on a stack of its
 * own. */
void start_cpus(void (*body)(u64 cpu));

/* All CPUs below `count` meet: none goes on before the last has come. `time` is later than that of
 * all meetings before. */
void meet(u64 cpu, u64 count, u64 time);

/* Loads and stores that the compiler leaves alone, in their order. */
static inline u64 load(const u64* from) { return *(const volatile u64*)from; }
static inline void store(u64* to, u64 value) { *(volatile u64*)to = value; }

/* What was there before; the addition is one step. */
static inline u64 fetch_add(u64* at, u64 addend) {
  u64 old, status;
  do {
    __asm__ volatile("ldq_l %0, 0(%2)\n\taddq %0, %3, %1\n\tstq_c %1, 0(%2)"
                     : "=&r"(old), "=&r"(status)
                     : "r"(at), "r"(addend)
                     : "memory");
  } while (status == 0);
  return old;
}

/* What was there before; the exchange is one step. */
static inline u64 exchange(u64* at, u64 value) {
  u64 old, status;
  do {
    __asm__ volatile("ldq_l %0, 0(%2)\n\tmov %3, %1\n\tstq_c %1, 0(%2)"
                     : "=&r"(old), "=&r"(status)
                     : "r"(at), "r"(value)
                     : "memory");
  } while (status == 0);
  return old;
}

/* Locks that spin. */
static inline void take_lock(u64* lock) {
  u64 old, status;
  do {
    do {
    } while (load(lock) != 0);
    __asm__ volatile("ldq_l %0, 0(%2)\n\tbis $31, 1, %1\n\tstq_c %1, 0(%2)"
                     : "=&r"(old), "=&r"(status)
                     : "r"(lock)
                     : "memory");
  } while (status == 0 || old != 0);
}
static inline void drop_lock(u64* lock) {
  mb();
  store(lock, 0);
}

#endif /* ISOCHRON_CONFORMANCE_GUESTS_CPUS_H_ */
