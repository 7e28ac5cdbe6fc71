/* Integer operates, address arithmetic, loads, stores, branches and jumps. */
#include "vectors.h"

#define OP3(insn, a, b)                                                    \
  ({                                                                       \
    u64 result_;                                                           \
    __asm__ volatile(insn " %1, %2, %0" : "=r"(result_) : "r"(a), "r"(b)); \
    result_;                                                               \
  })

static void test_r31(void) {
  const u64 x = 0x123456789abcdef0UL;
  u64 r;
  __asm__ volatile("addq $31, %1, %0" : "=r"(r) : "r"(x));
  ok_eq(r, x, "R31 as first source reads zero");
  __asm__ volatile("subq %1, $31, %0" : "=r"(r) : "r"(x));
  ok_eq(r, x, "R31 as second source reads zero");
  __asm__ volatile("addq %1, %1, $31\n\tbis $31, $31, %0" : "=r"(r) : "r"(x));
  ok_eq(r, 0, "R31 as destination stays zero");
  __asm__ volatile("addl/v %1, %1, $31\n\ttrapb\n\tbis $31, $31, %0" : "=r"(r) : "r"(1UL));
  ok_eq(r, 0, "addl/v to R31 without overflow");
}

static void test_lda(void) {
  u64 r;
  __asm__ volatile("lda %0, -32768(%1)" : "=r"(r) : "r"(1UL));
  ok_eq(r, 0xffffffffffff8001UL, "lda sign-extends");
  __asm__ volatile("lda %0, 32767($31)" : "=r"(r));
  ok_eq(r, 0x7fff, "lda of R31");
  __asm__ volatile("ldah %0, -32768(%1)" : "=r"(r) : "r"(5UL));
  ok_eq(r, 0xffffffff80000005UL, "ldah sign-extends");
  __asm__ volatile("ldah %0, 0x7fff(%1)" : "=r"(r) : "r"(0x10000UL));
  ok_eq(r, 0x80000000UL, "ldah does not wrap at 32 bits");
}

static void test_memory(void) {
  static u64 cell[4] __attribute__((aligned(32)));
  u64 r;
  cell[0] = 0x8899aabbccddeeffUL;
  __asm__ volatile("ldl %0, 0(%1)" : "=r"(r) : "r"(cell) : "memory");
  ok_eq(r, 0xffffffffccddeeffUL, "ldl sign-extends");
  __asm__ volatile("ldl %0, 4(%1)" : "=r"(r) : "r"(cell) : "memory");
  ok_eq(r, 0xffffffff8899aabbUL, "ldl of the high longword");
  __asm__ volatile("ldq %0, 0(%1)" : "=r"(r) : "r"(cell) : "memory");
  ok_eq(r, 0x8899aabbccddeeffUL, "ldq");
  __asm__ volatile("ldq_u %0, 7(%1)" : "=r"(r) : "r"(cell) : "memory");
  ok_eq(r, 0x8899aabbccddeeffUL, "ldq_u ignores the low address bits");
  __asm__ volatile("stl %0, 4(%1)" : : "r"(0x1122334455667788UL), "r"(cell) : "memory");
  ok_eq(cell[0], 0x55667788ccddeeffUL, "stl writes four bytes");
  __asm__ volatile("stq_u %0, 13(%1)" : : "r"(0x0102030405060708UL), "r"(cell) : "memory");
  ok_eq(cell[1], 0x0102030405060708UL, "stq_u ignores the low address bits");
  __asm__ volatile("stq $31, 0(%0)" : : "r"(cell) : "memory");
  ok_eq(cell[0], 0, "stq of R31 stores zero");
  trap_expect();
  __asm__ volatile("ldl $31, 0(%0)\n\tldq $31, 1(%0)" : : "r"(0UL) : "memory");
  ok_eq(trap_end(), 0, "a prefetch of an unmapped or unaligned address is dismissed");
}

#define BRANCH_TAKEN(insn, value)                                    \
  ({                                                                 \
    u64 taken_;                                                      \
    __asm__ volatile("lda %0, 1\n\t" insn " %1, 1f\n\tlda %0, 0\n1:" \
                     : "=&r"(taken_)                                 \
                     : "r"(value));                                  \
    taken_;                                                          \
  })

#define CHECK_BRANCH(insn, condition)                                                 \
  do {                                                                                \
    static const s64 values_[] = {                                                    \
        0, 1, 2, -1, -2, 0x7fffffffffffffffL, -0x7fffffffffffffffL - 1, 0x80000000L}; \
    group_begin(insn);                                                                \
    for (u64 i_ = 0; i_ < ARRAY_SIZE(values_); ++i_) {                                \
      const s64 v = values_[i_];                                                      \
      group_eq(BRANCH_TAKEN(insn, v), condition, insn, (u64)v, 0);                    \
    }                                                                                 \
    group_end();                                                                      \
  } while (0)

static void test_branches(void) {
  CHECK_BRANCH("beq", (v | -v) >= 0);
  CHECK_BRANCH("bne", (v | -v) < 0);
  CHECK_BRANCH("blt", ((u64)v >> 63) == 1);
  CHECK_BRANCH("bge", ((u64)v >> 63) == 0);
  CHECK_BRANCH("ble", ((u64)v >> 63) == 1 || (v | -v) >= 0);
  CHECK_BRANCH("bgt", ((u64)v >> 63) == 0 && (v | -v) < 0);
  CHECK_BRANCH("blbs", v & 1);
  CHECK_BRANCH("blbc", (~v) & 1);
}

static void test_jumps(void) {
  u64 link, here, r;
  __asm__ volatile("br %0, 1f\n1:\tmov %0, %1" : "=&r"(link), "=&r"(here));
  ok_eq(link, here, "br writes the updated PC");
  __asm__ volatile(
      "br %0, 1f\n1:\tlda %1, 20(%0)\n\tlda %2, 0\n\tjmp %1, (%1), 2f\n\tlda %2, 1\n\tlda %2, "
      "2(%2)\n2:"
      : "=&r"(link), "=&r"(here), "=&r"(r));
  ok_eq(r, 0, "jmp skips to its target");
  ok_eq(here, link + 12, "jmp with Ra equal Rb reads the target before it writes the link");
  __asm__ volatile(
      "br %0, 1f\n1:\tlda %1, 19(%0)\n\tlda %2, 0\n\tjsr %2, (%1), 2f\n\tlda %2, 1\n2:\tsubq %2, "
      "%0, %2"
      : "=&r"(link), "=&r"(here), "=&r"(r));
  ok_eq(r, 12, "jsr links; target address bits <1:0> are ignored");
  __asm__ volatile(
      "bsr %0, 1f\n\tlda %1, 77($31)\n\tbr 2f\n1:\tlda %1, 5($31)\n\tret $31, (%0), 1\n2:"
      : "=&r"(link), "=&r"(r));
  ok_eq(r, 77, "bsr and ret");
}

void guest_main(void) {
  run_vectors();
  test_r31();
  test_lda();
  test_memory();
  test_branches();
  test_jumps();
  const u64 t0 = OP3("umulh", ~0UL, ~0UL);
  ok_eq(t0, 0xfffffffffffffffeUL, "umulh of all ones");
}
