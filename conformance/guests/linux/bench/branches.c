// Branches on data that no predictor knows: decision trees, selection, a heap, a merge, a search by halving.

#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { kTrees = 16, kDepth = 8, kFeatures = 16, kSamples = 1024, kValues = 1 << 14 };

struct Split {
  int32_t threshold;
  int32_t feature;
};

// Trees are whole, and kept as heaps: the children of node i are 2i and 2i + 1.
static unsigned Vote(const struct Split *tree, const int32_t *sample) {
  unsigned node = 1;
  while (node < 1u << kDepth) {
    node *= 2;
    if (sample[tree[node / 2].feature] < tree[node / 2].threshold) continue;
    // The compiler would make a conditional move of it.
    __asm__ volatile("");
    ++node;
  }
  return node * 2654435761u >> 30;
}

// The value that would be at place `k` of the sorted values; orders them in part.
static int32_t Select(int32_t *values, int count, int k) {
  int low = 0, high = count - 1;
  while (low < high) {
    const int32_t pivot = values[(low + high) / 2];
    int i = low, j = high;
    while (i <= j) {
      while (values[i] < pivot) ++i;
      while (values[j] > pivot) --j;
      if (i > j) break;
      const int32_t value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (k <= j) {
      high = j;
    } else if (k >= i) {
      low = i;
    } else {
      break;
    }
  }
  return values[k];
}

static void SiftDown(int32_t *heap, int count, int at) {
  const int32_t value = heap[at];
  for (int child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && heap[child + 1] > heap[child]) ++child;
    if (heap[child] <= value) break;
    heap[at] = heap[child];
  }
  heap[at] = value;
}

static void HeapSort(int32_t *values, int count) {
  for (int i = count / 2 - 1; i >= 0; --i) SiftDown(values, count, i);
  for (int end = count - 1; end > 0; --end) {
    const int32_t greatest = values[0];
    values[0] = values[end];
    values[end] = greatest;
    SiftDown(values, end, 0);
  }
}

// How many of the values, both sorted, are in `b` as well.
static uint64_t CountCommon(const int32_t *a, const int32_t *b, int count) {
  uint64_t common = 0;
  for (int i = 0, j = 0; i < count && j < count;) {
    if (a[i] < b[j]) {
      ++i;
    } else if (a[i] > b[j]) {
      ++j;
    } else {
      ++common, ++i, ++j;
    }
  }
  return common;
}

static int Find(const int32_t *sorted, int count, int32_t value) {
  int low = 0, high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (sorted[middle] == value) return middle;
    if (sorted[middle] < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return -low - 1;
}

uint64_t Branches(unsigned rounds) {
  static struct Split trees[kTrees][1 << kDepth];
  static int32_t samples[kSamples][kFeatures], a[kValues], b[kValues];
  uint64_t random = 19, checksum = 0;
  for (int i = 0; i < kTrees; ++i) {
    for (int node = 1; node < 1 << kDepth; ++node) {
      trees[i][node].threshold = (int32_t)(NextRandom(&random) >> 32);
      trees[i][node].feature = (int32_t)(NextRandom(&random) % kFeatures);
    }
  }
  for (unsigned round = 0; round < rounds; ++round) {
    unsigned votes[4] = {0};
    for (int i = 0; i < kSamples; ++i) {
      for (int j = 0; j < kFeatures; ++j) samples[i][j] = (int32_t)(NextRandom(&random) >> 32);
      for (int tree = 0; tree < kTrees; ++tree) ++votes[Vote(trees[tree], samples[i])];
    }
    for (int i = 0; i < 4; ++i) checksum = Fold(checksum, votes[i]);
    for (int i = 0; i < kValues; ++i) {
      a[i] = (int32_t)(NextRandom(&random) >> 44);
      b[i] = (int32_t)(NextRandom(&random) >> 44);
    }
    for (int i = 1; i < 8; ++i) checksum = Fold(checksum, (uint64_t)Select(a, kValues, i * (kValues / 8)));
    HeapSort(a, kValues);
    HeapSort(b, kValues);
    checksum = Fold(checksum, CountCommon(a, b, kValues));
    for (int i = 0; i < kValues; ++i) checksum += (uint64_t)Find(a, kValues, b[kValues - 1 - i] ^ (i & 3));
  }
  return checksum;
}
