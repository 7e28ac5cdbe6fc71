/* BWX loads and stores, and all of EXT, INS, MSK, ZAP, SEXT. */
#include "vectors.h"

static u8 bytes[32] __attribute__((aligned(32)));

static void fill(void) {
  for (u64 i = 0; i < sizeof(bytes); ++i) bytes[i] = (u8)(0x90 + i);
}

static void test_loads(void) {
  fill();
  group_begin("ldbu zero-extends at each offset");
  for (u64 i = 0; i < 16; ++i) {
    u64 r;
    __asm__ volatile("ldbu %0, 0(%1)" : "=r"(r) : "r"(bytes + i) : "memory");
    group_eq(r, 0x90 + i, "ldbu", i, 0);
  }
  group_end();
  group_begin("ldwu zero-extends at each offset");
  for (u64 i = 0; i < 16; i += 2) {
    u64 r;
    __asm__ volatile("ldwu %0, 0(%1)" : "=r"(r) : "r"(bytes + i) : "memory");
    group_eq(r, (0x91 + i) << 8 | (0x90 + i), "ldwu", i, 0);
  }
  group_end();
}

static void test_stores(void) {
  group_begin("stb writes one byte");
  for (u64 i = 0; i < 16; ++i) {
    fill();
    __asm__ volatile("stb %0, 0(%1)" : : "r"(0x12345678UL), "r"(bytes + i) : "memory");
    for (u64 j = 0; j < 32; ++j) group_eq(bytes[j], i == j ? 0x78 : 0x90 + j, "stb", i, j);
  }
  group_end();
  group_begin("stw writes two bytes");
  for (u64 i = 0; i < 16; i += 2) {
    fill();
    __asm__ volatile("stw %0, 0(%1)" : : "r"(0x12345678UL), "r"(bytes + i) : "memory");
    for (u64 j = 0; j < 32; ++j) {
      group_eq(bytes[j], i == j ? 0x78 : i + 1 == j ? 0x56 : 0x90 + j, "stw", i, j);
    }
  }
  group_end();
}

/* The architecture's sequences for unaligned data, over all alignments. */
static void test_sequences(void) {
  group_begin("unaligned quadword load by ldq_u, extql, extqh");
  fill();
  for (u64 i = 0; i < 9; ++i) {
    u64 r, t, want = 0;
    for (u64 j = 0; j < 8; ++j) want |= (0x90 + i + j) << 8 * j;
    __asm__ volatile(
        "ldq_u %0, 0(%2)\n\tldq_u %1, 7(%2)\n\textql %0, %2, %0\n\textqh %1, %2, %1\n\tbis %0, %1, "
        "%0"
        : "=&r"(r), "=&r"(t)
        : "r"(bytes + i)
        : "memory");
    group_eq(r, want, "load", i, 0);
  }
  group_end();
  group_begin("unaligned longword store by insll, inslh, mskll, msklh");
  for (u64 i = 0; i < 9; ++i) {
    u64 low, high, a, b;
    fill();
    __asm__ volatile(
        "ldq_u %1, 3(%4)\n\tldq_u %0, 0(%4)\n\tinslh %5, %4, %3\n\tinsll %5, %4, %2\n\t"
        "msklh %1, %4, %1\n\tmskll %0, %4, %0\n\tbis %1, %3, %1\n\tbis %0, %2, %0\n\t"
        "stq_u %1, 3(%4)\n\tstq_u %0, 0(%4)"
        : "=&r"(low), "=&r"(high), "=&r"(a), "=&r"(b)
        : "r"(bytes + i), "r"(0xdeadbeefUL)
        : "memory");
    for (u64 j = 0; j < 32; ++j) {
      group_eq(bytes[j], j - i < 4 ? 0xdeadbeefUL >> 8 * (j - i) & 0xff : 0x90 + j, "store", i, j);
    }
  }
  group_end();
}

void guest_main(void) {
  run_vectors();
  test_loads();
  test_stores();
  test_sequences();
}
