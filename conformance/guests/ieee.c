/* S and T floating arithmetic in all roundings, and the moves between registers and memory. */
#include "floats.h"

static u64 memory_to_register(u32 opcode_is_s, u64 memory) {
  u64 cell = memory, result;
  if (opcode_is_s) {
    __asm__ volatile("lds $f10, 0(%1)\n\tftoit $f10, %0" : "=r"(result) : "r"(&cell) : "memory");
  } else {
    __asm__ volatile("ldt $f10, 0(%1)\n\tftoit $f10, %0" : "=r"(result) : "r"(&cell) : "memory");
  }
  return result;
}

static void test_single_memory(void) {
  static const struct {
    u32 memory;
    u64 reg;
  } cases[] = {{0x00000000, 0},
               {0x80000000, 0x8000000000000000UL},
               {0x3f800000, 0x3ff0000000000000UL},
               {0xc0490fdb, 0xc00921fb60000000UL},
               {0x00800000, 0x3810000000000000UL},
               {0x7f7fffff, 0x47efffffe0000000UL},
               {0x7f800000, 0x7ff0000000000000UL},
               {0xff800001, 0xfff0000020000000UL},
               {0x7fc00000, 0x7ff8000000000000UL}};
  group_begin("lds expands each kind of S value, sts and itofs and ftois agree");
  for (u64 i = 0; i < ARRAY_SIZE(cases); ++i) {
    u64 out;
    u32 cell = 0;
    group_eq(memory_to_register(1, cases[i].memory), cases[i].reg, "lds", cases[i].memory, 0);
    __asm__ volatile("itoft %0, $f10\n\tsts $f10, 0(%1)"
                     :
                     : "r"(cases[i].reg), "r"(&cell)
                     : "memory");
    group_eq(cell, cases[i].memory, "sts", cases[i].reg, 0);
    __asm__ volatile("itofs %1, $f10\n\tftoit $f10, %0" : "=r"(out) : "r"((u64)cases[i].memory));
    group_eq(out, cases[i].reg, "itofs", cases[i].memory, 0);
    __asm__ volatile("itoft %1, $f10\n\tftois $f10, %0" : "=r"(out) : "r"(cases[i].reg));
    group_eq(out, (u64)(s64)(s32)cases[i].memory, "ftois", cases[i].reg, 0);
  }
  group_end();
  ok_eq(memory_to_register(0, 0x7ff0000000000001UL), 0x7ff0000000000001UL,
        "ldt keeps a signaling NaN");
}

#define COPY(insn, a, b)                                         \
  ({                                                             \
    u64 out_;                                                    \
    __asm__ volatile("itoft %1, $f10\n\titoft %2, $f11\n\t" insn \
                     " $f10, $f11, $f12\n\tftoit $f12, %0"       \
                     : "=r"(out_)                                \
                     : "r"((u64)(a)), "r"((u64)(b)));            \
    out_;                                                        \
  })

static void test_copies(void) {
  const u64 a = 0x8123456789abcdefUL, b = 0x7ff4000000000001UL;
  ok_eq(COPY("cpys", a, b), 0xfff4000000000001UL, "cpys takes Fa's sign");
  ok_eq(COPY("cpysn", a, b), 0x7ff4000000000001UL, "cpysn takes Fa's sign inverted");
  ok_eq(COPY("cpyse", a, b), 0x8124000000000001UL, "cpyse takes Fa's sign and exponent");
}

#define CONVERT(insn, b)                                                                \
  ({                                                                                    \
    u64 out_;                                                                           \
    __asm__ volatile("itoft %1, $f11\n\t" insn " $f11, $f12\n\ttrapb\n\tftoit $f12, %0" \
                     : "=r"(out_)                                                       \
                     : "r"((u64)(b)));                                                  \
    out_;                                                                               \
  })

static void test_longwords(void) {
  ok_eq(CONVERT("cvtlq", 0x8000000060000000UL), 0xffffffff80000003UL,
        "cvtlq of a negative longword");
  ok_eq(CONVERT("cvtlq", 0x3fffffffe0000000UL), 0x3fffffff, "cvtlq takes bits 63, 62 and 58 to 29");
  ok_eq(CONVERT("cvtql", 0xffffffff80000003UL), 0x8000000060000000UL,
        "cvtql of a negative longword");
  ok_eq(CONVERT("cvtql", 0x7fffffffUL), 0x47ffffffe0000000UL, "cvtql of the largest longword");
  ok_eq(CONVERT("cvtql", 0x123456789abcdef0UL), CONVERT("cvtql", 0xffffffff9abcdef0UL),
        "cvtql drops the high bits");
}

#define CMOV(insn, a)                                                              \
  ({                                                                               \
    u64 out_;                                                                      \
    __asm__ volatile("itoft %1, $f10\n\titoft %2, $f11\n\titoft %3, $f12\n\t" insn \
                     " $f10, $f11, $f12\n\tftoit $f12, %0"                         \
                     : "=r"(out_)                                                  \
                     : "r"((u64)(a)), "r"(111UL), "r"(222UL));                     \
    out_ == 111;                                                                   \
  })
#define FBRANCH(insn, a)                                                                 \
  ({                                                                                     \
    u64 out_;                                                                            \
    __asm__ volatile("itoft %1, $f10\n\tlda %0, 1\n\t" insn " $f10, 1f\n\tlda %0, 0\n1:" \
                     : "=&r"(out_)                                                       \
                     : "r"((u64)(a)));                                                   \
    out_;                                                                                \
  })
#define CHECK_CONDITION(suffix, condition)                                                        \
  do {                                                                                            \
    static const u64 values_[] = {                                                                \
        0, 1UL << 63, 1, ~0UL, 0x3ff0000000000000UL, 0xbff0000000000000UL, 0x7ff8000000000000UL}; \
    group_begin("fcmov" suffix " and fb" suffix);                                                 \
    for (u64 i_ = 0; i_ < ARRAY_SIZE(values_); ++i_) {                                            \
      const u64 v = values_[i_];                                                                  \
      const u64 zero = (v << 1) == 0, negative = v >> 63;                                         \
      (void)zero, (void)negative;                                                                 \
      group_eq(CMOV("fcmov" suffix, v), (condition) != 0, "fcmov", v, 0);                         \
      group_eq(FBRANCH("fb" suffix, v), (condition) != 0, "fb", v, 0);                            \
    }                                                                                             \
    group_end();                                                                                  \
  } while (0)

static void test_conditions(void) {
  CHECK_CONDITION("eq", zero);
  CHECK_CONDITION("ne", !zero);
  CHECK_CONDITION("lt", negative && !zero);
  CHECK_CONDITION("ge", !negative || zero);
  CHECK_CONDITION("le", negative || zero);
  CHECK_CONDITION("gt", !negative && !zero);
}

void guest_main(void) {
  run_float_vectors();
  test_single_memory();
  test_copies();
  test_longwords();
  test_conditions();
}
