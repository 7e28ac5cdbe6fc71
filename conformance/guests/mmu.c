/* Translation: faults with their codes, protection, TLB pressure, invalidation, granularity hints.
 */
#include "code.h"
#include "user_programs.h"
#include "vm.h"

#define DATA 0x40000000UL
#define CODE 0x20000000UL
#define STACK 0x30000000UL
#define PRESSURE 0x100000000UL
#define BLOCKS 0x200000000UL

static struct pcb space;

static u64 load(u64 va) {
  u64 value = 0x5a5a;
  __asm__ volatile("ldq %0, 0(%1)" : "+r"(value) : "r"(va) : "memory");
  return value;
}

static void store(u64 va, u64 value) {
  __asm__ volatile("stq %0, 0(%1)" : : "r"(value), "r"(va) : "memory");
}

static void set(u64 va, const void* page, u64 bits) {
  vm_map(&space, va, page, bits);
  vm_invalidate(va);
}

static void check_fault(const char* name, u64 va, u64 code, s64 access) {
  group_begin(name);
  group_eq(trap_end(), 1, "faults", va, 0);
  group_eq(trap.kind, ENT_MM, "entry", va, 0);
  group_eq(trap.a0, va, "a0", va, 0);
  group_eq(trap.a1, code, "a1", va, 0);
  group_eq(trap.a2, (u64)access, "a2", va, 0);
  if (access == MM_FETCH) group_eq(trap.pc, va, "pc", va, 0);
  if (access == MM_LOAD) group_eq(*(u32*)trap.pc >> 26, 0x29, "opcode at pc", va, 0);
  if (access == MM_STORE) group_eq(*(u32*)trap.pc >> 26, 0x2d, "opcode at pc", va, 0);
  group_eq(trap.ps, 7, "ps", va, 0);
  group_end();
}

#define EXPECT(access_expression, name, va, code, access) \
  do {                                                    \
    trap_expect();                                        \
    access_expression;                                    \
    check_fault(name, va, code, access);                  \
  } while (0)

static void test_mapped(void) {
  u64* page = vm_pages(1);
  set(DATA, page, PTE_KERNEL);
  store(DATA + 8, 0x1234);
  ok_eq(page[1], 0x1234, "a store through the page table reaches the page");
  page[2] = 0x5678;
  ok_eq(load(DATA + 16), 0x5678, "a load through the page table");
  ok_eq(load(VPTB + (DATA >> 10)), *vm_pte(&space, DATA),
        "the self map shows the page table entry");
  set(0xfffffe0000000000UL, page, PTE_KERNEL);
  ok_eq(load(0xfffffe0000000008UL), 0x1234, "seg1: the top quarter of a 43-bit space is mapped");
  set(0x3ffffffe000UL, page, PTE_KERNEL);
  ok_eq(load(0x3ffffffe008UL), 0x1234, "seg0: the last page below 2^42");
}

static void test_not_valid(void) {
  u64* page = vm_pages(1);
  const u64 bits = PTE_KERNEL & ~PTE_V;
  set(DATA, page, bits);
  EXPECT(load(DATA + 0x18), "load from an invalid page: TNV", DATA + 0x18, MM_TNV, MM_LOAD);
  EXPECT(store(DATA + 0x20, 1), "store to an invalid page: TNV", DATA + 0x20, MM_TNV, MM_STORE);
  EXPECT(call_code(DATA + 0x40), "fetch from an invalid page: TNV", DATA + 0x40, MM_TNV, MM_FETCH);
  trap_expect();
  ok_eq(load(DATA), 0x5a5a, "a faulting load leaves its register alone");
  trap_end();
  trap_expect();
  store(DATA, 7);
  trap_end();
  ok_eq(page[0], 0, "a faulting store leaves memory alone");
}

static void test_access(void) {
  u64* page = vm_pages(1);
  set(DATA, page, PTE_V);
  EXPECT(load(DATA), "load without KRE: ACV", DATA, MM_ACV, MM_LOAD);
  EXPECT(call_code(DATA), "fetch without KRE: ACV", DATA, MM_ACV, MM_FETCH);
  page[0] = 9;
  set(DATA, page, PTE_V | PTE_KRE | PTE_URE | PTE_UWE);
  EXPECT(store(DATA, 10), "store without KWE: ACV", DATA, MM_ACV, MM_STORE);
  ok_eq(load(DATA), 9, "KRE alone allows loads");
  EXPECT(load(0x0000100000000000UL), "load from a VA that is not a sign extension: ACV",
         0x0000100000000000UL, MM_ACV, MM_LOAD);
  EXPECT(store(0x7000000000000000UL, 0), "store to a VA that is not a sign extension: ACV",
         0x7000000000000000UL, MM_ACV, MM_STORE);
}

static void test_fault_on(void) {
  u32* page = vm_pages(1);
  page[0] = INSN_BR_0;
  page[1] = INSN_RET;
  set(DATA, page, PTE_KERNEL | PTE_FOR);
  EXPECT(load(DATA), "FOR", DATA, MM_FOR, MM_LOAD);
  trap_expect();
  store(DATA + 64, 1);
  ok_eq(trap_end(), 0, "FOR does not stop stores");
  ok_eq(call_code(DATA), DATA + 4, "FOR does not stop fetches");
  set(DATA, page, PTE_KERNEL | PTE_FOW);
  EXPECT(store(DATA + 64, 2), "FOW", DATA + 64, MM_FOW, MM_STORE);
  ok_eq(load(DATA + 64), 1, "FOW does not stop loads");
  set(DATA, page, PTE_KERNEL | PTE_FOE);
  EXPECT(call_code(DATA), "FOE", DATA, MM_FOE, MM_FETCH);
  ok_eq(load(DATA + 64), 1, "FOE does not stop loads");
  set(DATA, page, PTE_V | PTE_KRE | PTE_FOW);
  EXPECT(store(DATA + 64, 2), "ACV comes before FOW", DATA + 64, MM_ACV, MM_STORE);
  set(DATA, page, PTE_KERNEL | PTE_FOR | PTE_FOW | PTE_FOE);
  EXPECT(load(DATA), "all fault bits: load says FOR", DATA, MM_FOR, MM_LOAD);
  EXPECT(store(DATA, 0), "all fault bits: store says FOW", DATA, MM_FOW, MM_STORE);
  EXPECT(call_code(DATA), "all fault bits: fetch says FOE", DATA, MM_FOE, MM_FETCH);
}

static u64 repairs;
/* Clears fault bits and sets V as a kernel does, then lets the instruction run again. */
static int repair(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a1, (void)a2, (void)frame;
  if (kind != ENT_MM) return 0;
  volatile u64* pte = vm_pte(&space, a0);
  *pte = (*pte | PTE_V) & ~(PTE_FOR | PTE_FOW | PTE_FOE);
  mb();
  vm_invalidate(a0);
  ++repairs;
  return 1;
}

static void test_restart(void) {
  u32* page = vm_pages(1);
  page[0] = INSN_BR_0;
  page[1] = INSN_RET;
  trap_hook = repair;
  trap_expect();
  set(DATA, page, PTE_KERNEL | PTE_FOW);
  store(DATA + 64, 0x4444);
  ok_eq(load(DATA + 64), 0x4444, "a store restarted after FOW is done");
  set(DATA, page, PTE_KERNEL | PTE_FOR);
  ok_eq(load(DATA + 64), 0x4444, "a load restarted after FOR is done");
  set(DATA, page, PTE_KERNEL | PTE_FOE);
  ok_eq(call_code(DATA), DATA + 4, "a fetch restarted after FOE is done");
  set(DATA, page, PTE_KERNEL & ~PTE_V);
  ok_eq(call_code(DATA), DATA + 4, "a fetch restarted after TNV is done");
  ok_eq(trap_end(), 4, "each faulted once");
  ok_eq(repairs, 4, "each was repaired once");
  trap_hook = 0;
}

static void test_page_end(void) {
  u32* code = vm_pages(2);
  code[2046] = INSN_BR_0;
  code[2047] = INSN_NOP;
  code[2048] = INSN_RET;
  set(CODE, code, PTE_KERNEL);
  set(CODE + PAGE_BYTES, code + 2048, PTE_KERNEL & ~PTE_V);
  pal_imb();
  EXPECT(call_code(CODE + 8184), "running off a page end faults on the next page",
         CODE + PAGE_BYTES, MM_TNV, MM_FETCH);
  set(CODE + PAGE_BYTES, code + 2048, PTE_KERNEL);
  ok_eq(call_code(CODE + 8184), CODE + 8188, "code runs across a page boundary");
}

static void test_user(void) {
  u64* page = vm_pages(1);
  MAP_PROGRAM(&space, CODE, user_touch);
  vm_invalidate(CODE);
  pal_swpipl(0);
  page[0] = 0x66;
  set(DATA, page, PTE_USER);
  trap_expect();
  ok_eq((u64)user_run(CODE, STACK, DATA, DATA + 8), 0x66,
        "user mode loads and stores where it may");
  ok_eq(trap_end(), 0, "without faults");
  ok_eq(page[1], 0x66, "and the store arrives");
  set(DATA, page, PTE_KERNEL);
  trap_expect();
  ok_eq((u64)user_run(CODE, STACK, DATA, DATA + 8), 0x55,
        "user mode cannot load from a kernel page");
  ok_eq(trap_end(), 2, "load and store fault");
  ok_eq(trap.a0, DATA + 8, "the store's address");
  ok_eq(trap.a1, MM_ACV, "is an ACV");
  ok_eq(trap.a2, MM_STORE, "of a store");
  ok_eq(trap.pc, CODE + 8, "at the store");
  ok_eq(trap.ps, PS_USER, "in user mode");
  trap_expect();
  ok_eq((u64)user_run(CODE, STACK, KSEG, KSEG), 0x55, "user mode cannot load from KSEG");
  ok_eq(trap_end(), 2, "KSEG faults in user mode");
  ok_eq(trap.a1, MM_ACV, "KSEG in user mode is an ACV");
  MAP_PROGRAM(&space, CODE, user_jump);
  vm_invalidate(CODE);
  trap_expect();
  ok_eq((u64)user_run(CODE, STACK, DATA, 0), 0x33, "user mode cannot execute a kernel page");
  ok_eq(trap_end(), 1, "the fetch faults once");
  ok_eq(trap.a0, DATA, "at the target");
  ok_eq(trap.a1, MM_ACV, "the fetch is an ACV");
  ok_eq(trap.a2, (u64)MM_FETCH, "of a fetch");
  pal_swpipl(7);
}

/* Visits all indices below a count that 41 does not divide, in an order that is not the order of
 * mapping. */
static u64 next_index(u64 index, u64 count) {
  index += 41;
  while (index >= count) index -= count;
  return index;
}

static void test_pressure(u64 count, const char* name) {
  u64* pages = vm_pages(count);
  for (u64 i = 0; i < count; ++i)
    vm_map(&space, PRESSURE + i * PAGE_BYTES, pages + i * 1024, PTE_KERNEL);
  pal_tbi(TBIA, 0);
  group_begin(name);
  for (u64 i = 0; i < count; ++i) store(PRESSURE + i * PAGE_BYTES + i % 1024 * 8, i * 0x10001 + 1);
  for (u64 i = 0, j = 0; i < count; ++i, j = next_index(j, count)) {
    group_eq(load(PRESSURE + j * PAGE_BYTES + j % 1024 * 8), j * 0x10001 + 1, "through the TLB", j,
             0);
    group_eq(pages[j * 1024 + j % 1024], j * 0x10001 + 1, "in memory", j, 0);
  }
  group_end();
  for (u64 i = 0; i < count; ++i) *vm_pte(&space, PRESSURE + i * PAGE_BYTES) = 0;
  mb();
  pal_tbi(TBIA, 0);
}

static void test_code_pressure(void) {
  u32* page = vm_pages(1);
  page[4] = INSN_BR_0;
  page[5] = INSN_RET;
  for (u64 i = 0; i < 600; ++i) vm_map(&space, PRESSURE + i * PAGE_BYTES, page, PTE_KERNEL);
  pal_imb();
  pal_tbi(TBIA, 0);
  group_begin("600 code pages, one physical page: each runs at its own PC");
  for (u64 i = 0; i < 1200; ++i) {
    const u64 va = PRESSURE + i * 7 % 600 * PAGE_BYTES + 16;
    group_eq(call_code(va), va + 4, "pc", va, 0);
  }
  group_end();
}

static void test_invalidate(void) {
  u32* one = vm_pages(2);
  u32* two = one + 2048;
  one[0] = INSN_BR_0;
  one[1] = INSN_RET;
  one[16] = 111;
  two[0] = INSN_NOP;
  two[1] = INSN_BR_0;
  two[2] = INSN_RET;
  two[16] = 222;
  static const struct {
    s64 type;
    const char* name;
  } kinds[] = {{TBIS, "tbis"}, {TBIA, "tbia"}, {TBIAP, "tbiap"}};
  for (u64 i = 0; i < ARRAY_SIZE(kinds); ++i) {
    group_begin(kinds[i].name);
    set(DATA, one, PTE_KERNEL);
    group_eq((u32)load(DATA + 64), 111, "load before", 0, 0);
    group_eq(call_code(DATA), DATA + 4, "call before", 0, 0);
    vm_map(&space, DATA, two, PTE_KERNEL);
    pal_tbi((u64)kinds[i].type, DATA);
    pal_imb();
    group_eq((u32)load(DATA + 64), 222, "load after", 0, 0);
    group_eq(call_code(DATA), DATA + 8, "call after", 0, 0);
    group_end();
  }
  set(DATA, one, PTE_KERNEL);
  ok_eq((u32)load(DATA + 64), 111, "before tbisd");
  vm_map(&space, DATA, two, PTE_KERNEL);
  pal_tbi(TBISD, DATA);
  ok_eq((u32)load(DATA + 64), 222, "tbisd invalidates the data translation");
  set(DATA, one, PTE_KERNEL);
  ok_eq(call_code(DATA), DATA + 4, "before tbisi");
  vm_map(&space, DATA, two, PTE_KERNEL);
  pal_tbi(TBISI, DATA);
  pal_imb();
  ok_eq(call_code(DATA), DATA + 8, "tbisi invalidates the instruction translation");
  set(DATA, one, PTE_KERNEL);
  load(DATA);
  vm_map(&space, DATA, one, PTE_V | PTE_KRE);
  pal_tbi(TBIS, DATA);
  EXPECT(store(DATA, 1), "tbis makes a removed write permission seen", DATA, MM_ACV, MM_STORE);
}

/* All entries of a block carry the hint; any one of them may then translate the whole block. */
static void test_granularity(u64 hint, const char* name) {
  const u64 count = 1UL << 3 * hint;
  u8* pages = vm_pages(2 * count);
  pages = (u8*)(((u64)pages + count * PAGE_BYTES - 1) & ~(count * PAGE_BYTES - 1));
  for (u64 i = 0; i < count; ++i) {
    vm_map(&space, BLOCKS + i * PAGE_BYTES, pages + i * PAGE_BYTES, PTE_KERNEL | PTE_GH(hint));
    *(u64*)(pages + i * PAGE_BYTES + 0x1ff8) = i + 5;
  }
  pal_tbi(TBIA, 0);
  group_begin(name);
  for (u64 i = 0, j = 0; i < count; ++i, j = next_index(j, count)) {
    const u64 va = BLOCKS + j * PAGE_BYTES;
    group_eq(load(va + 0x1ff8), j + 5, "load", va, 0);
    store(va + 8, j + 9);
    group_eq(*(u64*)(pages + j * PAGE_BYTES + 8), j + 9, "store", va, 0);
  }
  group_end();
  u32* code = (u32*)(pages + (count - 1) * PAGE_BYTES);
  code[0] = INSN_BR_0;
  code[1] = INSN_RET;
  pal_imb();
  const u64 va = BLOCKS + (count - 1) * PAGE_BYTES;
  ok_eq(call_code(va), va + 4, "code in the block's last page");
  for (u64 i = 0; i < count; ++i) *vm_pte(&space, BLOCKS + i * PAGE_BYTES) = 0;
  mb();
  pal_tbi(TBIA, 0);
}

void guest_main(void) {
  vm_start(&space);
  vm_map(&space, STACK - PAGE_BYTES, vm_pages(1), PTE_USER);
  test_mapped();
  test_not_valid();
  test_access();
  test_fault_on();
  test_restart();
  test_page_end();
  test_user();
  test_invalidate();
  test_code_pressure();
  test_pressure(64, "64 pages");
  test_pressure(129, "129 pages: one more than the TLB of a 21264A");
  test_pressure(1000, "1000 pages");
  test_pressure(4096, "4096 pages");
  test_granularity(1, "granularity hint 1: 8 pages");
  test_granularity(2, "granularity hint 2: 64 pages");
  test_granularity(3, "granularity hint 3: 512 pages");
}
