// Prints a checksum of the results of each floating-point operation in each rounding mode over many operands, and the
// status bits that they leave; `fpdump NAME` prints every result of the operations whose name begins with NAME.

#include "guest.h"

typedef struct {
  const char *name;
  uint64_t (*run)(uint64_t a, uint64_t b);
  enum { kPairsT, kPairsS, kOneT, kOneS, kInteger, kPairsG, kPairsF, kOneG } operands;
} Row;

#define BINARY(function, instruction, load, store)                                                       \
  static uint64_t function(uint64_t a, uint64_t b) {                                                     \
    uint64_t result = 0;                                                                                 \
    asm volatile(load " $f10,%1\n\t" load " $f11,%2\n\t" instruction " $f10,$f11,$f12\n\ttrapb\n\t" store \
                 " $f12,%0"                                                                              \
                 : "+m"(result)                                                                          \
                 : "m"(a), "m"(b)                                                                        \
                 : "$f10", "$f11", "$f12");                                                              \
    return result;                                                                                       \
  }
#define UNARY(function, instruction, load, store)                                                    \
  static uint64_t function(uint64_t a, uint64_t b) {                                                 \
    (void)b;                                                                                         \
    uint64_t result = 0;                                                                             \
    asm volatile(load " $f10,%1\n\t" instruction " $f10,$f12\n\ttrapb\n\t" store " $f12,%0"          \
                 : "+m"(result)                                                                      \
                 : "m"(a)                                                                            \
                 : "$f10", "$f12");                                                                  \
    return result;                                                                                   \
  }

// Nearest, chopped, towards minus infinity, and dynamic (which the FPCR sets).
#define BINARY_ROUNDED(op, trap, load, store)             \
  BINARY(op##_n, #op "/" trap, load, store)               \
  BINARY(op##_c, #op "/" trap "c", load, store)           \
  BINARY(op##_m, #op "/" trap "m", load, store)           \
  BINARY(op##_d, #op "/" trap "d", load, store)
#define UNARY_ROUNDED(op, trap, load, store)              \
  UNARY(op##_n, #op "/" trap, load, store)                \
  UNARY(op##_c, #op "/" trap "c", load, store)            \
  UNARY(op##_m, #op "/" trap "m", load, store)            \
  UNARY(op##_d, #op "/" trap "d", load, store)

// /SUI, so that underflow is completed with denormals and inexact is recorded.
BINARY_ROUNDED(addt, "sui", "ldt", "stt")
BINARY_ROUNDED(subt, "sui", "ldt", "stt")
BINARY_ROUNDED(mult, "sui", "ldt", "stt")
BINARY_ROUNDED(divt, "sui", "ldt", "stt")
BINARY_ROUNDED(adds, "sui", "lds", "sts")
BINARY_ROUNDED(subs, "sui", "lds", "sts")
BINARY_ROUNDED(muls, "sui", "lds", "sts")
BINARY_ROUNDED(divs, "sui", "lds", "sts")
UNARY_ROUNDED(sqrtt, "sui", "ldt", "stt")
UNARY_ROUNDED(sqrts, "sui", "lds", "sts")
UNARY_ROUNDED(cvtts, "sui", "ldt", "sts")
UNARY_ROUNDED(cvttq, "svi", "ldt", "stt")
UNARY_ROUNDED(cvtqt, "sui", "ldt", "stt")
UNARY_ROUNDED(cvtqs, "sui", "ldt", "sts")
UNARY(cvtst_s, "cvtst/s", "lds", "stt")
UNARY(cvtql_sv, "cvtql/sv", "ldt", "stt")
UNARY(cvtlq, "cvtlq", "ldt", "stt")
BINARY(cmpteq, "cmpteq/su", "ldt", "stt")
BINARY(cmptlt, "cmptlt/su", "ldt", "stt")
BINARY(cmptle, "cmptle/su", "ldt", "stt")
BINARY(cmptun, "cmptun/su", "ldt", "stt")
BINARY(cpys, "cpys", "ldt", "stt")
BINARY(cpysn, "cpysn", "ldt", "stt")
BINARY(cpyse, "cpyse", "ldt", "stt")
BINARY(cpys_single, "cpys", "lds", "sts")
// VAX formats; the operands stay where nothing traps.
BINARY(addg, "addg", "ldg", "stg")
BINARY(addg_c, "addg/c", "ldg", "stg")
BINARY(subg, "subg", "ldg", "stg")
BINARY(mulg, "mulg", "ldg", "stg")
BINARY(mulg_c, "mulg/c", "ldg", "stg")
BINARY(divg, "divg", "ldg", "stg")
BINARY(divg_c, "divg/c", "ldg", "stg")
BINARY(addf, "addf", "ldf", "stf")
BINARY(subf, "subf", "ldf", "stf")
BINARY(mulf, "mulf", "ldf", "stf")
BINARY(mulf_c, "mulf/c", "ldf", "stf")
BINARY(divf, "divf", "ldf", "stf")
BINARY(cmpgeq, "cmpgeq", "ldg", "stg")
BINARY(cmpglt, "cmpglt", "ldg", "stg")
BINARY(cmpgle, "cmpgle", "ldg", "stg")
UNARY(cvtgf, "cvtgf", "ldg", "stf")
UNARY(cvtgf_c, "cvtgf/c", "ldg", "stf")
UNARY(cvtgd, "cvtgd", "ldg", "stg")
UNARY(cvtdg, "cvtdg", "ldg", "stg")
UNARY(cvtgq, "cvtgq", "ldg", "stt")
UNARY(cvtgq_c, "cvtgq/c", "ldg", "stt")
UNARY(cvtqg, "cvtqg", "ldt", "stg")
UNARY(cvtqg_c, "cvtqg/c", "ldt", "stg")
UNARY(cvtqf, "cvtqf", "ldt", "stf")
UNARY(cvtqf_c, "cvtqf/c", "ldt", "stf")

// Moves between the register files.
static uint64_t itoft(uint64_t a, uint64_t b) {
  uint64_t result;
  asm volatile("itoft %1,$f10\n\titofs %2,$f11\n\tcpys $f10,$f11,$f12\n\tftoit $f12,%0"
               : "=r"(result)
               : "r"(a), "r"(b)
               : "$f10", "$f11", "$f12");
  return result;
}
static uint64_t itofs(uint64_t a, uint64_t b) {
  uint64_t single, whole;
  asm volatile("itofs %2,$f10\n\tftois $f10,%0\n\tftoit $f10,%1" : "=&r"(single), "=&r"(whole) : "r"(a ^ b) : "$f10");
  return single ^ whole << 1;
}
static uint64_t itoff(uint64_t a, uint64_t b) {
  uint64_t whole;
  asm volatile("itoff %1,$f10\n\tftoit $f10,%0" : "=&r"(whole) : "r"(a ^ b) : "$f10");
  return whole;
}
// The conditional moves in one number.
static uint64_t fcmov(uint64_t a, uint64_t b) {
  uint64_t result = 0, taken;
#define MOVE(op)                                                                                           \
  asm volatile("ldt $f10,%1\n\tldt $f11,%2\n\tcpys $f31,$f31,$f12\n\t" op " $f10,$f11,$f12\n\tftoit $f12,%0" \
               : "=r"(taken)                                                                               \
               : "m"(a), "m"(b)                                                                            \
               : "$f10", "$f11", "$f12");                                                                  \
  result = result * 31 + taken;
  MOVE("fcmoveq") MOVE("fcmovne") MOVE("fcmovlt") MOVE("fcmovge") MOVE("fcmovle") MOVE("fcmovgt")
  return result;
}

#define ROUNDED(op, operands) \
  {#op " near", op##_n, operands}, {#op " chop", op##_c, operands}, {#op " minus", op##_m, operands}, {#op " dynamic", op##_d, operands}
#define PLAIN(op, operands) {#op, op, operands}

static const Row kRows[] = {
    ROUNDED(addt, kPairsT), ROUNDED(subt, kPairsT), ROUNDED(mult, kPairsT), ROUNDED(divt, kPairsT),
    ROUNDED(adds, kPairsS), ROUNDED(subs, kPairsS), ROUNDED(muls, kPairsS), ROUNDED(divs, kPairsS),
    ROUNDED(sqrtt, kOneT), ROUNDED(sqrts, kOneS), ROUNDED(cvtts, kOneT), ROUNDED(cvttq, kOneT),
    ROUNDED(cvtqt, kInteger), ROUNDED(cvtqs, kInteger),
    PLAIN(cvtst_s, kOneS), PLAIN(cvtql_sv, kInteger), PLAIN(cvtlq, kInteger),
    PLAIN(cmpteq, kPairsT), PLAIN(cmptlt, kPairsT), PLAIN(cmptle, kPairsT), PLAIN(cmptun, kPairsT),
    PLAIN(cpys, kPairsT), PLAIN(cpysn, kPairsT), PLAIN(cpyse, kPairsT), PLAIN(cpys_single, kPairsS),
    PLAIN(fcmov, kPairsT), PLAIN(itoft, kPairsT), PLAIN(itofs, kPairsS), PLAIN(itoff, kPairsF),
    PLAIN(addg, kPairsG), PLAIN(addg_c, kPairsG), PLAIN(subg, kPairsG), PLAIN(mulg, kPairsG), PLAIN(mulg_c, kPairsG),
    PLAIN(divg, kPairsG), PLAIN(divg_c, kPairsG), PLAIN(addf, kPairsF), PLAIN(subf, kPairsF), PLAIN(mulf, kPairsF),
    PLAIN(mulf_c, kPairsF), PLAIN(divf, kPairsF), PLAIN(cmpgeq, kPairsG), PLAIN(cmpglt, kPairsG),
    PLAIN(cmpgle, kPairsG), PLAIN(cvtgf, kOneG), PLAIN(cvtgf_c, kOneG), PLAIN(cvtgd, kOneG), PLAIN(cvtdg, kOneG),
    PLAIN(cvtgq, kOneG), PLAIN(cvtgq_c, kOneG), PLAIN(cvtqg, kInteger), PLAIN(cvtqg_c, kInteger),
    PLAIN(cvtqf, kInteger), PLAIN(cvtqf_c, kInteger),
};

static const uint64_t kT[] = {
    0, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000, 0x3ff0000000000001, 0x3fefffffffffffff,
    0x4000000000000000, 0x4008000000000000, 0xc008000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
    0x0010000000000000, 0x8010000000000000, 0x0010000000000001, 0x001fffffffffffff, 0x0000000000000001,
    0x8000000000000001, 0x000fffffffffffff, 0x0008000000000000, 0x7ff0000000000000, 0xfff0000000000000,
    0x7ff8000000000000, 0xfff8000000abcdef, 0x7ff0000000000001, 0xfff4000000000000, 0x400921fb54442d18,
    0x4330000000000001, 0x433fffffffffffff, 0x43e0000000000000, 0xc3e0000000000000, 0xc3e0000000000001,
    0x41dfffffffe00000, 0x41e0000000000000, 0x3fe0000000000000, 0x3fdfffffffffffff, 0x3ff8000000000000,
    0x47efffffe0000000, 0x47efffffefffffff, 0x47effffff0000000, 0x3810000000000000, 0x380fffffffffffff,
    0x36a0000000000000, 0x3690000000000001, 0x3ca0000000000000, 0x3cb0000000000000,
};
static const uint64_t kS[] = {
    0, 0x80000000, 0x3f800000, 0xbf800000, 0x3f800001, 0x3f7fffff, 0x40000000, 0x40400000, 0xc0400000, 0x7f7fffff,
    0xff7fffff, 0x00800000, 0x80800000, 0x00800001, 0x00ffffff, 0x00000001, 0x80000001, 0x007fffff, 0x00400000,
    0x7f800000, 0xff800000, 0x7fc00000, 0xffc0abcd, 0x7f800001, 0xffa00000, 0x40490fdb, 0x4b000001, 0x3f000000,
    0x33800000, 0x34000000,
};
static const uint64_t kIntegers[] = {
    0, 1, -1ul, 2, 0x7fffffff, 0x80000000, 0xffffffff80000000, 0xffffffff7fffffff, 0x1000001, 0xffffff,
    0x20000000000001, 0x1fffffffffffff, 0x40000000000003, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
    0x7ffffffffffffc00, 0x7ffffffffffffe00, 0x7ffffffffffffdff, 0x123456789abcdef0,
};

static uint64_t g_random = 0x9e3779b97f4a7c15;
static uint64_t Random(void) {
  g_random ^= g_random << 13;
  g_random ^= g_random >> 7;
  g_random ^= g_random << 17;
  return g_random;
}

// The VAX memory format of a number with this exponent near the middle of the range.
static uint64_t RandomG(void) {
  uint64_t bits = Random();
  return (bits & 0xffffffffffff800f) | (0x4000 + (bits >> 20 & 0x3f) - 0x20 * (bits >> 30 & 1) * 16) % 0x7ff0;
}
static uint64_t RandomF(void) {
  uint64_t bits = Random() & 0xffffffff;
  return (bits & 0xffff807f) | 0x4000 | (bits >> 9 & 0x0780);
}

enum { kRandomPairs = 400 };

static uint64_t g_checksum;
static void Apply(const Row *row, uint64_t a, uint64_t b, int verbose) {
  volatile uint64_t result = 0;
  int number = CAUGHT(result = row->run(a, b));
  if (number) result = 0xdead000000000000 | (unsigned)number << 8 | (unsigned)g_info.si_code;
  g_checksum = (g_checksum ^ result) * 0x100000001b3;
  if (verbose) printf("%s %016lx %016lx -> %016lx%s\n", row->name, a, b, result, number ? " (a signal)" : "");
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void ApplyTable(const Row *row, const uint64_t *table, size_t count, int pairs, int verbose) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < (pairs ? count : 1); ++j) Apply(row, table[i], table[j], verbose);
  }
}

static void Operands(const Row *row, int verbose) {
  switch (row->operands) {
    case kPairsT: ApplyTable(row, kT, COUNT(kT), 1, verbose); break;
    case kPairsS: ApplyTable(row, kS, COUNT(kS), 1, verbose); break;
    case kOneT: ApplyTable(row, kT, COUNT(kT), 0, verbose); break;
    case kOneS: ApplyTable(row, kS, COUNT(kS), 0, verbose); break;
    case kInteger: ApplyTable(row, kIntegers, COUNT(kIntegers), 0, verbose); break;
    default: break;
  }
  for (int i = 0; i < kRandomPairs; ++i) {
    uint64_t a = Random(), b = Random();
    switch (row->operands) {
      // Near one another half of the time: random exponents rarely meet.
      case kPairsT:
      case kOneT:
        if (i & 1) a = (a & 0x800fffffffffffff) | 0x3fe0000000000000 | (a & 0x1f) << 52;
        if (i & 1) b = (b & 0x800fffffffffffff) | 0x3fe0000000000000 | (b & 0x1f) << 52;
        break;
      case kPairsS:
      case kOneS:
        a &= 0xffffffff, b &= 0xffffffff;
        if (i & 1) a = (a & 0x807fffff) | 0x3f000000 | (a & 0x7) << 23;
        if (i & 1) b = (b & 0x807fffff) | 0x3f000000 | (b & 0x7) << 23;
        break;
      case kInteger: a >>= b & 63; break;
      case kPairsG:
      case kOneG: a = RandomG(), b = RandomG(); break;
      case kPairsF: a = RandomF(), b = RandomF(); break;
    }
    Apply(row, a, b, verbose);
  }
}

int main(int argc, char **argv) {
  static const char *const kModes[] = {"chop", "minus", "near", "plus"};
  CatchFaults();
  for (size_t i = 0; i < COUNT(kRows); ++i) {
    const Row *row = &kRows[i];
    int verbose = argc > 1 && strncmp(row->name, argv[1], strlen(argv[1])) == 0;
    if (argc > 1 && !verbose) continue;
    int dynamic = strstr(row->name, "dynamic") != NULL;
    for (int mode = dynamic ? 0 : 2; mode < (dynamic ? 4 : 3); ++mode) {
      SetFpControl(0);
      uint64_t fpcr;
      asm volatile("excb\n\tmf_fpcr $f10\n\texcb\n\tstt $f10,%0" : "=m"(fpcr) : : "$f10");
      fpcr = (fpcr & ~(3ul << 58)) | (uint64_t)mode << 58;
      asm volatile("excb\n\tldt $f10,%0\n\tmt_fpcr $f10\n\texcb" : : "m"(fpcr) : "$f10");
      g_checksum = 0xcbf29ce484222325;
      g_random = 0x9e3779b97f4a7c15;
      Operands(row, verbose);
      unsigned long status = FpControl();
      printf("%-14s %-5s %016lx [%s]\n", row->name, dynamic ? kModes[mode] : "", g_checksum, StatusNames(status));
    }
  }
  return 0;
}
