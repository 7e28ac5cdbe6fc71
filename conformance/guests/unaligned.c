/* Unaligned data: entUna with a0 = address, a1 = opcode, a2 = register, and the PC behind. */
#include "code.h"
#include "vm.h"

#define CODE 0x20000000UL
#define DATA 0x40000000UL

static const struct {
  u32 opcode;
  u32 size;
  const char* name;
} kinds[] = {
    {0x0c, 2, "ldwu"}, {0x0d, 2, "stw"},   {0x20, 4, "ldf"},   {0x21, 8, "ldg"},   {0x22, 4, "lds"},
    {0x23, 8, "ldt"},  {0x24, 4, "stf"},   {0x25, 8, "stg"},   {0x26, 4, "sts"},   {0x27, 8, "stt"},
    {0x28, 4, "ldl"},  {0x29, 8, "ldq"},   {0x2a, 4, "ldl_l"}, {0x2b, 8, "ldq_l"}, {0x2c, 4, "stl"},
    {0x2d, 8, "stq"},  {0x2e, 4, "stl_c"}, {0x2f, 8, "stq_c"},
};

static u32* code;
static u64* data;

static void write_access(u32 opcode, u32 ra) {
  code[0] = INSN_MEMORY(opcode, ra, 16, 0);
  code[1] = INSN_RET;
  pal_imb();
}

static void test_kind(u64 i) {
  static const u8 registers[] = {1, 5, 22, 28};
  group_begin(kinds[i].name);
  for (u64 offset = 0; offset < 8; ++offset) {
    const u32 ra = registers[offset & 3];
    const u64 va = (u64)data + 64 + offset;
    const int aligned = (offset & (kinds[i].size - 1)) == 0;
    if (aligned) continue;
    write_access(kinds[i].opcode, ra);
    data[8] = 0x0102030405060708UL;
    data[9] = 0x1112131415161718UL;
    trap_expect();
    call_code2((u64)code, va, 0);
    group_eq(trap_end(), 1, "traps", offset, 0);
    group_eq(trap.kind, ENT_UNA, "entry", offset, 0);
    group_eq(trap.a0, va, "a0", offset, 0);
    group_eq(trap.a1, kinds[i].opcode, "a1", offset, 0);
    group_eq(trap.a2, ra, "a2", offset, 0);
    group_eq(trap.pc, (u64)code + 4, "pc", offset, 0);
    group_eq(data[8], 0x0102030405060708UL, "memory", offset, 0);
    group_eq(data[9], 0x1112131415161718UL, "memory", offset, 0);
  }
  group_end();
}

/* What a kernel does for ldq: emulate into the frame. */
static int emulate_ldq(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  if (kind != ENT_UNA || a1 != 0x29) return 0;
  u64 value = 0;
  for (u64 i = 0; i < 8; ++i) value |= (u64)((u8*)a0)[i] << 8 * i;
  frame->r[a2] = value;
  return 1;
}

static void test_emulated(void) {
  data[0] = 0x0807060504030201UL;
  data[1] = 0x100f0e0d0c0b0a09UL;
  write_access(0x29, 0);
  trap_hook = emulate_ldq;
  trap_expect();
  group_begin("ldq emulated by the handler");
  for (u64 offset = 0; offset < 8; ++offset) {
    group_eq(call_code2((u64)code, (u64)data + offset, 0),
             0x0807060504030201UL + offset * 0x0101010101010101UL, "value", offset, 0);
  }
  group_end();
  ok_eq(trap_end(), 7, "seven traps for seven unaligned offsets");
  trap_hook = 0;
}

static void test_user(struct pcb* space) {
  vm_map(space, CODE, code, PTE_USER);
  vm_map(space, DATA, data, PTE_USER);
  code[0] = INSN_MEMORY(0x2c, 7, 16, 2);
  code[1] = INSN_MEMORY(0x08, 16, 31, 0x21);
  code[2] = PAL_CALLSYS;
  pal_imb();
  pal_swpipl(0);
  trap_expect();
  ok_eq((u64)user_run(CODE, 0, DATA, 0), 0x21, "user code goes on behind an unaligned store");
  ok_eq(trap_end(), 1, "one trap");
  ok_eq(trap.a0, DATA + 2, "a0 is the user's address");
  ok_eq(trap.a1, 0x2c, "a1 is the opcode");
  ok_eq(trap.a2, 7, "a2 is the register");
  ok_eq(trap.pc, CODE + 4, "the PC is behind");
  ok_eq(trap.ps, PS_USER, "the frame says user mode");
}

static void test_never(void) {
  trap_expect();
  __asm__ volatile(
      "ldq_u $0, 3(%0)\n\tldbu $0, 5(%0)\n\tstb $31, 7(%0)\n\tldq $31, 1(%0)\n\tlds $f31, 3(%0)"
      :
      : "r"(data)
      : "$0", "memory");
  ok_eq(trap_end(), 0, "ldq_u, bytes and prefetches never trap");
}

void guest_main(void) {
  static struct pcb space;
  vm_start(&space);
  code = vm_pages(1);
  data = vm_pages(1);
  for (u64 i = 0; i < ARRAY_SIZE(kinds); ++i) test_kind(i);
  test_emulated();
  test_never();
  test_user(&space);
}
