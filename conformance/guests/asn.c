/* Address space numbers: the same addresses in many spaces, without any invalidation between them.
 */
#include "code.h"
#include "user_programs.h"
#include "vm.h"

#define DATA 0x40000000UL
#define SHARED 0x50000000UL
#define CODE 0x20000000UL
#define HWRPB_MAX_ASN 7
#define SPACES 64

static struct pcb space[SPACES];

static volatile u64* at(u64 va) { return (volatile u64*)va; }

static void make(u64 n, u32 asn, void* shared) {
  vm_new_space(&space[n], asn);
  u64* data = vm_pages(1);
  data[0] = 1000 + n;
  vm_map(&space[n], DATA, data, PTE_USER);
  vm_map(&space[n], SHARED, shared, PTE_USER | PTE_ASM);
  u32* code = vm_pages(1);
  code[0] = INSN_LDA_0(n);
  code[1] = INSN_RET;
  vm_map(&space[n], CODE, code, PTE_KERNEL);
}

static void test_two(void) {
  group_begin("two spaces, 100 switches");
  for (u64 i = 0; i < 100; ++i) {
    const u64 n = i & 1;
    vm_switch(&space[n]);
    group_eq(*at(DATA), 1000 + n + (i >> 1), "data", i, 0);
    group_eq(call_code(CODE), n, "code", i, 0);
    *at(DATA) += 1;
    group_eq(*at(SHARED), i, "shared", i, 0);
    *at(SHARED) = i + 1;
  }
  group_end();
  vm_switch(&space[0]);
  *at(DATA) = 1000;
  vm_switch(&space[1]);
  *at(DATA) = 1001;
}

static void test_many(void) {
  group_begin("64 spaces with 64 ASNs, three rounds");
  for (u64 i = 0; i < 3 * SPACES; ++i) {
    const u64 n = i * 13 % SPACES;
    vm_switch(&space[n]);
    group_eq(*at(DATA), 1000 + n, "data", n, i);
    group_eq(call_code(CODE), n, "code", n, i);
  }
  group_end();
}

/* An ASN given to another space needs tbiap first; translations with ASM may survive that. */
static void test_reuse(void) {
  vm_switch(&space[0]);
  group_begin("an ASN used again after tbiap");
  for (u64 n = 1; n < 16; ++n) {
    space[n].asn = 1;
    pal_tbi(TBIAP, 0);
    vm_switch(&space[n]);
    pal_imb();
    group_eq(*at(DATA), 1000 + n, "data", n, 0);
    group_eq(call_code(CODE), n, "code", n, 0);
    group_eq(*at(SHARED), 100, "shared", n, 0);
  }
  group_end();
}

static void test_unmapped(void) {
  space[1].asn = 2;
  pal_tbi(TBIAP, 0);
  vm_switch(&space[0]);
  vm_map(&space[0], DATA + PAGE_BYTES, vm_pages(1), PTE_KERNEL);
  ok_eq(*at(DATA + PAGE_BYTES), 0, "a page that one space has");
  vm_switch(&space[1]);
  vm_map(&space[1], DATA + PAGE_BYTES, vm_pages(1), PTE_KERNEL & ~PTE_V);
  trap_expect();
  (void)*at(DATA + PAGE_BYTES);
  ok_eq(trap_end(), 1, "faults in the other");
  ok_eq(trap.a1, MM_TNV, "as not valid");
}

static void test_user(void) {
  pal_swpipl(0);
  group_begin("user mode in two spaces");
  for (u64 n = 0; n < 2; ++n) {
    MAP_PROGRAM(&space[n], CODE, user_touch);
    pal_tbi(TBIS, CODE);
  }
  pal_tbi(TBIA, 0);
  for (u64 i = 0; i < 20; ++i) {
    const u64 n = i & 1;
    vm_switch(&space[n]);
    group_eq((u64)user_run(CODE, 0, DATA, DATA + 8), 1000 + n, "user", i, 0);
    group_eq(at(DATA)[1], 1000 + n, "stored", i, 0);
  }
  group_end();
}

void guest_main(void) {
  const u64 max_asn = hwrpb[HWRPB_MAX_ASN];
  vm_start(&space[0]);
  void* shared = vm_pages(1);
  for (u64 n = 0; n < SPACES; ++n) make(n, n < max_asn ? (u32)n + 1 : (u32)max_asn, shared);
  pal_tbi(TBIA, 0);
  pal_imb();
  ok(max_asn == 127 || max_asn == 255 || max_asn == 0 || max_asn == 63,
     "HWRPB's greatest ASN is one that chips have");
  test_two();
  if (max_asn >= SPACES) {
    test_many();
  } else {
    ok(1, "64 spaces with 64 ASNs, three rounds");
  }
  test_reuse();
  test_unmapped();
  test_user();
}
