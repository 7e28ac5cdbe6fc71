// Processes count together in shared memory with load-locked and store-conditional; each must lose no step, however
// often a timer or a context switch comes between the two. Prints the counters.

#include <sched.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "guest.h"

enum { kProcesses = 4, kRounds = 50000 };

typedef struct {
  volatile uint64_t quad;
  volatile uint32_t pair[2];  // two longwords in one quadword, and in one lock range
  volatile uint64_t locked;   // counted under a lock
  volatile uint32_t lock;
  volatile uint32_t started;
} Shared;

static void AddQuad(volatile uint64_t *counter, uint64_t amount) {
  uint64_t value;
  asm volatile(
      "1: ldq_l %0,%1\n\taddq %0,%2,%0\n\tstq_c %0,%1\n\tbeq %0,2f\n\t.subsection 2\n2: br 1b\n\t.previous"
      : "=&r"(value), "+m"(*counter)
      : "r"(amount)
      : "memory");
}

static void AddLong(volatile uint32_t *counter, uint32_t amount) {
  uint64_t value;
  asm volatile(
      "1: ldl_l %0,%1\n\taddl %0,%2,%0\n\tstl_c %0,%1\n\tbeq %0,2f\n\t.subsection 2\n2: br 1b\n\t.previous"
      : "=&r"(value), "+m"(*counter)
      : "r"((uint64_t)amount)
      : "memory");
}

static int TryLock(volatile uint32_t *lock) {
  uint64_t value, result;
  asm volatile(
      "ldl_l %0,%2\n\tmov $31,%1\n\tbne %0,1f\n\tlda %1,1($31)\n\tstl_c %1,%2\n1: mb"
      : "=&r"(value), "=&r"(result), "+m"(*lock)
      :
      : "memory");
  return (int)result;
}

static void Unlock(volatile uint32_t *lock) {
  asm volatile("mb\n\tstl $31,%0" : "=m"(*lock) : : "memory");
}

static volatile sig_atomic_t g_ticks;
static void OnTimer(int number) {
  (void)number;
  ++g_ticks;
}

static void Count(Shared *shared) {
  struct sigaction action = {.sa_handler = OnTimer, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval interval = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &interval, NULL);
  AddLong(&shared->started, 1);
  for (int i = 0; i < kRounds; ++i) {
    AddQuad(&shared->quad, 0x100000001);
    AddLong(&shared->pair[i & 1], 3);
    while (!TryLock(&shared->lock)) sched_yield();
    shared->locked = shared->locked + 1;
    if (i % 1000 == 0) sched_yield();
    Unlock(&shared->lock);
  }
}

// A store-conditional without its load-locked, or after one to another address, or after a system call.
static void Conditional(void) {
  static volatile uint64_t places[64];
  uint64_t result;
  asm volatile("ldq_l %0,%1\n\tlda %0,7($31)\n\tstq_c %0,%1" : "=&r"(result), "+m"(places[0]) : : "memory");
  printf("stq_c after ldq_l: %lu, memory %lu\n", result, places[0]);
  asm volatile("lda %0,9($31)\n\tstq_c %0,%1" : "=&r"(result), "+m"(places[0]) : : "memory");
  printf("second stq_c: %lu, memory %lu\n", result, places[0]);
  asm volatile("ldq_l %0,%1\n\tstq %2,%1\n\tlda %0,5($31)\n\tstq_c %0,%1"
               : "=&r"(result), "+m"(places[0])
               : "r"(11ul)
               : "memory");
  printf("own store between: %lu, memory %lu\n", result, places[0]);
  register long number asm("$0") = SYS_getppid;
  asm volatile("ldq_l $5,%1\n\tcallsys\n\tlda $5,13($31)\n\tstq_c $5,%1\n\tmov $5,%0"
               : "+r"(number), "+m"(places[0])
               :
               : "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$16", "$17", "$18", "$19", "$20", "$21", "$22",
                 "$23", "$24", "$25", "$27", "$28", "memory");
  printf("system call between: %ld, memory %lu\n", number, places[0]);
}

int main(void) {
  Shared *shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  Conditional();
  fflush(stdout);
  for (int i = 0; i < kProcesses; ++i) {
    if (fork() == 0) {
      Count(shared);
      _exit(0);
    }
  }
  int good = 0, status;
  for (int i = 0; i < kProcesses; ++i) good += wait(&status) > 0 && status == 0;
  printf("processes: %u started, %d ended well\n", shared->started, good);
  printf("quadword: %016lx\n", shared->quad);
  printf("longwords: %u %u\n", shared->pair[0], shared->pair[1]);
  printf("under a lock: %lu\n", shared->locked);
  return 0;
}
