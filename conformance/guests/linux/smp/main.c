// smp-load NAME...: runs loads of several CPUs, one after the other; "all" is all of them; without a name it lists them.
//
// Prints "smp-load: NAME: ok, ..." for each, or "smp-load: NAME: FAILED, ..." for the first that is not, and ends with
// status 1 then.

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

static const struct {
  const char *name;
  Load *load;
} kLoads[] = {
    {"jobs", Jobs},       {"groups", Groups}, {"futexes", Futexes},       {"pipes", Pipes}, {"threads", Threads},
    {"mappings", Mappings}, {"code", Code},     {"interrupts", Interrupts}, {"share", Share},
};
enum { kLoadCount = sizeof(kLoads) / sizeof(kLoads[0]) };

// Guest seconds after which a load hangs.
enum { kPatience = 200 };

static const char *g_name = "";
static char g_report[512];

static int g_cpus;

int CpuCount(void) { return g_cpus; }

static void CountCpus(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) Fail("sched_getaffinity");
  g_cpus = CPU_COUNT(&set);
  errno = 0;
  if (g_cpus > kMaxCpus) Fail("%d CPUs are more than %d", g_cpus, kMaxCpus);
}

void PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) Fail("sched_setaffinity to CPU %d", cpu);
}

void Report(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(g_report, sizeof(g_report), format, arguments);
  va_end(arguments);
}

void Fail(const char *format, ...) {
  const int error = errno;
  char what[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof(what), format, arguments);
  va_end(arguments);
  // In one piece: several may fail at once.
  char line[512];
  const int size = snprintf(line, sizeof(line), "smp-load: %s: FAILED, %s%s%s\n", g_name, what, error ? ": " : "",
                            error ? strerror(error) : "");
  if (write(STDOUT_FILENO, line, (size_t)size) != size) _exit(2);
  _exit(1);
}

static void OnAlarm(int number) {
  (void)number;
  errno = 0;
  Fail("it hangs");
}

pid_t Fork(void) {
  fflush(stdout);
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  return child;
}

void AwaitChildren(int children) {
  for (int i = 0; i < children; ++i) {
    int status;
    const pid_t child = wait(&status);
    if (child < 0) Fail("wait");
    errno = 0;
    if (status != 0) Fail("process %d ended with status %x", (int)child, (unsigned)status);
  }
}

void ReadAll(int file, void *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t got = read(file, (char *)bytes + at, size - at);
    if (got <= 0) Fail("read");
    at += (size_t)got;
  }
}

void WriteAll(int file, const void *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    const ssize_t written = write(file, (const char *)bytes + at, size - at);
    if (written <= 0) Fail("write");
    at += (size_t)written;
  }
}

static void Run(int index) {
  g_name = kLoads[index].name;
  g_report[0] = 0;
  errno = 0;
  alarm(kPatience);
  kLoads[index].load();
  alarm(0);
  printf("smp-load: %s: ok, %s\n", g_name, g_report);
  fflush(stdout);
}

static int Find(const char *name) {
  for (int i = 0; i < kLoadCount; ++i) {
    if (strcmp(name, kLoads[i].name) == 0) return i;
  }
  fprintf(stderr, "smp-load: there is no load %s\n", name);
  exit(2);
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "translate") == 0) {
    TranslateInput();
    return 0;
  }
  CountCpus();
  signal(SIGALRM, OnAlarm);
  if (argc == 1) {
    for (int i = 0; i < kLoadCount; ++i) puts(kLoads[i].name);
  }
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "all") != 0) {
      Run(Find(argv[i]));
      continue;
    }
    for (int load = 0; load < kLoadCount; ++load) Run(load);
  }
  return 0;
}
