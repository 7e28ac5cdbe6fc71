/* Illegal instructions, floating point disabled, and the odd instructions of opcode 0x18. */
#include "code.h"
#include "vm.h"

#define CODE 0x20000000UL

static u32* code;

static void check(const char* name, u32 insn, u64 type) {
  code[0] = insn;
  code[1] = INSN_NOP;
  code[2] = INSN_NOP;
  code[3] = INSN_RET;
  pal_imb();
  trap_expect();
  call_code((u64)code);
  group_begin(name);
  group_eq(trap_end(), 1, "traps", insn, 0);
  group_eq(trap.kind, ENT_IF, "entry", insn, 0);
  group_eq(trap.a0, type, "a0", insn, 0);
  if (type == IF_OPDEC) group_eq(trap.pc, (u64)code + 4, "pc", insn, 0);
  group_end();
}

static void test_illegal(void) {
  static const struct {
    u32 insn;
    const char* name;
  } cases[] = {
      {0x01u << 26, "opcode 01"},
      {0x02u << 26, "opcode 02"},
      {0x03u << 26, "opcode 03"},
      {0x04u << 26, "opcode 04"},
      {0x05u << 26, "opcode 05"},
      {0x06u << 26, "opcode 06"},
      {0x07u << 26, "opcode 07"},
      {0x64000000u, "HW_MFPR in kernel mode"},
      {0x6c000000u, "HW_LD in kernel mode"},
      {0x77ff0000u, "HW_MTPR in kernel mode"},
      {0x7bff8000u, "HW_RET in kernel mode"},
      {0x7c000000u, "HW_ST in kernel mode"},
  };
  for (u64 i = 0; i < ARRAY_SIZE(cases); ++i) check(cases[i].name, cases[i].insn, IF_OPDEC);
}

static void test_fen(void) {
  static const struct {
    u32 insn;
    const char* name;
  } cases[] = {
      {0x53ff0080u | 0x1fu, "itofs"},
      {0x53ff0480u | 0x1fu, "itoft"},
      {0x53ff0280u | 0x1fu, "itoff"},
      {0x53fff17fu, "sqrts"},
      {0x57ff101fu, "addf"},
      {0x5bfff41fu, "addt"},
      {0x5fff041fu, "cpys"},
      {0x5fff04bfu, "mf_fpcr"},
      {0x73ff0e1fu, "ftoit"},
      {0x73ff0f1fu, "ftois"},
      {INSN_MEMORY(0x20, 1, 27, 64), "ldf"},
      {INSN_MEMORY(0x21, 1, 27, 64), "ldg"},
      {INSN_MEMORY(0x22, 1, 27, 64), "lds"},
      {INSN_MEMORY(0x23, 1, 27, 64), "ldt"},
      {INSN_MEMORY(0x24, 1, 27, 64), "stf"},
      {INSN_MEMORY(0x25, 1, 27, 64), "stg"},
      {INSN_MEMORY(0x26, 1, 27, 64), "sts"},
      {INSN_MEMORY(0x27, 1, 27, 64), "stt"},
      {0xc7e00000u, "fbeq"},
      {0xcbe00000u, "fblt"},
      {0xcfe00000u, "fble"},
      {0xd7e00000u, "fbne"},
      {0xdbe00000u, "fbge"},
      {0xdfe00000u, "fbgt"},
  };
  u64 wrong_pc = 0;
  pal_wrfen(0);
  for (u64 i = 0; i < ARRAY_SIZE(cases); ++i) {
    check(cases[i].name, cases[i].insn, IF_FEN);
    wrong_pc += trap.pc != (u64)code;
  }
  pal_wrfen(1);
  ok_eq(wrong_pc, 0, "FEN leaves the PC at each instruction");
}

/* A handler that turns floating point on must see the instruction run again. */
static int enable_fp(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a1, (void)a2, (void)frame;
  if (kind != ENT_IF || a0 != IF_FEN) return 0;
  pal_wrfen(1);
  return 1;
}

static void test_fen_restart(void) {
  u64 result;
  pal_wrfen(0);
  trap_hook = enable_fp;
  trap_expect();
  __asm__ volatile("itoft %1, $f5\n\tftoit $f5, %0" : "=r"(result) : "r"(0x4008000000000000UL));
  ok_eq(trap_end(), 1, "FEN once");
  trap_hook = 0;
  ok_eq(result, 0x4008000000000000UL, "and the instruction runs after wrfen");
}

static void test_user(struct pcb* space) {
  vm_map(space, CODE, code, PTE_USER);
  static const u32 words[] = {0x64000000u, 0x6c000000u, 0x77ff0000u,
                              0x7bff8000u, 0x7c000000u, 0x04000000u};
  for (u64 i = 0; i < ARRAY_SIZE(words); ++i) code[i] = words[i];
  code[6] = INSN_MEMORY(0x08, 16, 31, 0x44);
  code[7] = PAL_CALLSYS;
  pal_imb();
  pal_swpipl(0);
  trap_expect();
  ok_eq((u64)user_run(CODE, 0, 0, 0), 0x44, "user mode goes on behind illegal instructions");
  ok_eq(trap_end(), 6, "each PALmode opcode is illegal in user mode");
  ok_eq(trap.a0, IF_OPDEC, "entIF 4");
  ok_eq(trap.pc, CODE + 24, "the PC is behind");
  ok_eq(trap.ps, PS_USER, "the frame says user mode");
  pal_swpipl(7);
}

static void test_misc(void) {
  static u64 block[16] __attribute__((aligned(64)));
  u64 a, b, c, d;
  __asm__ volatile("trapb\n\texcb\n\tmb\n\twmb\n\tfetch (%0)\n\tfetch_m (%0)\n\tecb (%0)"
                   :
                   : "r"(block)
                   : "memory");
  ok(1, "trapb, excb, mb, wmb, fetch, fetch_m and ecb go on");
  __asm__ volatile("rc %0\n\trs %0\n\trs %1\n\trc %2\n\trc %3"
                   : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d));
  ok_eq(a, 0, "rs after rc reads 0");
  ok_eq(b, 1, "rs after rs reads 1");
  ok_eq(c, 1, "rc after rs reads 1");
  ok_eq(d, 0, "rc after rc reads 0");
  trap_expect();
  __asm__ volatile("rs %0\n\tcall_pal 0x80\n\trc %1" : "=&r"(a), "=&r"(b));
  trap_end();
  ok_eq(b, 0, "rti clears the flag of rs");
}

void guest_main(void) {
  static struct pcb space;
  vm_start(&space);
  code = vm_pages(1);
  test_illegal();
  test_fen();
  test_fen_restart();
  test_misc();
  test_user(&space);
}
