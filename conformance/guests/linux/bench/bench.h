// The benchmark programs: each does a fixed amount of work and returns a checksum of its results.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_LINUX_BENCH_BENCH_H_
#define ISOCHRON_CONFORMANCE_GUESTS_LINUX_BENCH_BENCH_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

// Every program takes the number of rounds; the checksum depends on it and on nothing else.
typedef uint64_t Program(unsigned rounds);

Program Sieve, Sort, Hash, Search, Interpreter, Calls;         // integer.c
Program Chase, Bignum, Streams;                                // memory.c
Program Compress;                                              // compress.c
Program Core;                                                  // core.c
Program Records;                                               // records.c
Program Objects;                                               // objects.cc
Program Branches;                                              // branches.c
Program MatrixProduct, Fft, NBody, Mandelbrot, Loops, Single;  // floats.c
Program SystemCalls, ForkExec, Shell, PageFaults;              // system.c
Program Stats, Pipes, Forks, Maps, Signals, Storm;             // kernel.c
Program Awk, TextSort, Gzip, Sha512;                           // tools.c

// The name by which the programs run this program again; see ForkExec.
extern const char kNothing[];

// A generator of 64-bit numbers (xorshift64*).
static inline uint64_t NextRandom(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1d;
}

// Folds a value into a checksum.
static inline uint64_t Fold(uint64_t checksum, uint64_t value) {
  checksum = (checksum ^ value) * 0x9e3779b97f4a7c15;
  return checksum ^ checksum >> 32;
}

static inline uint64_t FoldDouble(uint64_t checksum, double value) {
  union {
    double number;
    uint64_t bits;
  } word = {value};
  return Fold(checksum, word.bits);
}

uint64_t FoldBytes(uint64_t checksum, const void *bytes, size_t size);

// malloc that ends the program when there is no memory.
void *Allocate(size_t size);

// Fills `text` with words of a small vocabulary, lines and punctuation; the same for the same seed.
void MakeText(char *text, size_t size, uint64_t seed);

// Says what failed, with errno, and ends the program.
void Die(const char *what) __attribute__((noreturn));

// Waits for a child that fork() has given; dies where it gave none. The status as waitpid() has it.
int WaitFor(pid_t child);

// Runs a program and folds what it prints, and its status at the end.
uint64_t FoldOutput(uint64_t checksum, const char *const arguments[], int *status);

#ifdef __cplusplus
}
#endif

#endif  // ISOCHRON_CONFORMANCE_GUESTS_LINUX_BENCH_BENCH_H_
