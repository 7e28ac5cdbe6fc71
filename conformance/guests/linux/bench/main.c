// bench [-r ROUNDS] NAME...: runs benchmark programs; "all" is all of them; without a name it lists them.
//
// Prints "bench: NAME start" and "bench: NAME end CHECKSUM" around each. Who times it does so from outside, by when
// these lines arrive; guest clocks play no part. -r replaces the number of rounds, for short runs.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bench.h"

static const struct {
  const char *name;
  Program *program;
  unsigned rounds;  // a second or so on qemu-system-alpha
} kPrograms[] = {
    {"sieve", Sieve, 130},
    {"sort", Sort, 8},
    {"hash", Hash, 150},
    {"compress", Compress, 50},
    {"search", Search, 120},
    {"interpreter", Interpreter, 25},
    {"calls", Calls, 10},
    {"chase", Chase, 2},
    {"bignum", Bignum, 1000},
    {"matrix", MatrixProduct, 28},
    {"fft", Fft, 180},
    {"nbody", NBody, 180},
    {"mandelbrot", Mandelbrot, 18},
    {"loops", Loops, 1200},
    {"single", Single, 130},
    {"syscalls", SystemCalls, 30},
    {"forkexec", ForkExec, 700},
    {"shell", Shell, 14},
    {"pagefault", PageFaults, 100},
};
static const size_t kProgramCount = sizeof(kPrograms) / sizeof(kPrograms[0]);

const char kNothing[] = "--nothing";

_Noreturn void Die(const char *what) {
  fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
  exit(1);
}

void *Allocate(size_t size) {
  void *memory = malloc(size);
  if (!memory) Die("malloc");
  return memory;
}

uint64_t FoldBytes(uint64_t checksum, const void *bytes, size_t size) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < size; ++i) checksum = Fold(checksum, byte[i]);
  return checksum;
}

void MakeText(char *text, size_t size, uint64_t seed) {
  enum { kWords = 512 };
  static char words[kWords][12];
  for (int i = 0; i < kWords; ++i) {
    const size_t length = 2 + NextRandom(&seed) % 9;
    for (size_t j = 0; j < length; ++j) words[i][j] = (char)('a' + NextRandom(&seed) % 26);
    words[i][length] = 0;
  }
  size_t at = 0;
  while (at < size) {
    // Small numbers are likelier: so are some words in any language.
    const uint64_t dice = NextRandom(&seed);
    const char *word = words[(dice >> 8) % (1 + (dice >> 32) % kWords)];
    while (*word && at < size) text[at++] = *word++;
    if (at < size) text[at++] = (dice & 15) == 0 ? '\n' : (dice & 15) == 1 ? ',' : ' ';
  }
}

static void Run(size_t index, unsigned rounds) {
  // The line's beginning goes ahead, so that what takes time to send does not delay the mark itself.
  printf("bench: %s ", kPrograms[index].name);
  fflush(stdout);
  tcdrain(STDOUT_FILENO);
  puts("start");
  fflush(stdout);
  const uint64_t checksum = kPrograms[index].program(rounds ? rounds : kPrograms[index].rounds);
  printf("bench: %s end %016lx\n", kPrograms[index].name, checksum);
  fflush(stdout);
}

static int Find(const char *name) {
  for (size_t i = 0; i < kProgramCount; ++i) {
    if (strcmp(name, kPrograms[i].name) == 0) return (int)i;
  }
  fprintf(stderr, "bench: no program %s\n", name);
  exit(2);
}

int main(int argc, char **argv) {
  unsigned rounds = 0;
  int first = 1;
  if (argc > 1 && strcmp(argv[1], kNothing) == 0) return 0;
  if (argc > 2 && strcmp(argv[1], "-r") == 0) {
    rounds = (unsigned)strtoul(argv[2], NULL, 0);
    first = 3;
  }
  if (argc <= first) {
    for (size_t i = 0; i < kProgramCount; ++i) printf("%s %u\n", kPrograms[i].name, kPrograms[i].rounds);
    return 0;
  }
  for (int i = first; i < argc; ++i) {
    if (strcmp(argv[i], "all") != 0) {
      Run((size_t)Find(argv[i]), rounds);
      continue;
    }
    for (size_t program = 0; program < kProgramCount; ++program) Run(program, rounds);
  }
  return 0;
}
