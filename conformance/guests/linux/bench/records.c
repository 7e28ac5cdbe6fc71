// Records and strings, as programs have them that keep accounts: copies of structures, enumerations, pointers to
// pointers, the C library's strings, small functions with results by reference.

#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum Kind { kPerson, kPlace, kThing, kNumber, kKinds };

struct Record {
  struct Record *next;
  enum Kind kind;
  union {
    struct {
      enum Kind likes;
      int32_t age;
      char name[32];
    } person;
    struct {
      int32_t north, east;
      char name[32];
    } place;
    struct {
      int64_t price, stock;
      char label[16];
    } thing;
    int64_t number;
  } of;
};

#define NOINLINE __attribute__((noinline))

static NOINLINE enum Kind Following(enum Kind kind, int by, int *wrapped) {
  const int sum = (int)kind + by;
  *wrapped += sum >= kKinds;
  return (enum Kind)(sum % kKinds);
}

static NOINLINE int SameName(const char *a, const char *b, int *first) {
  const int order = strcmp(a, b);
  *first = order < 0;
  return order == 0;
}

// Copies a record, and changes the copy by its kind.
static NOINLINE void Derive(struct Record *to, const struct Record *from, int by) {
  struct Record *const next = to->next;
  *to = *from;
  to->next = next;
  switch (to->kind) {
    case kPerson: {
      int wrapped = 0;
      to->of.person.age += by;
      to->of.person.likes = Following(to->of.person.likes, by & 3, &wrapped);
      to->of.person.age -= wrapped;
      break;
    }
    case kPlace:
      to->of.place.north += by;
      to->of.place.east -= to->of.place.north / 7;
      break;
    case kThing:
      to->of.thing.stock -= by;
      if (to->of.thing.stock < 0) to->of.thing.stock += to->of.thing.price;
      break;
    default: to->of.number = to->of.number * 31 + by; break;
  }
}

static NOINLINE uint64_t Value(const struct Record *record) {
  switch (record->kind) {
    case kPerson:
      return (uint64_t)record->of.person.age * 10 + (uint64_t)record->of.person.likes + strlen(record->of.person.name);
    case kPlace: return (uint64_t)(int64_t)(record->of.place.north ^ record->of.place.east);
    case kThing: return (uint64_t)(record->of.thing.price + record->of.thing.stock);
    default: return (uint64_t)record->of.number;
  }
}

static NOINLINE void NameRecord(struct Record *record, const char *stem, int number) {
  char digits[12];
  char *at = digits + sizeof(digits) - 1;
  *at = 0;
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  char *const name = record->kind == kPerson ? record->of.person.name : record->of.place.name;
  strcpy(name, stem);
  strcat(name, at);
}

static NOINLINE void Tabulate(int64_t *row, int64_t (*table)[50], int64_t value, int at) {
  row[at] = value;
  row[at + 1] = row[at];
  row[at + 30] = at;
  for (int i = at; i <= at + 1; ++i) table[at][i] = at;
  ++table[at][at - 1];
  table[at + 20][at] = row[at];
}

static void MakeRecords(struct Record *records, int count) {
  uint64_t random = 17;
  for (int i = 0; i < count; ++i) {
    struct Record *record = &records[i];
    memset(record, 0, sizeof(*record));
    record->next = &records[(i + 1) % count];
    record->kind = (enum Kind)(NextRandom(&random) >> 62);
    switch (record->kind) {
      case kPerson:
        record->of.person.age = (int32_t)(NextRandom(&random) >> 58);
        NameRecord(record, "a person of no fame, number ", i);
        break;
      case kPlace:
        record->of.place.north = (int32_t)(NextRandom(&random) >> 45);
        NameRecord(record, "a place like others, ", i);
        break;
      case kThing:
        record->of.thing.price = (int64_t)(NextRandom(&random) >> 50);
        strcpy(record->of.thing.label, "some thing");
        break;
      default: record->of.number = i; break;
    }
  }
}

uint64_t Records(unsigned rounds) {
  enum { kRecords = 64, kTurns = 2000 };
  static struct Record records[kRecords];
  static int64_t row[60], table[50][50];
  uint64_t checksum = 0;
  memset(row, 0, sizeof(row));
  memset(table, 0, sizeof(table));
  MakeRecords(records, kRecords);
  for (unsigned round = 0; round < rounds; ++round) {
    struct Record *record = &records[round % kRecords], scratch = {.next = record};
    int same = 0, first = 0, wrapped = 0;
    for (int turn = 0; turn < kTurns; ++turn) {
      Derive(&scratch, record, turn & 7);
      if (scratch.kind == kPerson || scratch.kind == kPlace) {
        int before;
        const char *stem = scratch.kind == kPerson ? "a person of no fame, number " : "a place unlike others, ";
        NameRecord(&scratch, stem, turn & 63);
        same += SameName(scratch.of.person.name, record->of.person.name, &before);
        first += before;
      } else {
        Tabulate(row, table, (int64_t)Value(&scratch), 1 + turn % 25);
      }
      if (Following(record->kind, turn, &wrapped) == kThing) Derive(record, &scratch, 1);
      checksum += Value(record);
      record = record->next;
    }
    checksum = Fold(checksum, (uint64_t)(same + first * 3 + wrapped * 5) + (uint64_t)row[7] + (uint64_t)table[8][7]);
  }
  return checksum;
}
