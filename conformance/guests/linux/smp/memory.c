// What all CPUs must be told of when a process changes it: where its pages lie, what may be done to them, and its code.

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load.h"

enum { kVersions = 150, kProtections = 60, kLooks = 2000 };

static size_t g_page;
static volatile uint64_t *g_shared;  // the page
static uint64_t g_version;           // what has been made, by the first thread
static struct {
  uint64_t version;  // what this thread has seen
  char others[56];
} __attribute__((aligned(64))) g_seen[kMaxCpus];

// Lets others run. On one CPU alone sched_yield() often comes back at once, and they have to wait for a tick.
static void LetRun(void) {
  if (CpuCount() == 1) {
    usleep(1);
  } else {
    sched_yield();
  }
}

static uint64_t Version(void) { return __atomic_load_n(&g_version, __ATOMIC_ACQUIRE); }

// What the thread on a CPU does when there is a new version.
typedef void Look(int cpu, uint64_t version);
static Look *g_look;

// Pins a thread that has just begun, and has it sleep once. Linux 6.1 leaves cpu_data[].asn_lock set when it runs a new thread
// (ret_from_fork has no check_mmu_context(), 6.12 has it in finish_arch_post_lock_switch()), and until the CPU has switched
// once more its TLB is not flushed for others.
static void SettleOn(int cpu) {
  PinTo(cpu);
  usleep(1);
}

static void *LookOn(void *argument) {
  const int cpu = (int)(intptr_t)argument;
  SettleOn(cpu);
  for (uint64_t version; (version = Version()) <= kVersions;) {
    g_look(cpu, version);
    if (__atomic_exchange_n(&g_seen[cpu].version, version, __ATOMIC_RELEASE) == version) LetRun();
  }
  return NULL;
}

// Has `make` make versions from 1 on, each when the last one has been looked at on all CPUs.
static void MakeVersions(void (*make)(uint64_t version), Look *look) {
  const int cpus = CpuCount();
  pthread_t threads[kMaxCpus];
  g_look = look;
  g_version = 0;
  make(0);
  for (int cpu = 0; cpu < cpus; ++cpu) {
    g_seen[cpu].version = ~(uint64_t)0;
    if (pthread_create(&threads[cpu], NULL, LookOn, (void *)(intptr_t)cpu) != 0) Fail("pthread_create");
  }
  for (uint64_t version = 1; version <= kVersions + 1; ++version) {
    for (int cpu = 0; cpu < cpus; ++cpu) {
      while (__atomic_load_n(&g_seen[cpu].version, __ATOMIC_ACQUIRE) != version - 1) LetRun();
    }
    if (version <= kVersions) make(version);
    __atomic_store_n(&g_version, version, __ATOMIC_RELEASE);
  }
  for (int cpu = 0; cpu < cpus; ++cpu) pthread_join(threads[cpu], NULL);
}

// Another page of a file at one address: no CPU may still find the page before.
static int g_file;

static void MapPage(uint64_t version) {
  if (mmap((void *)g_shared, g_page, PROT_READ, MAP_SHARED | MAP_FIXED, g_file, (off_t)(version * g_page)) !=
      (void *)g_shared) {
    Fail("mmap");
  }
}

static void ReadPage(int cpu, uint64_t version) {
  const uint64_t found = *g_shared;
  errno = 0;
  if (found < version) Fail("CPU %d reads page %lu after page %lu has been mapped", cpu, found, version);
}

// Pages that may not be written: what stands there stays, whoever tries.
static int g_writing;
static uint64_t g_refused;

static void OnRefusal(int number) {
  (void)number;
  __atomic_fetch_add(&g_refused, 1, __ATOMIC_RELAXED);
  LetRun();
}

static void *Write(void *argument) {
  const int cpu = (int)(intptr_t)argument;
  SettleOn(cpu);
  while (__atomic_load_n(&g_writing, __ATOMIC_RELAXED)) {
    for (int i = 0; i < 1000; ++i) g_shared[cpu] = g_shared[cpu] + 1;
    if (cpu == 0) LetRun();
  }
  return NULL;
}

static uint64_t Sum(int cpus) {
  uint64_t sum = 0;
  for (int cpu = 0; cpu < cpus; ++cpu) sum += g_shared[cpu];
  return sum;
}

static void Protect(int cpus) {
  pthread_t threads[kMaxCpus];
  signal(SIGSEGV, OnRefusal);
  g_writing = 1;
  for (int cpu = 0; cpu < cpus; ++cpu) {
    if (pthread_create(&threads[cpu], NULL, Write, (void *)(intptr_t)cpu) != 0) Fail("pthread_create");
  }
  for (int i = 0; i < kProtections; ++i) {
    for (int cpu = 0; cpu < cpus; ++cpu) {
      const uint64_t before = g_shared[cpu];
      while (g_shared[cpu] == before) LetRun();
    }
    if (mprotect((void *)g_shared, g_page, PROT_READ) != 0) Fail("mprotect");
    const uint64_t sum = Sum(cpus);
    for (int look = 0; look < kLooks; ++look) {
      errno = 0;
      if (Sum(cpus) != sum) Fail("a page is written to that has been protected");
    }
    const uint64_t refused = __atomic_load_n(&g_refused, __ATOMIC_RELAXED);
    while (__atomic_load_n(&g_refused, __ATOMIC_RELAXED) == refused) LetRun();
    if (Sum(cpus) != sum) Fail("a page is written to that has been protected");
    if (mprotect((void *)g_shared, g_page, PROT_READ | PROT_WRITE) != 0) Fail("mprotect");
  }
  __atomic_store_n(&g_writing, 0, __ATOMIC_RELAXED);
  for (int cpu = 0; cpu < cpus; ++cpu) pthread_join(threads[cpu], NULL);
  signal(SIGSEGV, SIG_DFL);
}

static void MapShared(int protection) {
  g_page = (size_t)sysconf(_SC_PAGESIZE);
  g_shared = mmap(NULL, g_page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (g_shared == MAP_FAILED) Fail("mmap");
}

void Mappings(void) {
  const int cpus = CpuCount();
  char name[] = "/tmp/smp-load-XXXXXX";
  MapShared(PROT_READ | PROT_WRITE);
  if ((g_file = mkstemp(name)) < 0 || unlink(name) != 0) Fail("%s", name);
  for (uint64_t version = 0; version <= kVersions; ++version) {
    if (pwrite(g_file, &version, sizeof(version), (off_t)(version * g_page)) != sizeof(version)) Fail("pwrite");
  }
  if (ftruncate(g_file, (off_t)((kVersions + 1) * g_page)) != 0) Fail("ftruncate");
  MakeVersions(MapPage, ReadPage);
  munmap((void *)g_shared, g_page);
  close(g_file);
  MapShared(PROT_READ | PROT_WRITE);
  g_refused = 0;
  Protect(cpus);
  munmap((void *)g_shared, g_page);
  Report("%d pages at an address, %d times one that is protected, seen by %d CPUs", kVersions + 1, kProtections, cpus);
}

// A function that is written anew: who executes IMB behind the news sees it (Alpha Architecture Handbook, 6.2.1).
static void InstructionBarrier(void) { asm volatile("call_pal 0x86" : : : "memory"); }

static void WriteFunction(uint64_t version) {
  volatile uint32_t *code = (volatile uint32_t *)g_shared;
  if (version == 0) code[1] = 0x6bfa8001;            // ret $31, ($26), 1
  code[0] = 0x201f0000 | (uint32_t)(version & 0x7fff);  // lda $0, version($31)
  asm volatile("mb" : : : "memory");
  InstructionBarrier();
}

static void CallFunction(int cpu, uint64_t version) {
  InstructionBarrier();
  const uint64_t result = ((uint64_t(*)(void))(uintptr_t)g_shared)();
  const uint64_t newest = Version() + 1;
  errno = 0;
  if (result < version || result > newest) Fail("CPU %d executes version %lu, not %lu", cpu, result, version);
}

void Code(void) {
  MapShared(PROT_READ | PROT_WRITE | PROT_EXEC);
  MakeVersions(WriteFunction, CallFunction);
  munmap((void *)g_shared, g_page);
  Report("%d versions of a function, executed by %d CPUs", kVersions + 1, CpuCount());
}
