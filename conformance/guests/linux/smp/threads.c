// What threads meet at: mutexes, condition variables, barriers, atomic operations, what is a thread's own, beginning and end.

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

enum { kThreads = 8, kSteps = 3000, kPhases = 100, kItems = 600, kQueue = 8, kBatches = 200, kBatch = 10 };

// Runs a function on all threads with their numbers, and waits for them.
static void Together(void *(*function)(void *)) {
  pthread_t threads[kThreads];
  for (intptr_t i = 0; i < kThreads; ++i) {
    if (pthread_create(&threads[i], NULL, function, (void *)i) != 0) Fail("pthread_create");
  }
  for (int i = 0; i < kThreads; ++i) {
    void *result;
    if (pthread_join(threads[i], &result) != 0) Fail("pthread_join");
    errno = 0;
    if ((intptr_t)result != i) Fail("thread %d returned %ld", i, (long)(intptr_t)result);
  }
}

static void Expect(const char *what, uint64_t got, uint64_t expected) {
  errno = 0;
  if (got != expected) Fail("%s: %lu, not %lu", what, got, expected);
}

static pthread_mutex_t g_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t g_spin;
static uint64_t g_under_mutex, g_under_spin;

static void *Lock(void *number) {
  for (int i = 0; i < kSteps; ++i) {
    pthread_mutex_lock(&g_mutex);
    g_under_mutex = g_under_mutex + 1;
    pthread_mutex_unlock(&g_mutex);
    if (i % 4 != 0) continue;  // whoever spins for one that does not run loses its whole share
    pthread_spin_lock(&g_spin);
    g_under_spin = g_under_spin + 1;
    pthread_spin_unlock(&g_spin);
  }
  return number;
}

// Sizes of which the smaller have no instruction of their own.
static uint64_t g_quad;
static uint32_t g_longs[2];
static uint16_t g_words[4];
static uint8_t g_bytes[8];
static uint64_t g_compared;

static void *CountAtomically(void *number) {
  const uintptr_t me = (uintptr_t)number;
  for (int i = 0; i < kSteps; ++i) {
    __atomic_fetch_add(&g_quad, 0x100000001, __ATOMIC_RELAXED);
    __atomic_fetch_add(&g_longs[me % 2], 3, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&g_words[me % 4], 5, __ATOMIC_ACQ_REL);
    __atomic_fetch_xor(&g_bytes[me % 8], (uint8_t)(i * 7), __ATOMIC_RELAXED);
    uint64_t seen = __atomic_load_n(&g_compared, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&g_compared, &seen, seen + me, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }
  return number;
}

static void CheckAtomics(void) {
  uint8_t all = 0;
  for (int i = 0; i < kSteps; ++i) all ^= (uint8_t)(i * 7);
  Expect("quadword", g_quad, (uint64_t)kThreads * kSteps * 0x100000001);
  Expect("compared", g_compared, (uint64_t)kSteps * (kThreads * (kThreads - 1) / 2));
  for (int i = 0; i < 2; ++i) Expect("longword", g_longs[i], (uint32_t)(kThreads / 2 * kSteps * 3));
  for (int i = 0; i < 4; ++i) Expect("word", g_words[i], (uint16_t)(kThreads / 4 * kSteps * 5));
  for (int i = 0; i < 8; ++i) Expect("byte", g_bytes[i], all);
}

static pthread_barrier_t g_barrier;
static uint64_t g_phase[kThreads];

static void *Phases(void *number) {
  const intptr_t me = (intptr_t)number;
  for (uint64_t phase = 1; phase <= kPhases; ++phase) {
    g_phase[me] = phase;
    pthread_barrier_wait(&g_barrier);
    for (int i = 0; i < kThreads; ++i) Expect("a phase behind the barrier", g_phase[i], phase);
    pthread_barrier_wait(&g_barrier);
  }
  return number;
}

// A queue with little room: the first half of the threads puts numbers in, the others take them out.
static pthread_cond_t g_not_empty = PTHREAD_COND_INITIALIZER, g_not_full = PTHREAD_COND_INITIALIZER;
static uint64_t g_queue[kQueue], g_taken;
static int g_queued, g_to_take = kThreads / 2 * kItems;

static void *Pass(void *number) {
  const intptr_t me = (intptr_t)number;
  for (int i = 1; me < kThreads / 2 && i <= kItems; ++i) {
    pthread_mutex_lock(&g_mutex);
    while (g_queued == kQueue) pthread_cond_wait(&g_not_full, &g_mutex);
    g_queue[g_queued++] = (uint64_t)(me * kItems + i);
    pthread_mutex_unlock(&g_mutex);
    pthread_cond_signal(&g_not_empty);
  }
  for (int over = me < kThreads / 2; !over;) {
    pthread_mutex_lock(&g_mutex);
    while (g_queued == 0 && g_to_take > 0) pthread_cond_wait(&g_not_empty, &g_mutex);
    over = g_to_take == 0;
    if (!over) {
      g_taken += g_queue[--g_queued];
      if (--g_to_take == 0) pthread_cond_broadcast(&g_not_empty);
    }
    pthread_mutex_unlock(&g_mutex);
    pthread_cond_signal(&g_not_full);
  }
  return number;
}

// What each thread has of its own: a variable, and a value with a function for its end.
static __thread uint64_t t_own = 7;
static __thread char t_far[5000];
static pthread_key_t g_key;
static uint64_t g_ended;

static void End(void *value) { __atomic_fetch_add(&g_ended, (uint64_t)(uintptr_t)value, __ATOMIC_RELAXED); }

static void *Own(void *number) {
  const uint64_t me = (uint64_t)(uintptr_t)number;
  Expect("a thread's own at its beginning", t_own + (uint64_t)t_far[4999], 7);
  pthread_setspecific(g_key, (void *)(uintptr_t)(me + 1));
  for (int i = 0; i < kSteps / 10; ++i) {
    t_own += me;
    t_far[4999] = (char)me;
    if (i % 100 == 0) sched_yield();
  }
  Expect("a thread's own", t_own, 7 + me * (kSteps / 10));
  Expect("a thread's own, far away", (uint64_t)t_far[4999], me);
  Expect("a thread's value", (uint64_t)(uintptr_t)pthread_getspecific(g_key), me + 1);
  return number;
}

static void *AddOne(void *number) { return (void *)((uintptr_t)number + 1); }

static void ComeAndGo(void) {
  for (uintptr_t batch = 0; batch < kBatches; ++batch) {
    pthread_t threads[kBatch];
    for (uintptr_t i = 0; i < kBatch; ++i) {
      if (pthread_create(&threads[i], NULL, AddOne, (void *)(batch + i)) != 0) Fail("pthread_create");
    }
    for (uintptr_t i = 0; i < kBatch; ++i) {
      void *result;
      if (pthread_join(threads[i], &result) != 0) Fail("pthread_join");
      Expect("what a thread returned", (uintptr_t)result, batch + i + 1);
    }
  }
}

void Threads(void) {
  pthread_spin_init(&g_spin, PTHREAD_PROCESS_PRIVATE);
  pthread_barrier_init(&g_barrier, NULL, kThreads);
  pthread_key_create(&g_key, End);
  Together(Lock);
  Expect("under a mutex", g_under_mutex, kThreads * kSteps);
  Expect("under a spin lock", g_under_spin, kThreads * (kSteps / 4));
  Together(CountAtomically);
  CheckAtomics();
  Together(Phases);
  const uint64_t items = kThreads / 2 * kItems;
  Together(Pass);
  Expect("taken from the queue", g_taken, items * (items + 1) / 2);
  Together(Own);
  Expect("ended values", g_ended, kThreads * (kThreads + 1) / 2);
  ComeAndGo();
  Report("%d threads at a time, %d in all", kThreads, kThreads * 5 + kBatches * kBatch);
}
