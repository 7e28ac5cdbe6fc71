// bench [-q] [-r ROUNDS] NAME...: runs benchmark programs; "all" is all of them; without a name it lists them.
//
// Prints "bench: NAME start" and "bench: NAME end CHECKSUM" around each. Who times it does so from outside, by when
// these lines arrive; guest clocks play no part. -r replaces the number of rounds, for short runs; with -q long
// programs take an eighth of theirs.

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
  unsigned rounds;  // a second or so on the slower of qemu-system-alpha and isochron's engine jit
  int is_long;      // of floating point, which qemu-system-alpha takes a dozen times as long for
} kPrograms[] = {
    {"sieve", Sieve, 130, 0},
    {"sort", Sort, 8, 0},
    {"hash", Hash, 150, 0},
    {"compress", Compress, 50, 0},
    {"search", Search, 120, 0},
    {"interpreter", Interpreter, 25, 0},
    {"calls", Calls, 10, 0},
    {"chase", Chase, 2, 0},
    {"bignum", Bignum, 1000, 0},
    {"core", Core, 2500, 0},
    {"records", Records, 1600, 0},
    {"objects", Objects, 250, 0},
    {"streams", Streams, 10, 0},
    {"branches", Branches, 100, 0},
    {"matrix", MatrixProduct, 224, 1},
    {"fft", Fft, 1440, 1},
    {"nbody", NBody, 1040, 1},
    {"mandelbrot", Mandelbrot, 144, 1},
    {"loops", Loops, 8000, 1},
    {"single", Single, 1040, 1},
    {"syscalls", SystemCalls, 30, 0},
    {"forkexec", ForkExec, 700, 0},
    {"shell", Shell, 14, 0},
    {"pagefault", PageFaults, 100, 0},
    {"stat", Stats, 600, 0},
    {"pipe", Pipes, 160, 0},
    {"fork", Forks, 90, 0},
    {"mmap", Maps, 45, 0},
    {"signal", Signals, 130, 0},
    {"storm", Storm, 6, 0},
    {"awk", Awk, 8, 0},
    {"textsort", TextSort, 9, 0},
    {"gzip", Gzip, 10, 0},
    {"sha512", Sha512, 40, 0},
};
static const size_t kProgramCount = sizeof(kPrograms) / sizeof(kPrograms[0]);

const char kNothing[] = "--nothing";

void Die(const char *what) {
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

// Of the command line.
static unsigned g_rounds, g_divisor = 1;

static unsigned RoundsOf(size_t index) {
  if (g_rounds) return g_rounds;
  return kPrograms[index].is_long ? kPrograms[index].rounds / g_divisor : kPrograms[index].rounds;
}

static void Run(size_t index) {
  // The line's beginning goes ahead, so that what takes time to send does not delay the mark itself.
  printf("bench: %s ", kPrograms[index].name);
  fflush(stdout);
  tcdrain(STDOUT_FILENO);
  puts("start");
  fflush(stdout);
  const uint64_t checksum = kPrograms[index].program(RoundsOf(index));
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
  if (argc > 1 && strcmp(argv[1], kNothing) == 0) return 0;
  for (int option; (option = getopt(argc, argv, "qr:")) != -1;) {
    if (option == '?') return 2;
    if (option == 'q') g_divisor = 8;
    if (option == 'r') g_rounds = (unsigned)strtoul(optarg, NULL, 0);
  }
  if (optind == argc) {
    for (size_t i = 0; i < kProgramCount; ++i) printf("%s %u\n", kPrograms[i].name, RoundsOf(i));
    return 0;
  }
  for (int i = optind; i < argc; ++i) {
    if (strcmp(argv[i], "all") != 0) {
      Run((size_t)Find(argv[i]));
      continue;
    }
    for (size_t program = 0; program < kProgramCount; ++program) Run(program);
  }
  return 0;
}
