// Integer programs that live outside the caches, or on wide multiplication.

#include <stdlib.h>
#include <string.h>

#include "bench.h"

// Follows a random cycle through 32 MiB, one line of 64 bytes a step.
uint64_t Chase(unsigned rounds) {
  enum { kNodes = (32 << 20) / 64, kSteps = 2000000 };
  struct Node {
    struct Node *next;
    uint64_t value;
    char rest[48];
  };
  struct Node *nodes = Allocate(kNodes * sizeof(struct Node));
  uint32_t *order = Allocate(kNodes * sizeof(*order));
  uint64_t random = 5, checksum = 0;
  for (uint32_t i = 0; i < kNodes; ++i) order[i] = i;
  // Sattolo: a permutation of one cycle.
  for (uint32_t i = kNodes - 1; i > 0; --i) {
    const uint32_t j = (uint32_t)(NextRandom(&random) % i);
    const uint32_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
  for (uint32_t i = 0; i < kNodes; ++i) {
    nodes[i].next = &nodes[order[i]];
    nodes[i].value = i;
  }
  const struct Node *node = nodes;
  for (unsigned round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSteps; ++i) {
      checksum += node->value;
      node = node->next;
    }
    checksum = Fold(checksum, node->value);
  }
  free(order);
  free(nodes);
  return checksum;
}

// Passes over 32 MiB of words, in order and at random.
uint64_t Streams(unsigned rounds) {
  enum { kWords = (32 << 20) / sizeof(uint64_t), kHalf = kWords / 2, kUpdates = 1 << 19 };
  uint64_t *words = Allocate(kWords * sizeof(*words)), *other = words + kHalf;
  uint64_t random = 31, checksum = 0;
  for (size_t i = 0; i < kWords; ++i) words[i] = i;
  for (unsigned round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < kHalf; ++i) words[i] = other[i] + 3 * words[i];
    for (size_t i = 0; i < kHalf; ++i) other[i] = words[i] ^ round;
    for (int i = 0; i < kUpdates; ++i) {
      const uint64_t update = NextRandom(&random);
      words[update % kWords] ^= update;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < kWords; i += 8) sum += words[i];
    checksum = Fold(checksum, sum);
  }
  free(words);
  return checksum;
}

// product = a * b, each of `size` words, low word first; product has twice as many.
static void Multiply(uint64_t *product, const uint64_t *a, const uint64_t *b, size_t size) {
  memset(product, 0, 2 * size * sizeof(*product));
  for (size_t i = 0; i < size; ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < size; ++j) {
      const unsigned __int128 sum = (unsigned __int128)a[i] * b[j] + product[i + j] + carry;
      product[i + j] = (uint64_t)sum;
      carry = (uint64_t)(sum >> 64);
    }
    product[i + size] = carry;
  }
}

// Multiplication of 32768-bit numbers by the schoolbook.
uint64_t Bignum(unsigned rounds) {
  enum { kWords = 512 };
  uint64_t a[kWords], b[kWords], product[2 * kWords];
  uint64_t random = 3, checksum = 0;
  for (int i = 0; i < kWords; ++i) {
    a[i] = NextRandom(&random);
    b[i] = NextRandom(&random);
  }
  for (unsigned round = 0; round < rounds; ++round) {
    Multiply(product, a, b, kWords);
    memcpy(a, product + kWords / 2, sizeof(a));
    b[round % kWords] ^= product[0];
    checksum = Fold(checksum, a[round % kWords]);
  }
  return FoldBytes(checksum, a, sizeof(a));
}
