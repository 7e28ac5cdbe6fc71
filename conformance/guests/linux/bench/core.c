// What benchmarks of small controllers do: linked lists, matrices of small integers, a state machine over text, and a
// cyclic redundancy check over the results of each.

#include <stdlib.h>
#include <string.h>

#include "bench.h"

// CRC-16 of CCITT, low bit first, a bit at a time.
static uint16_t Crc16(uint16_t crc, uint32_t value, int bits) {
  for (int i = 0; i < bits; ++i) {
    const int bit = (int)(crc ^ value) & 1;
    crc >>= 1;
    value >>= 1;
    if (bit) crc ^= 0x8408;
  }
  return crc;
}

struct Item {
  struct Item *next;
  int16_t key, index;
};

typedef int Order(const struct Item *a, const struct Item *b);

static int ByKey(const struct Item *a, const struct Item *b) {
  return a->key != b->key ? a->key - b->key : a->index - b->index;
}

static int ByIndex(const struct Item *a, const struct Item *b) { return a->index - b->index; }

static struct Item *Reverse(struct Item *list) {
  struct Item *reversed = NULL;
  while (list) {
    struct Item *next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

static const struct Item *FindKey(const struct Item *list, int16_t key) {
  while (list && list->key != key) list = list->next;
  return list;
}

static struct Item *Merge(struct Item *a, struct Item *b, Order *order) {
  struct Item *merged = NULL, **end = &merged;
  while (a && b) {
    struct Item **least = order(a, b) <= 0 ? &a : &b;
    *end = *least;
    end = &(*least)->next;
    *least = *end;
  }
  *end = a ? a : b;
  return merged;
}

// Merges runs of 1, 2, 4... items, each kept where the bit of its length is.
static struct Item *SortList(struct Item *list, Order *order) {
  enum { kRuns = 16 };
  struct Item *runs[kRuns] = {NULL}, *sorted = NULL;
  while (list) {
    struct Item *run = list;
    list = list->next;
    run->next = NULL;
    int i = 0;
    for (; runs[i]; ++i) {
      run = Merge(runs[i], run, order);
      runs[i] = NULL;
    }
    runs[i] = run;
  }
  for (int i = 0; i < kRuns; ++i) {
    if (runs[i]) sorted = Merge(runs[i], sorted, order);
  }
  return sorted;
}

static uint16_t Lists(struct Item *items, int count, unsigned round, uint16_t crc) {
  for (int i = 0; i < count; ++i) {
    items[i].next = i + 1 < count ? &items[i + 1] : NULL;
    items[i].key = (int16_t)((items[i].key * 31 + (int)round + i) & 0x3ff);
    items[i].index = (int16_t)i;
  }
  struct Item *list = items;
  for (int key = 0; key < 48; ++key) {
    const struct Item *found = FindKey(list, (int16_t)(key * 21));
    list = Reverse(list);
    crc = Crc16(crc, found ? (uint32_t)found->index : 0xffff, 16);
  }
  list = SortList(list, ByKey);
  crc = Crc16(crc, (uint32_t)list->key << 16 | (uint32_t)list->next->index, 32);
  list = SortList(list, ByIndex);
  for (const struct Item *item = list; item; item = item->next) crc = Crc16(crc, (uint32_t)item->key, 16);
  return crc;
}

enum { kMatrix = 30 };

static uint16_t Matrices(int16_t a[kMatrix][kMatrix], int16_t b[kMatrix][kMatrix], int16_t by, uint16_t crc) {
  int32_t product[kMatrix][kMatrix], clipped = 0;
  for (int i = 0; i < kMatrix; ++i) {
    for (int j = 0; j < kMatrix; ++j) {
      int32_t sum = 0;
      for (int k = 0; k < kMatrix; ++k) sum += (a[i][k] >> 2 & 0x7f) * (b[k][j] >> 1 & 0xfff);
      product[i][j] = sum;
      clipped += sum > 0x180000 ? 10 : j > 0 && sum < product[i][j - 1] ? 1 : 0;
    }
  }
  for (int i = 0; i < kMatrix; ++i) {
    for (int j = 0; j < kMatrix; ++j) a[i][j] = (int16_t)(a[i][j] + by + (product[i][j] & 15));
    crc = Crc16(crc, (uint32_t)product[i][kMatrix - 1 - i], 32);
  }
  return Crc16(crc, (uint32_t)clipped, 32);
}

enum State { kStart, kSign, kInteger, kPoint, kFraction, kExponent, kExponentSign, kPower, kWord, kStates };

static enum State Next(enum State state, char c) {
  const int digit = c >= '0' && c <= '9', sign = c == '+' || c == '-';
  switch (state) {
    case kStart: return digit ? kInteger : sign ? kSign : c == '.' ? kPoint : kWord;
    case kSign: return digit ? kInteger : c == '.' ? kPoint : kWord;
    case kInteger: return digit ? kInteger : c == '.' ? kFraction : c == 'e' ? kExponent : kWord;
    case kPoint: return digit ? kFraction : kWord;
    case kFraction: return digit ? kFraction : c == 'e' ? kExponent : kWord;
    case kExponent: return digit ? kPower : sign ? kExponentSign : kWord;
    case kExponentSign: return digit ? kPower : kWord;
    case kPower: return digit ? kPower : kWord;
    default: return kWord;
  }
}

// Tells numbers from words: how often each state was entered, and the last one of each word.
static uint16_t Scan(const char *text, uint16_t crc) {
  uint32_t entered[kStates] = {0}, last[kStates] = {0};
  enum State state = kStart;
  for (; *text; ++text) {
    if (*text == ' ' || *text == ',') {
      ++last[state];
      state = kStart;
      continue;
    }
    const enum State next = Next(state, *text);
    if (next != state) ++entered[next];
    state = next;
  }
  for (int i = 0; i < kStates; ++i) crc = Crc16(crc, entered[i] << 16 | last[i], 32);
  return crc;
}

static void MakeNumbers(char *text, size_t size, uint64_t *random) {
  static const char *const kForms[] = {"5012", "+122", "-874", "35.54", ".1234", "-110.700", "5.5e+3", "-.123e-2",
                                       "-87e+832", "+0.6e12", "T0.3e-1F", "-T.T++Tq", "1T3.4e4z", "34.0e-T^"};
  size_t at = 0;
  while (at + 16 < size) {
    const char *form = kForms[(NextRandom(random) >> 32) % (sizeof(kForms) / sizeof(kForms[0]))];
    const size_t length = strlen(form);
    memcpy(text + at, form, length);
    at += length;
    text[at++] = NextRandom(random) >> 63 ? ',' : ' ';
  }
  text[at] = 0;
}

uint64_t Core(unsigned rounds) {
  enum { kItems = 300, kText = 6000 };
  static struct Item items[kItems];
  static int16_t a[kMatrix][kMatrix], b[kMatrix][kMatrix];
  static char text[kText];
  uint64_t random = 13, checksum = 0;
  for (int i = 0; i < kItems; ++i) items[i].key = (int16_t)(NextRandom(&random) >> 49);
  for (int i = 0; i < kMatrix; ++i) {
    for (int j = 0; j < kMatrix; ++j) {
      a[i][j] = (int16_t)(NextRandom(&random) >> 48);
      b[i][j] = (int16_t)(NextRandom(&random) >> 48);
    }
  }
  MakeNumbers(text, kText, &random);
  for (unsigned round = 0; round < rounds; ++round) {
    uint16_t crc = (uint16_t)round;
    crc = Lists(items, kItems, round, crc);
    crc = Matrices(a, b, (int16_t)round, crc);
    text[round * 7 % (kText - 100)] = (char)('0' + round % 10);
    crc = Scan(text, crc);
    checksum = Fold(checksum, crc);
  }
  return checksum;
}
