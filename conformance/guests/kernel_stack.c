/* What PALcode does to virtual memory itself: kernel stacks in mapped memory, whose pages leave the TLB and whose
   frames cross pages; the user stack of URTI. Then what PALcode keeps from the system: prefetches. */
#include "user_programs.h"
#include "vm.h"

#define CODE 0x20000000UL
#define DATA 0x28000000UL
#define DATA_PAGES 64UL
#define USER_STACK 0x30000000UL
#define URTI_STACK 0x38000000UL
#define STACK 0x60000000UL
#define NOWHERE 0x70000000UL
#define BOUNDARY (STACK + 2 * PAGE_BYTES)

USER_PROGRAM(user_sweep);
USER_PROGRAM(user_faults);
USER_PROGRAM(user_urti);
u64 trap_on_stack(u64 sp, u64* out);
s64 user_run_on_stack(u64 pc, u64 usp, u64 a0, u64 a1, u64 sp);

static struct pcb space;

static void load_program(const char* start, const char* end) {
  vm_map_code(&space, CODE, start, end, PTE_V | PTE_KRE | PTE_URE);
  pal_tbi(TBIA, 0);
}

static int forget_all(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)kind, (void)a0, (void)a1, (void)a2, (void)frame;
  pal_tbi(TBIA, 0);
  return 0;
}

static void test_registers(void) {
  static u64 out[32];
  group_begin("every register survives a trap on a mapped stack, wherever the frame crosses a page");
  for (u64 offset = 0; offset <= 64; offset += 8) {
    for (u64 i = 0; i < 32; ++i) out[i] = 0;
    trap_expect();
    trap_hook = forget_all;
    group_eq(trap_on_stack(BOUNDARY + offset, out), BOUNDARY + offset, "sp", offset, 0);
    trap_hook = 0;
    group_eq(trap_end(), 1, "traps", offset, 0);
    for (u64 i = 0; i < 30; ++i) {
      if (i < 9 || i > 11) group_eq(out[i], 100 + i, "register", offset, i);
    }
  }
  group_end();
}

/* Kernel stacks for user_run_on_stack whose frames begin around the page boundary. */
static u64 stack_at(u64 offset) { return BOUNDARY + 64 + 128 + 48 + 64 - offset; }

static void test_callsys(void) {
  load_program(user_sweep, user_sweep_end);
  group_begin("callsys onto a mapped stack that has left the TLB");
  for (u64 offset = 0; offset <= 176; offset += 8) {
    group_eq((u64)user_run_on_stack(CODE, USER_STACK + PAGE_BYTES, DATA, 0x77 + offset, stack_at(offset)),
             0x77 + offset, "result", offset, 0);
  }
  group_end();
}

static u64 kinds[4], addresses[4], seen;

static int record_trap(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a1, (void)a2, (void)frame;
  kinds[seen & 3] = kind;
  addresses[seen++ & 3] = a0;
  pal_tbi(TBIA, 0);
  return 0;
}

static void test_faults(void) {
  const u64 past = DATA + DATA_PAGES * PAGE_BYTES;
  load_program(user_faults, user_faults_end);
  group_begin("faults of user mode onto a mapped stack that has left the TLB");
  for (u64 offset = 0; offset <= 176; offset += 8) {
    seen = 0;
    trap_expect();
    trap_hook = record_trap;
    group_eq((u64)user_run_on_stack(CODE, USER_STACK + PAGE_BYTES, DATA, past, stack_at(offset)), 0x99 + 0x18,
             "result", offset, 0);
    trap_hook = 0;
    group_eq(trap_end(), 4, "traps", offset, 0);
    group_eq(kinds[0], ENT_UNA, "kind", offset, 0);
    group_eq(addresses[0], DATA + 1, "address", offset, 0);
    group_eq(kinds[1], ENT_MM, "kind", offset, 1);
    group_eq(addresses[1], past, "address", offset, 1);
    group_eq(kinds[2], ENT_IF, "kind", offset, 2);
    group_eq(addresses[2], IF_BPT, "code", offset, 2);
    group_eq(kinds[3], ENT_IF, "kind", offset, 3);
    group_eq(addresses[3], IF_OPDEC, "code", offset, 3);
  }
  group_end();
}

static void* urti_page;
static u64 urti_faults;

/* Lets the frame's page fault three ways before it may be read. */
static int map_urti_page(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  static const u64 bits[] = {PTE_KERNEL, PTE_USER | PTE_FOR, PTE_USER};
  (void)a0, (void)a1, (void)a2, (void)frame;
  if (kind != ENT_MM || urti_faults >= ARRAY_SIZE(bits)) return 0;
  vm_map(&space, URTI_STACK, urti_page, bits[urti_faults++]);
  vm_invalidate(URTI_STACK);
  return 1;
}

static void check_refused(u64 sp, const char* name) {
  group_begin(name);
  trap_expect();
  group_eq((u64)user_run(CODE, 0, 0, sp), -1UL, "result", 0, 0);
  group_eq(trap_end(), 1, "traps", 0, 0);
  group_eq(trap.kind, ENT_IF, "kind", 0, 0);
  group_eq(trap.a0, IF_OPDEC, "code", 0, 0);
  group_eq(trap.pc, CODE + 8, "pc", 0, 0);
  group_end();
}

static void test_urti(void) {
  const u64 sp = URTI_STACK + 64;
  load_program(user_urti, user_urti_end);
  urti_page = vm_pages(1);
  u64* const frame = (u64*)urti_page + 8;
  const u64 contents[] = {1, 0x5150, PS_USER, CODE + 16, 20, 300, 4000, 50000};
  for (u64 i = 0; i < ARRAY_SIZE(contents); ++i) frame[i] = contents[i];
  trap_expect();
  trap_hook = map_urti_page;
  ok_eq((u64)user_run(CODE, 0, 0, sp), 54321, "urti loads AT, GP and a0 to a2 and goes to PC");
  trap_hook = 0;
  ok_eq(user_state.a1, 0x5150, "urti loads SP");
  group_begin("urti faults like a load of the program");
  group_eq(trap_end(), 3, "traps", 0, 0);
  group_eq(trap.a0 & ~63UL, sp, "address", 0, 0);
  group_eq(trap.a1, MM_FOR, "reason", 0, 0);
  group_eq(trap.a2, MM_LOAD, "access", 0, 0);
  group_eq(trap.pc, CODE + 4, "pc", 0, 0);
  group_eq(trap.ps, PS_USER, "ps", 0, 0);
  group_end();
  check_refused(sp + 8, "urti refuses a stack that is not aligned to 64 bytes");
  frame[2] = 0;
  check_refused(sp, "urti refuses to go to kernel mode");
  frame[2] = PS_USER | 1;
  check_refused(sp, "urti refuses to raise the IPL");
}

static void prefetch(u64 va) {
  __asm__ volatile(
      ".arch ev6\n"
      "\tldl $31, 0(%0)\n\tldq $31, 8(%0)\n\tldbu $31, 1(%0)\n\tldwu $31, 2(%0)\n"
      "\tlds $f31, 0(%0)\n\tldt $f31, 8(%0)\n\twh64 (%0)\n\tecb (%0)"
      :
      : "r"(va)
      : "memory");
}

static void test_prefetches(void) {
  const u64 past = DATA + DATA_PAGES * PAGE_BYTES;
  vm_map(&space, past + PAGE_BYTES, vm_pages(1), PTE_KERNEL | PTE_FOR | PTE_FOW);
  static const struct {
    u64 va;
    const char* name;
  } places[] = {{DATA + DATA_PAGES * PAGE_BYTES, "no page"},
                {DATA + (DATA_PAGES + 1) * PAGE_BYTES, "a page with FOR and FOW"},
                {NOWHERE, "no level 3 table"},
                {NOWHERE << 8, "no level 2 table"},
                {NOWHERE << 20, "no sign extension"}};
  group_begin("prefetches and write hints do not fault");
  for (u64 i = 0; i < ARRAY_SIZE(places); ++i) {
    trap_expect();
    prefetch(places[i].va);
    group_eq(trap_end(), 0, places[i].name, places[i].va, 0);
  }
  group_end();
  trap_expect();
  __asm__ volatile("stq $31, 0(%0)" : : "r"(past) : "memory");
  ok_eq(trap_end(), 1, "a store of R31 does");
}

void guest_main(void) {
  vm_start(&space);
  for (u64 i = 0; i < 4; ++i) vm_map(&space, STACK + i * PAGE_BYTES, vm_pages(1), PTE_KERNEL);
  for (u64 i = 0; i < DATA_PAGES; ++i) vm_map(&space, DATA + i * PAGE_BYTES, vm_pages(1), PTE_USER);
  vm_map(&space, USER_STACK, vm_pages(1), PTE_USER);
  test_registers();
  test_callsys();
  test_faults();
  test_urti();
  test_prefetches();
}
