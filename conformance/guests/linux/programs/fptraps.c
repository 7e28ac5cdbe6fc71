// Raises every arithmetic trap and prints what the program sees: the result or SIGFPE's code, and the status bits.
// Each operation runs with each trap qualifier, first with all traps masked in the control word (so that the kernel
// completes what the hardware does not deliver) and then with all of them enabled; denormal operands and results also
// with the control word mapping them to zero.

#include "guest.h"

typedef uint64_t (*Operation)(uint64_t a, uint64_t b);

// Operands and result go through memory as raw bits: the compiler sees no floating point.
#define BINARY(name, instruction, load, store)                                                           \
  static uint64_t name(uint64_t a, uint64_t b) {                                                         \
    uint64_t result = 0x5555555555555555;                                                                \
    asm volatile(load " $f10,%1\n\t" load " $f11,%2\n\t" instruction " $f10,$f11,$f12\n\ttrapb\n\t" store \
                 " $f12,%0"                                                                              \
                 : "+m"(result)                                                                          \
                 : "m"(a), "m"(b)                                                                        \
                 : "$f10", "$f11", "$f12");                                                              \
    return result;                                                                                       \
  }
#define UNARY(name, instruction, load, store)                                                         \
  static uint64_t name(uint64_t a, uint64_t b) {                                                      \
    (void)b;                                                                                          \
    uint64_t result = 0x5555555555555555;                                                             \
    asm volatile(load " $f10,%1\n\t" instruction " $f10,$f12\n\ttrapb\n\t" store " $f12,%0"           \
                 : "+m"(result)                                                                       \
                 : "m"(a)                                                                             \
                 : "$f10", "$f12");                                                                   \
    return result;                                                                                    \
  }
#define INTEGER(name, instruction)                                                                     \
  static uint64_t name(uint64_t a, uint64_t b) {                                                       \
    uint64_t result;                                                                                   \
    asm volatile(instruction " %1,%2,%0\n\ttrapb" : "=&r"(result) : "r"(a), "r"(b));                   \
    return result;                                                                                     \
  }

#define BINARY_ALL(op, load, store)                 \
  BINARY(op, #op, load, store)                      \
  BINARY(op##_u, #op "/u", load, store)             \
  BINARY(op##_su, #op "/su", load, store)           \
  BINARY(op##_sui, #op "/sui", load, store)
#define UNARY_ALL(op, load, store)                  \
  UNARY(op, #op, load, store)                       \
  UNARY(op##_u, #op "/u", load, store)              \
  UNARY(op##_su, #op "/su", load, store)            \
  UNARY(op##_sui, #op "/sui", load, store)

BINARY_ALL(addt, "ldt", "stt")
BINARY_ALL(subt, "ldt", "stt")
BINARY_ALL(mult, "ldt", "stt")
BINARY_ALL(divt, "ldt", "stt")
BINARY_ALL(adds, "lds", "sts")
BINARY_ALL(subs, "lds", "sts")
BINARY_ALL(muls, "lds", "sts")
BINARY_ALL(divs, "lds", "sts")
UNARY_ALL(sqrtt, "ldt", "stt")
UNARY_ALL(sqrts, "lds", "sts")
UNARY_ALL(cvtts, "ldt", "sts")
BINARY(cmptlt, "cmptlt", "ldt", "stt")
BINARY(cmptlt_su, "cmptlt/su", "ldt", "stt")
BINARY(cmpteq, "cmpteq", "ldt", "stt")
BINARY(cmpteq_su, "cmpteq/su", "ldt", "stt")
BINARY(cmptun_su, "cmptun/su", "ldt", "stt")
UNARY(cvtst, "cvtst", "lds", "stt")
UNARY(cvtst_s, "cvtst/s", "lds", "stt")
UNARY(cvttq, "cvttq", "ldt", "stt")
UNARY(cvttq_v, "cvttq/v", "ldt", "stt")
UNARY(cvttq_sv, "cvttq/sv", "ldt", "stt")
UNARY(cvttq_svi, "cvttq/svi", "ldt", "stt")
UNARY(cvtqt, "cvtqt", "ldt", "stt")
UNARY(cvtqt_sui, "cvtqt/sui", "ldt", "stt")
UNARY(cvtqs, "cvtqs", "ldt", "sts")
UNARY(cvtqs_sui, "cvtqs/sui", "ldt", "sts")
UNARY(cvtql, "cvtql", "ldt", "stt")
UNARY(cvtql_v, "cvtql/v", "ldt", "stt")
UNARY(cvtql_sv, "cvtql/sv", "ldt", "stt")
BINARY(addg, "addg", "ldg", "stg")
BINARY(divg, "divg", "ldg", "stg")
BINARY(mulg, "mulg", "ldg", "stg")
BINARY(mulg_u, "mulg/u", "ldg", "stg")
BINARY(mulg_su, "mulg/su", "ldg", "stg")
BINARY(divf, "divf", "ldf", "stf")
BINARY(mulf, "mulf", "ldf", "stf")
BINARY(mulf_u, "mulf/u", "ldf", "stf")
INTEGER(addlv, "addl/v")
INTEGER(sublv, "subl/v")
INTEGER(mullv, "mull/v")
INTEGER(addqv, "addq/v")
INTEGER(subqv, "subq/v")
INTEGER(mulqv, "mulq/v")

typedef struct {
  const char *name;
  Operation operation;
  int set;  // which table of operands
} Row;

#define ROWS(op, set) {#op, op, set}, {#op "/u", op##_u, set}, {#op "/su", op##_su, set}, {#op "/sui", op##_sui, set}
enum { kAddT, kSubT, kMulT, kDivT, kOneT, kAddS, kSubS, kMulS, kDivS, kOneS, kToInteger, kQuad, kG, kF, kLong, kQuadword, kSets };

static const Row kRows[] = {
    ROWS(addt, kAddT), ROWS(subt, kSubT), ROWS(mult, kMulT), ROWS(divt, kDivT), ROWS(sqrtt, kOneT),
    ROWS(adds, kAddS), ROWS(subs, kSubS), ROWS(muls, kMulS), ROWS(divs, kDivS), ROWS(sqrts, kOneS),
    ROWS(cvtts, kOneT),
    {"cmptlt", cmptlt, kAddT}, {"cmptlt/su", cmptlt_su, kAddT}, {"cmpteq", cmpteq, kAddT},
    {"cmpteq/su", cmpteq_su, kAddT}, {"cmptun/su", cmptun_su, kAddT},
    {"cvtst", cvtst, kOneS}, {"cvtst/s", cvtst_s, kOneS},
    {"cvttq", cvttq, kToInteger}, {"cvttq/v", cvttq_v, kToInteger}, {"cvttq/sv", cvttq_sv, kToInteger},
    {"cvttq/svi", cvttq_svi, kToInteger},
    {"cvtqt", cvtqt, kQuad}, {"cvtqt/sui", cvtqt_sui, kQuad}, {"cvtqs", cvtqs, kQuad}, {"cvtqs/sui", cvtqs_sui, kQuad},
    {"cvtql", cvtql, kQuad}, {"cvtql/v", cvtql_v, kQuad}, {"cvtql/sv", cvtql_sv, kQuad},
    {"addg", addg, kG}, {"mulg", mulg, kG}, {"mulg/u", mulg_u, kG}, {"mulg/su", mulg_su, kG}, {"divg", divg, kG},
    {"mulf", mulf, kF}, {"mulf/u", mulf_u, kF}, {"divf", divf, kF},
    {"addl/v", addlv, kLong}, {"subl/v", sublv, kLong}, {"mull/v", mullv, kLong},
    {"addq/v", addqv, kQuadword}, {"subq/v", subqv, kQuadword}, {"mulq/v", mulqv, kQuadword},
};

#define T_ONE 0x3ff0000000000000
#define T_MAX 0x7fefffffffffffff
#define T_MIN 0x0010000000000000
#define T_INF 0x7ff0000000000000
#define T_QNAN 0x7ff8000000001234
#define T_SNAN 0x7ff0000000005678
#define T_DENORMAL 0x0000000000000003
#define T_MINUS(x) ((x) | 0x8000000000000000)
#define S_ONE 0x3f800000
#define S_MAX 0x7f7fffff
#define S_MIN 0x00800000
#define S_INF 0x7f800000
#define S_QNAN 0x7fc01234
#define S_SNAN 0x7f805678
#define S_DENORMAL 0x00000003
#define S_MINUS(x) ((x) | 0x80000000)

// VAX formats in memory order: the sixteen-bit words are swapped against the register's order.
#define G_ONE 0x0000000000004010
#define G_MAX 0xffffffffffff7fff
#define G_MIN 0x0000000000000010
#define G_RESERVED 0x0000000000008000
#define G_DIRTY_ZERO 0x0000000000010000
#define F_ONE 0x00004080
#define F_MAX 0xffff7fff
#define F_MIN 0x00000080
#define F_RESERVED 0x00008000

static const struct {
  const char *what;
  uint64_t a, b;
} kOperands[kSets][12] = {
    [kAddT] = {{"plain", T_ONE, T_ONE}, {"inexact", T_ONE, T_MIN}, {"overflow", T_MAX, T_MAX},
               {"inf - inf", T_INF, T_MINUS(T_INF)}, {"inf", T_INF, T_ONE}, {"quiet NaN", T_QNAN, T_ONE},
               {"signaling NaN", T_ONE, T_SNAN}, {"denormal", T_DENORMAL, T_ONE},
               {"denormals", T_DENORMAL, T_DENORMAL}, {"to denormal", T_MIN, T_MINUS(T_MIN + 1)}},
    [kSubT] = {{"inexact", T_ONE, T_MIN}, {"overflow", T_MAX, T_MINUS(T_MAX)}, {"inf - inf", T_INF, T_INF},
               {"denormal", T_ONE, T_DENORMAL}, {"to denormal", T_MIN + 1, T_MIN}, {"NaNs", T_SNAN, T_QNAN}},
    [kMulT] = {{"plain", T_ONE, T_ONE}, {"inexact", T_ONE + 1, T_ONE + 1}, {"overflow", T_MAX, T_MAX},
               {"underflow", T_MIN, T_MIN}, {"to denormal", T_MIN, 0x3fe0000000000001}, {"0 * inf", 0, T_INF},
               {"denormal", T_DENORMAL, T_ONE}, {"signaling NaN", T_SNAN, T_ONE}},
    [kDivT] = {{"plain", T_ONE, T_ONE}, {"inexact", T_ONE, 0x4008000000000000}, {"divide by zero", T_ONE, 0},
               {"minus by zero", T_MINUS(T_ONE), 0}, {"0 / 0", 0, 0}, {"inf / inf", T_INF, T_INF},
               {"overflow", T_MAX, T_MIN}, {"underflow", T_MIN, T_MAX}, {"to denormal", T_MIN, 0x4008000000000000},
               {"by denormal", T_ONE, T_DENORMAL}, {"denormal by zero", T_DENORMAL, 0}},
    [kOneT] = {{"plain", T_ONE}, {"2", 0x4000000000000000}, {"-1", T_MINUS(T_ONE)}, {"-0", T_MINUS(0ul)},
               {"max", T_MAX}, {"min", T_MIN}, {"denormal", T_DENORMAL}, {"-denormal", T_MINUS(T_DENORMAL)},
               {"inf", T_INF}, {"quiet NaN", T_QNAN}, {"signaling NaN", T_SNAN}, {"S denormal", 0x3800000000000001}},
    [kAddS] = {{"plain", S_ONE, S_ONE}, {"inexact", S_ONE, S_MIN}, {"overflow", S_MAX, S_MAX},
               {"inf - inf", S_INF, S_MINUS(S_INF)}, {"quiet NaN", S_QNAN, S_ONE}, {"signaling NaN", S_ONE, S_SNAN},
               {"denormal", S_DENORMAL, S_ONE}, {"denormals", S_DENORMAL, S_DENORMAL},
               {"to denormal", S_MIN, S_MINUS(S_MIN + 1)}},
    [kSubS] = {{"inexact", S_ONE, S_MIN}, {"overflow", S_MAX, S_MINUS(S_MAX)}, {"denormal", S_ONE, S_DENORMAL},
               {"to denormal", S_MIN + 1, S_MIN}},
    [kMulS] = {{"inexact", S_ONE + 1, S_ONE + 1}, {"overflow", S_MAX, S_MAX}, {"underflow", S_MIN, S_MIN},
               {"to denormal", S_MIN, 0x3f000001}, {"0 * inf", 0, S_INF}, {"denormal", S_DENORMAL, S_ONE}},
    [kDivS] = {{"inexact", S_ONE, 0x40400000}, {"divide by zero", S_ONE, 0}, {"0 / 0", 0, 0},
               {"overflow", S_MAX, S_MIN}, {"underflow", S_MIN, S_MAX}, {"to denormal", S_MIN, 0x40400000},
               {"by denormal", S_ONE, S_DENORMAL}},
    [kOneS] = {{"plain", S_ONE}, {"2", 0x40000000}, {"-1", S_MINUS(S_ONE)}, {"denormal", S_DENORMAL}, {"inf", S_INF},
               {"quiet NaN", S_QNAN}, {"signaling NaN", S_SNAN}},
    [kToInteger] = {{"plain", T_ONE}, {"inexact", 0x3ff8000000000000}, {"2^63", 0x43e0000000000000},
                    {"-2^63", 0xc3e0000000000000}, {"2^64+2^12", 0x43f0000000000001}, {"1e300", 0x7e37e43c8800759c},
                    {"inf", T_INF}, {"quiet NaN", T_QNAN}, {"signaling NaN", T_SNAN}, {"denormal", T_DENORMAL}},
    [kQuad] = {{"plain", 1}, {"2^31", 0x80000000}, {"-2^31", 0xffffffff80000000}, {"2^53+1", 0x20000000000001},
               {"max", 0x7fffffffffffffff}, {"min", 0x8000000000000000}},
    [kG] = {{"plain", G_ONE, G_ONE}, {"overflow", G_MAX, G_MAX}, {"underflow", G_MIN, G_MIN}, {"by zero", G_ONE, 0},
            {"reserved", G_RESERVED, G_ONE}, {"dirty zero", G_DIRTY_ZERO, G_ONE}},
    [kF] = {{"plain", F_ONE, F_ONE}, {"overflow", F_MAX, F_MAX}, {"underflow", F_MIN, F_MIN}, {"by zero", F_ONE, 0},
            {"reserved", F_RESERVED, F_ONE}},
    [kLong] = {{"plain", 1, 2}, {"overflow", 0x7fffffff, 0x7fffffff}, {"minimum", -0x80000000ul, 1},
               {"minima", -0x80000000ul, -0x80000000ul}},
    [kQuadword] = {{"plain", 1, 2}, {"overflow", 0x7fffffffffffffff, 0x7fffffffffffffff},
                   {"minimum", 0x8000000000000000, 1}, {"minima", 0x8000000000000000, 0x8000000000000000},
                   {"minus", 0x8000000000000000, -1ul}},
};

static void Run(const Row *row, const char *what, uint64_t a, uint64_t b, const char *mode, unsigned long control) {
  volatile uint64_t result = 0;
  SetFpControl(control);
  int number = CAUGHT(result = row->operation(a, b));
  unsigned long status = FpControl();
  SetFpControl(0);
  printf("%-10s %-16s %-7s ", row->name, what, mode);
  if (number) {
    printf("%s %s", SignalName(number), CodeName(number, g_info.si_code));
  } else {
    printf("%016lx", result);
  }
  printf(" [%s]\n", StatusNames(status));
}

int main(void) {
  static const unsigned long kAll = kInvalid | kDivideByZero | kOverflow | kUnderflow | kInexact | kDenormal;
  CatchFaults();
  for (size_t i = 0; i < sizeof(kRows) / sizeof(kRows[0]); ++i) {
    for (size_t k = 0; k < 12 && kOperands[kRows[i].set][k].what; ++k) {
      const char *what = kOperands[kRows[i].set][k].what;
      uint64_t a = kOperands[kRows[i].set][k].a, b = kOperands[kRows[i].set][k].b;
      Run(&kRows[i], what, a, b, "masked", 0);
      Run(&kRows[i], what, a, b, "enabled", kAll);
      if (strstr(what, "denormal")) {
        Run(&kRows[i], what, a, b, "mapped", kMapDenormalsToZero | kMapUnderflowToZero);
      }
    }
  }
  return 0;
}
