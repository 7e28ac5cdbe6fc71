// Integer programs that live in the caches.

#include <stdlib.h>
#include <string.h>

#include "bench.h"

// Byte stores and loads in short loops.
uint64_t Sieve(unsigned rounds) {
  enum { kSize = 1 << 20 };
  unsigned char *composite = Allocate(kSize);
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    memset(composite, 0, kSize);
    uint64_t primes = 0;
    for (uint64_t i = 2; i < kSize; ++i) {
      if (composite[i]) continue;
      ++primes;
      for (uint64_t j = i * i; j < kSize; j += i) composite[j] = 1;
    }
    checksum = Fold(checksum, primes + round);
  }
  free(composite);
  return checksum;
}

static int CompareWords(const void *a, const void *b) {
  const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return (left > right) - (left < right);
}

static void QuickSort(int64_t *values, long low, long high) {
  while (low < high) {
    const int64_t pivot = values[low + (high - low) / 2];
    long i = low, j = high;
    while (i <= j) {
      while (values[i] < pivot) ++i;
      while (values[j] > pivot) --j;
      if (i > j) break;
      const int64_t value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    // The smaller part by recursion, the larger in this loop.
    if (j - low < high - i) {
      QuickSort(values, low, j);
      low = i;
    } else {
      QuickSort(values, i, high);
      high = j;
    }
  }
}

// The C library's sort, which calls through a pointer, and a sort of one's own.
uint64_t Sort(unsigned rounds) {
  enum { kCount = 200000 };
  uint32_t *words = Allocate(kCount * sizeof(*words));
  int64_t *values = Allocate(kCount * sizeof(*values));
  uint64_t checksum = 0, random = 1;
  for (unsigned round = 0; round < rounds; ++round) {
    for (int i = 0; i < kCount; ++i) {
      words[i] = (uint32_t)NextRandom(&random);
      values[i] = (int64_t)NextRandom(&random);
    }
    qsort(words, kCount, sizeof(*words), CompareWords);
    QuickSort(values, 0, kCount - 1);
    for (int i = 0; i < kCount; ++i) checksum = Fold(checksum, words[i] ^ (uint64_t)values[i]);
  }
  free(values);
  free(words);
  return checksum;
}

static uint64_t Fnv(const unsigned char *bytes, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

static uint32_t Rotate(uint32_t value, int count) { return value >> count | value << (32 - count); }

// One block of SHA-256 (FIPS 180-4, 6.2.2). The constants are those of its definition, computed in Sha256Constants().
static void Sha256Block(uint32_t state[8], const unsigned char *block, const uint32_t constants[64]) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    const unsigned char *bytes = block + 4 * i;
    w[i] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
  }
  for (int i = 16; i < 64; ++i) {
    const uint32_t s0 = Rotate(w[i - 15], 7) ^ Rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    const uint32_t s1 = Rotate(w[i - 2], 17) ^ Rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int i = 0; i < 64; ++i) {
    const uint32_t s1 = Rotate(e, 6) ^ Rotate(e, 11) ^ Rotate(e, 25);
    const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
    const uint32_t s0 = Rotate(a, 2) ^ Rotate(a, 13) ^ Rotate(a, 22);
    const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const uint32_t add[8] = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state[i] += add[i];
}

// The first 32 bits of the fraction of the square or cube root of `prime`: the low half of the largest `root` with
// root^degree <= prime * 2^(32 * degree).
static uint32_t RootFraction(uint64_t prime, int degree) {
  uint64_t root = 0;
  for (int bit = 36; bit >= 0; --bit) {
    const uint64_t next = root | (uint64_t)1 << bit;
    unsigned __int128 power = (unsigned __int128)next * next, limit = (unsigned __int128)prime << 64;
    if (degree == 3) {
      // Nothing is lost: next^3 <= prime * 2^96 if and only if next^2 <= floor(prime * 2^96 / next).
      limit = (((limit / next) << 32) | ((limit % next) << 32) / next);
    }
    if (power <= limit) root = next;
  }
  return (uint32_t)root;
}

static void Sha256Constants(uint32_t state[8], uint32_t constants[64]) {
  int count = 0;
  for (uint64_t n = 2; count < 64; ++n) {
    int is_prime = 1;
    for (uint64_t divisor = 2; divisor * divisor <= n; ++divisor) is_prime &= n % divisor != 0;
    if (!is_prime) continue;
    if (count < 8) state[count] = RootFraction(n, 2);
    constants[count++] = RootFraction(n, 3);
  }
}

// Byte loads with a multiplication each, and 32-bit rotations.
uint64_t Hash(unsigned rounds) {
  enum { kSize = 1 << 18 };
  unsigned char *bytes = Allocate(kSize);
  uint32_t state[8], constants[64];
  Sha256Constants(state, constants);
  MakeText((char *)bytes, kSize, 7);
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (int i = 0; i < 8; ++i) checksum = Fold(checksum, Fnv(bytes, kSize - (size_t)i));
    for (int i = 0; i < kSize; i += 64) Sha256Block(state, bytes + i, constants);
    for (int i = 0; i < 8; ++i) checksum = Fold(checksum, state[i]);
  }
  free(bytes);
  return checksum;
}

// Boyer, Moore and Horspool: occurrences of `pattern`.
static uint64_t CountHorspool(const char *text, size_t size, const char *pattern, size_t length) {
  size_t skip[256];
  for (int i = 0; i < 256; ++i) skip[i] = length;
  for (size_t i = 0; i + 1 < length; ++i) skip[(unsigned char)pattern[i]] = length - 1 - i;
  uint64_t found = 0;
  for (size_t at = 0; at + length <= size; at += skip[(unsigned char)text[at + length - 1]]) {
    if (memcmp(text + at, pattern, length) == 0) ++found;
  }
  return found;
}

// The C library's strstr, memchr and strlen over the same text.
static uint64_t CountByLibrary(const char *text, size_t size, const char *pattern) {
  uint64_t found = 0;
  for (const char *at = text; (at = strstr(at, pattern)); ++at) ++found;
  for (const char *at = text; (at = memchr(at, '\n', size - (size_t)(at - text))); ++at) ++found;
  return found + strlen(text);
}

uint64_t Search(unsigned rounds) {
  enum { kSize = 1 << 20 };
  char *text = Allocate(kSize + 1);
  MakeText(text, kSize, 11);
  text[kSize] = 0;
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    char pattern[8] = {0};
    memcpy(pattern, text + 1000 + 97 * round % (kSize / 2), 3 + round % 4);
    checksum = Fold(checksum, CountHorspool(text, kSize, pattern, strlen(pattern)));
    checksum = Fold(checksum, CountByLibrary(text, kSize, pattern));
  }
  free(text);
  return checksum;
}

// A machine of eight registers, dispatched by computed jumps.
enum Opcode { kAdd, kSub, kMul, kXor, kShift, kLoad, kStore, kSet, kLess, kJump, kBranch, kEnd };

struct Code {
  uint8_t opcode, a, b, c;
  int32_t value;
};

static uint64_t Interpret(const struct Code *code, uint64_t *memory, uint64_t mask, uint64_t seed) {
  static const void *const kHandlers[] = {&&add,   &&sub, &&mul,  &&xor,  &&shift,  &&load,
                                          &&store, &&set, &&less, &&jump, &&branch, &&end};
  uint64_t r[8] = {seed};
#define NEXT goto *kHandlers[(++code)->opcode]
  goto *kHandlers[code->opcode];
add: r[code->a] = r[code->b] + r[code->c]; NEXT;
sub: r[code->a] = r[code->b] - r[code->c]; NEXT;
mul: r[code->a] = r[code->b] * r[code->c]; NEXT;
xor: r[code->a] = r[code->b] ^ r[code->c]; NEXT;
shift: r[code->a] = code->value < 0 ? r[code->b] >> -code->value : r[code->b] << code->value; NEXT;
load: r[code->a] = memory[r[code->b] & mask]; NEXT;
store: memory[r[code->b] & mask] = r[code->a]; NEXT;
set: r[code->a] = (uint64_t)(int64_t)code->value; NEXT;
less: r[code->a] = r[code->b] < r[code->c]; NEXT;
jump: code += code->value; NEXT;
branch: if (r[code->a]) code += code->value; NEXT;
end: return r[0];
#undef NEXT
}

uint64_t Interpreter(unsigned rounds) {
  // Mixes r0 into a table and back, r1 = 200000 times, with a branch that depends on the data.
  static const struct Code kProgram[] = {
      {kSet, 1, 0, 0, 200000},  {kSet, 2, 0, 0, 0},      {kSet, 3, 0, 0, 1},     {kSet, 7, 0, 0, 1000003},
      {kShift, 4, 0, 0, -7},    {kXor, 0, 0, 4, 0},      {kMul, 0, 0, 7, 0},     {kAdd, 0, 0, 2, 0},
      {kLoad, 5, 0, 0, 0},      {kLess, 6, 5, 0, 0},     {kBranch, 6, 0, 0, 2},  {kSub, 5, 5, 0, 0},
      {kJump, 0, 0, 0, 1},      {kAdd, 5, 5, 0, 0},      {kStore, 5, 0, 0, 0},   {kAdd, 2, 2, 3, 0},
      {kLess, 6, 2, 1, 0},      {kBranch, 6, 0, 0, -14}, {kEnd, 0, 0, 0, 0},
  };
  enum { kWords = 1024 };
  static uint64_t memory[kWords];
  memset(memory, 0, sizeof(memory));
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    checksum = Fold(checksum, Interpret(kProgram, memory, kWords - 1, round + 1));
  }
  return checksum;
}

static __attribute__((noinline)) uint64_t Fibonacci(uint64_t n) {
  return n < 2 ? n : Fibonacci(n - 1) + Fibonacci(n - 2);
}

static __attribute__((noinline)) uint64_t Ackermann(uint64_t m, uint64_t n) {
  if (m == 0) return n + 1;
  return Ackermann(m - 1, n == 0 ? 1 : Ackermann(m, n - 1));
}

// Moves of the Towers of Hanoi, through a pointer that takes turns between two functions.
typedef uint64_t Mover(int disks, int from, int to);
static Mover MoveEven, MoveOdd;
static Mover *volatile g_movers[2] = {MoveEven, MoveOdd};

static uint64_t MoveEven(int disks, int from, int to) {
  if (disks == 0) return 0;
  const int other = 3 - from - to;
  return g_movers[1](disks - 1, from, other) + (uint64_t)(3 * from + to) + g_movers[1](disks - 1, other, to);
}

static uint64_t MoveOdd(int disks, int from, int to) {
  if (disks == 0) return 1;
  const int other = 3 - from - to;
  return g_movers[0](disks - 1, from, other) * 3 + (uint64_t)(from + 3 * to) + g_movers[0](disks - 1, other, to);
}

uint64_t Calls(unsigned rounds) {
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    checksum = Fold(checksum, Fibonacci(30 + round % 2));
    checksum = Fold(checksum, Ackermann(2, 1000 + round) + Ackermann(3, 7));
    checksum = Fold(checksum, g_movers[round & 1](20, 0, 2));
  }
  return checksum;
}
