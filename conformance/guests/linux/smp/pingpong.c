// Two that wait for each other, on two CPUs: threads by a futex, processes by pipes.

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "load.h"

enum { kFutexRounds = 400, kPipeRounds = 200 };

static void CheckCpu(int cpu) {
  const int here = sched_getcpu();
  errno = 0;
  if (here != cpu) Fail("pinned to CPU %d, it runs on CPU %d", cpu, here);
}

// Whose turn it is: the first's when it is even.
static uint32_t g_turn;
static uint64_t g_counted;  // by who has the turn; no atomic
static unsigned g_slept[2];

typedef struct {
  int cpu;
  uint32_t number;  // 0 or 1
} Player;

static void *Play(void *argument) {
  const Player *player = argument;
  PinTo(player->cpu);
  for (uint32_t turn = player->number; turn < 2 * kFutexRounds; turn += 2) {
    uint32_t seen;
    while ((seen = __atomic_load_n(&g_turn, __ATOMIC_ACQUIRE)) != turn) {
      if (syscall(SYS_futex, &g_turn, FUTEX_WAIT_PRIVATE, seen, NULL) == 0) {
        ++g_slept[player->number];
      } else if (errno != EAGAIN) {
        Fail("FUTEX_WAIT");
      }
    }
    CheckCpu(player->cpu);
    if (g_counted != turn) Fail("at turn %u others have counted to %lu", turn, g_counted);
    g_counted = turn + 1;
    __atomic_store_n(&g_turn, turn + 1, __ATOMIC_RELEASE);
    if (syscall(SYS_futex, &g_turn, FUTEX_WAKE_PRIVATE, 1) < 0) Fail("FUTEX_WAKE");
  }
  return NULL;
}

void Futexes(void) {
  const int cpus = CpuCount();
  unsigned slept = 0;
  for (int cpu = 0; cpu < cpus; ++cpu) {
    Player players[2] = {{cpu, 0}, {(cpu + 1) % cpus, 1}};
    pthread_t threads[2];
    g_turn = 0;
    g_counted = 0;
    g_slept[0] = g_slept[1] = 0;
    for (int i = 0; i < 2; ++i) {
      if (pthread_create(&threads[i], NULL, Play, &players[i]) != 0) Fail("pthread_create");
    }
    for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
    errno = 0;
    if (g_counted != 2 * kFutexRounds) Fail("%lu turns were taken, not %d", g_counted, 2 * kFutexRounds);
    slept += g_slept[0] + g_slept[1];
  }
  errno = 0;
  if (slept == 0) Fail("nobody has slept");
  Report("%d turns with each of %d neighbours, %u sleeps", 2 * kFutexRounds, cpus, slept);
}

// Passes on what it reads, one more than it was.
static void Bounce(int cpu, int from, int to, unsigned rounds, uint64_t first) {
  PinTo(cpu);
  for (unsigned i = 0; i < rounds; ++i) {
    uint64_t number;
    ReadAll(from, &number, sizeof(number));
    CheckCpu(cpu);
    if (number != first + 2 * i) Fail("%lu came, not %lu", number, first + 2 * i);
    ++number;
    WriteAll(to, &number, sizeof(number));
  }
}

void PipePingPong(int first, int second, unsigned rounds) {
  int forth[2], back[2];
  uint64_t number = 0;
  if (pipe(forth) != 0 || pipe(back) != 0) Fail("pipe");
  WriteAll(back[1], &number, sizeof(number));
  for (int i = 0; i < 2; ++i) {
    if (Fork() != 0) continue;
    if (i == 0) Bounce(first, back[0], forth[1], rounds, 0);
    if (i == 1) Bounce(second, forth[0], back[1], rounds, 1);
    _exit(0);
  }
  AwaitChildren(2);
  ReadAll(back[0], &number, sizeof(number));
  errno = 0;
  if (number != 2 * rounds) Fail("the last number is %lu, not %u", number, 2 * rounds);
  for (int i = 0; i < 2; ++i) {
    close(forth[i]);
    close(back[i]);
  }
}

void Pipes(void) {
  const int cpus = CpuCount();
  for (int cpu = 0; cpu < cpus; ++cpu) PipePingPong(cpu, (cpu + 1) % cpus, kPipeRounds);
  Report("%d numbers to and fro with each of %d neighbours", kPipeRounds, cpus);
}
