// A compressor of the LZ77 family with chains of equal hashes, and its decompressor.
//
// Stream: tokens. A byte n < 128 stands for the n + 1 literal bytes that follow; a byte n >= 128 for a copy of n - 124
// bytes (4 to 131) from the distance in the two bytes that follow, low byte first.

#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum {
  kMinMatch = 4,
  kMaxMatch = 131,
  kMaxLiterals = 128,
  kWindow = 1 << 15,
  kHashBits = 14,
  kChain = 24,  // candidates that are looked at
};

struct Matcher {
  int32_t head[1 << kHashBits];
  int32_t previous[kWindow];
};

static uint32_t HashOf(const unsigned char *at) {
  uint32_t word;
  memcpy(&word, at, sizeof(word));
  return word * 2654435761u >> (32 - kHashBits);
}

static void Enter(struct Matcher *matcher, const unsigned char *in, int32_t at) {
  const uint32_t hash = HashOf(in + at);
  matcher->previous[at % kWindow] = matcher->head[hash];
  matcher->head[hash] = at;
}

// The longest match for what stands at `at`: its length, 0 for none, and its distance.
static int FindMatch(const struct Matcher *matcher, const unsigned char *in, int32_t at, int32_t size, int *distance) {
  const int limit = size - at < kMaxMatch ? size - at : kMaxMatch;
  int best = kMinMatch - 1;
  int32_t candidate = matcher->head[HashOf(in + at)];
  for (int tries = kChain; tries > 0 && candidate >= 0 && at - candidate < kWindow; --tries) {
    if (best < limit && in[candidate + best] == in[at + best]) {
      int length = 0;
      while (length < limit && in[candidate + length] == in[at + length]) ++length;
      if (length > best) {
        best = length;
        *distance = at - candidate;
      }
    }
    candidate = matcher->previous[candidate % kWindow];
  }
  return best < kMinMatch ? 0 : best;
}

static unsigned char *PutLiterals(unsigned char *out, const unsigned char *from, const unsigned char *to) {
  while (from < to) {
    const size_t count = (size_t)(to - from) < kMaxLiterals ? (size_t)(to - from) : kMaxLiterals;
    *out++ = (unsigned char)(count - 1);
    memcpy(out, from, count);
    out += count;
    from += count;
  }
  return out;
}

static size_t Pack(struct Matcher *matcher, const unsigned char *in, int32_t size, unsigned char *out) {
  unsigned char *const begin = out;
  int32_t at = 0, literals = 0;
  memset(matcher->head, 0xff, sizeof(matcher->head));
  while (at + kMinMatch <= size) {
    int distance = 0;
    const int length = FindMatch(matcher, in, at, size, &distance);
    if (length == 0) {
      Enter(matcher, in, at++);
      continue;
    }
    out = PutLiterals(out, in + literals, in + at);
    *out++ = (unsigned char)(length - kMinMatch + 128);
    *out++ = (unsigned char)distance;
    *out++ = (unsigned char)(distance >> 8);
    for (int i = 0; i < length; ++i, ++at) {
      if (at + kMinMatch <= size) Enter(matcher, in, at);
    }
    literals = at;
  }
  return (size_t)(PutLiterals(out, in + literals, in + size) - begin);
}

static size_t Unpack(const unsigned char *in, size_t size, unsigned char *out) {
  unsigned char *const begin = out;
  const unsigned char *const end = in + size;
  while (in < end) {
    const int token = *in++;
    if (token < 128) {
      memcpy(out, in, (size_t)token + 1);
      in += token + 1;
      out += token + 1;
      continue;
    }
    const unsigned char *from = out - (in[0] | in[1] << 8);
    in += 2;
    for (int left = token - 128 + kMinMatch; left > 0; --left) *out++ = *from++;
  }
  return (size_t)(out - begin);
}

uint64_t Compress(unsigned rounds) {
  enum { kSize = 1 << 18 };
  struct Matcher *matcher = Allocate(sizeof(*matcher));
  unsigned char *text = Allocate(kSize), *packed = Allocate(kSize + kSize / 64 + 16), *unpacked = Allocate(kSize);
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    MakeText((char *)text, kSize, round + 1);
    const size_t size = Pack(matcher, text, kSize, packed);
    if (Unpack(packed, size, unpacked) != kSize || memcmp(text, unpacked, kSize) != 0) abort();
    checksum = Fold(FoldBytes(checksum, packed, size), size);
  }
  free(unpacked);
  free(packed);
  free(text);
  free(matcher);
  return checksum;
}
