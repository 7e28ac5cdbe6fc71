// What the kernel counts of its CPUs: interrupts of each kind, and for what it has had them.

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

typedef struct {
  uint64_t of[kMaxCpus];
} Counts;

static void ReadFile(const char *name, char *text, size_t size) {
  size_t at = 0;
  ssize_t got;
  const int file = open(name, O_RDONLY);
  if (file < 0) Fail("%s", name);
  while ((got = read(file, text + at, size - 1 - at)) > 0) at += (size_t)got;
  if (got < 0) Fail("%s", name);
  close(file);
  text[at] = 0;
}

// The counts of a line of /proc/interrupts that has this word, a CPU's each; false where there is no such line.
static int InterruptCounts(const char *word, int cpus, Counts *counts) {
  char text[8192];
  ReadFile("/proc/interrupts", text, sizeof(text));
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    if (strstr(line, word) == NULL) continue;
    char *at = strchr(line, ':');
    errno = 0;
    if (at == NULL) Fail("/proc/interrupts has '%s'", line);
    ++at;
    for (int cpu = 0; cpu < cpus; ++cpu) {
      char *end;
      counts->of[cpu] = strtoul(at, &end, 10);
      if (end == at) Fail("/proc/interrupts has no count of CPU %d in '%s'", cpu, line);
      at = end;
    }
    return 1;
  }
  return 0;
}

static Counts Ticks(int cpus) {
  Counts counts;
  errno = 0;
  if (!InterruptCounts("timer", cpus, &counts)) Fail("/proc/interrupts has no timer");
  return counts;
}

static void Sleep(long milliseconds) {
  const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  if (nanosleep(&time, NULL) != 0) Fail("nanosleep");
}

static char *AppendCounts(char *at, const Counts *counts, int cpus) {
  for (int cpu = 0; cpu < cpus; ++cpu) at += sprintf(at, " %lu", counts->of[cpu]);
  return at;
}

void Interrupts(void) {
  enum { kMilliseconds = 500, kFewest = 40 };  // ticks in that time, of a clock of 128 Hz or more
  const int cpus = CpuCount();
  Counts before = {{0}}, after = {{0}};
  InterruptCounts("IPI", cpus, &before);
  for (int cpu = 0; cpu < cpus; ++cpu) PipePingPong(cpu, (cpu + 1) % cpus, 20);
  InterruptCounts("IPI", cpus, &after);
  char text[512], *at = text;
  at += sprintf(at, "IPIs");
  for (int cpu = 0; cpu < cpus; ++cpu) {
    errno = 0;
    if (cpus > 1 && after.of[cpu] == before.of[cpu]) Fail("CPU %d gets no interrupts from others", cpu);
    after.of[cpu] -= before.of[cpu];
  }
  at = AppendCounts(at, &after, cpus);
  before = Ticks(cpus);
  Sleep(kMilliseconds);
  after = Ticks(cpus);
  for (int cpu = 0; cpu < cpus; ++cpu) {
    after.of[cpu] -= before.of[cpu];
    errno = 0;
    if (after.of[cpu] < kFewest) Fail("CPU %d has %lu ticks in %d ms", cpu, after.of[cpu], kMilliseconds);
    if (labs((long)(after.of[cpu] - after.of[0])) > 2) {
      Fail("CPU %d has %lu ticks in the time of %lu of CPU 0", cpu, after.of[cpu], after.of[0]);
    }
  }
  at += sprintf(at, ", ticks");
  AppendCounts(at, &after, cpus);
  Report("%s", text);
}

// For how many ticks each CPU has been busy, and how many there were.
static void BusyTicks(int cpus, Counts *busy, Counts *all) {
  char text[8192];
  int found = 0;
  ReadFile("/proc/stat", text, sizeof(text));
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    int cpu, used;
    unsigned long times[8];  // user, nice, system, idle, iowait, irq, softirq, steal
    if (strncmp(line, "cpu", 3) != 0 || !isdigit((unsigned char)line[3])) continue;
    if (sscanf(line, "cpu%d%n", &cpu, &used) != 1 || cpu >= cpus) Fail("/proc/stat has '%s'", line);
    char *at = line + used;
    for (int i = 0; i < 8; ++i) times[i] = strtoul(at, &at, 10);
    busy->of[cpu] = times[0] + times[1] + times[2] + times[5] + times[6];
    all->of[cpu] = busy->of[cpu] + times[3] + times[4];
    ++found;
  }
  errno = 0;
  if (found != cpus) Fail("/proc/stat knows %d CPUs, not %d", found, cpus);
}

static double Seconds(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) Fail("clock_gettime");
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// Takes a CPU's time in few instructions, and tells how much of it this process had.
static double SpinUntil(double end) {
  uint64_t value = 1;
  while (Seconds() < end) {
    for (int i = 0; i < 20000; ++i) {
      asm volatile("mulq %0, %0, %0\n\tmulq %0, %0, %0\n\tmulq %0, %0, %0\n\tmulq %0, %0, %0" : "+r"(value));
    }
  }
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) Fail("getrusage");
  const struct timeval user = usage.ru_utime, system = usage.ru_stime;
  return (double)(user.tv_sec + system.tv_sec) + (double)(user.tv_usec + system.tv_usec) * 1e-6;
}

// Has processes spin for so long; the seconds of CPU time that all of them had. Each must have its share, about: from half
// to one and a half. With `pinned` they are on that CPU.
static double Spin(int processes, double seconds, double share, int pinned) {
  int ends[2];
  double sum = 0, had;
  if (pipe(ends) != 0) Fail("pipe");
  const double end = Seconds() + seconds;
  for (int i = 0; i < processes; ++i) {
    if (Fork() != 0) continue;
    if (pinned >= 0) PinTo(pinned);
    had = SpinUntil(end);
    WriteAll(ends[1], &had, sizeof(had));
    _exit(0);
  }
  AwaitChildren(processes);
  for (int i = 0; i < processes; ++i) {
    ReadAll(ends[0], &had, sizeof(had));
    errno = 0;
    if (had < share / 2 || had > share * 1.5) Fail("one of %d processes had %.3f s, not %.3f s", processes, had, share);
    sum += had;
  }
  close(ends[0]);
  close(ends[1]);
  return sum;
}

void Share(void) {
  const double seconds = 0.5;
  const int cpus = CpuCount(), last = cpus - 1;
  Counts busy[3], all[3];
  BusyTicks(cpus, &busy[0], &all[0]);
  const double sum = Spin(2 * cpus, seconds, seconds / 2, -1);
  BusyTicks(cpus, &busy[1], &all[1]);
  Spin(1, seconds, seconds, last);
  BusyTicks(cpus, &busy[2], &all[2]);
  errno = 0;
  if (sum < 0.8 * cpus * seconds) Fail("processes had %.3f s of %d CPUs in %.1f s", sum, cpus, seconds);
  char text[512], *at = text;
  for (int part = 1; part <= 2; ++part) {
    at += sprintf(at, "%s:", part == 1 ? "busy with two each" : "; with one for the last");
    for (int cpu = 0; cpu < cpus; ++cpu) {
      const double ticks = (double)(all[part].of[cpu] - all[part - 1].of[cpu]);
      const double share = ticks > 0 ? (double)(busy[part].of[cpu] - busy[part - 1].of[cpu]) / ticks : 0;
      at += sprintf(at, " %.0f %%", 100 * share);
      if (ticks < 30) Fail("CPU %d has %.0f ticks in %.1f s", cpu, ticks, seconds);
      if (share < 0.8 && (part == 1 || cpu == last)) Fail("CPU %d is busy for %.2f of the time", cpu, share);
      if (share > 0.2 && part == 2 && cpu != last) Fail("CPU %d is idle, and busy for %.2f of the time", cpu, share);
    }
  }
  Report("%s", text);
}
