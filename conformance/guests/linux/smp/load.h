// Loads for kernels of several CPUs: each does work on all of them whose outcome it knows, and says whether it came out so.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_LINUX_SMP_LOAD_H_
#define ISOCHRON_CONFORMANCE_GUESTS_LINUX_SMP_LOAD_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A load returns when all was well, having said in Report() what it did; or it calls Fail().
typedef void Load(void);

Load Jobs;                             // jobs.c: processes that make files out of files
Load Groups;                           // groups.c: senders and receivers
Load Futexes, Pipes;                   // pingpong.c: two that wait for each other, on two CPUs
Load Threads;                          // threads.c: what threads meet at
Load Mappings, Code;                   // memory.c: what CPUs must be told of when a process changes it
Load Interrupts, Share;                // accounts.c: what the kernel counts of its CPUs

// CPUs on which this program could run when it began: all that are online, unless somebody has pinned it.
enum { kMaxCpus = 64 };
int CpuCount(void);
// This thread runs on that CPU from now on.
void PinTo(int cpu);

// How a load describes what it did; the last call counts.
void Report(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Says what is wrong, with errno where there is one, and ends the process with status 1.
_Noreturn void Fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

// fork() that does not fail; what is written to standard output is written once.
pid_t Fork(void);
// Waits for `children` processes, which must all end with status 0.
void AwaitChildren(int children);
void ReadAll(int file, void *bytes, size_t size);
void WriteAll(int file, const void *bytes, size_t size);

// Two processes on two CPUs (or on one twice) hand a number to and fro, so many times.
void PipePingPong(int first, int second, unsigned rounds);

// What a job makes of its input: a text that depends on every byte of it. Returns its size.
enum { kTranslatedSize = 1024 };
size_t Translate(const char *input, size_t size, char output[kTranslatedSize]);
// As a filter, from standard input to standard output: what a job runs (smp-load translate).
void TranslateInput(void);

// A generator of 64-bit numbers (xorshift64*).
static inline uint64_t NextRandom(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1d;
}

#endif  // ISOCHRON_CONFORMANCE_GUESTS_LINUX_SMP_LOAD_H_
