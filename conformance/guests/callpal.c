/* Every CALL_PAL of OSF/1 that Linux uses, from kernel and from user mode. */
#include "user_programs.h"
#include "vm.h"

#define CODE 0x20000000UL
#define STACK 0x30000000UL

static struct pcb first, second;

/* The address of the instruction behind a CALL_PAL that is made with `a0`. */
#define CALL_AT(code, a0_value)                                  \
  ({                                                             \
    register u64 a0_ __asm__("$16") = (a0_value);                \
    u64 here_;                                                   \
    __asm__ volatile("br %0, 1f\n1:\tcall_pal " PAL_STRING(code) \
                     : "=&r"(here_), "+r"(a0_)                   \
                     :                                           \
                     : "$0", PAL_CLOBBERS);                      \
    here_ + 4;                                                   \
  })

static void test_ipl(void) {
  ok_eq(pal_rdps(), 7, "rdps at entry: kernel mode, IPL 7");
  group_begin("swpipl returns the old IPL, rdps the new");
  for (u64 i = 0; i < 8; ++i) {
    const u64 ipl = 7 - i;
    group_eq(pal_swpipl(ipl), i == 0 ? 7 : ipl + 1, "old", ipl, 0);
    group_eq(pal_rdps(), ipl, "rdps", ipl, 0);
  }
  group_end();
  pal_swpipl(7);
}

static void test_registers(void) {
  const u64 a = 0x0123456789abcdefUL;
  const u64 b = 0xfedcba9876543210UL;
  pal_wrval(a);
  pal_wrusp(b);
  pal_wrunique(a ^ b);
  ok_eq(pal_rdval(), a, "rdval returns what wrval wrote");
  ok_eq(pal_rdusp(), b, "rdusp returns what wrusp wrote");
  ok_eq(pal_rdunique(), a ^ b, "rdunique returns what wrunique wrote");
  ok_eq(pal_whami(), 0, "whami is 0 on the primary");
}

static void test_mces(void) {
  pal_wrmces(0x1f);
  ok_eq(pal_rdmces(), 0x18, "wrmces clears MIP, SCE, PCE and sets DPC, DSC");
  pal_wrmces(0x08);
  ok_eq(pal_rdmces(), 0x08, "wrmces writes DPC and DSC");
  pal_wrmces(0x07);
  ok_eq(pal_rdmces(), 0, "wrmces leaves nothing set");
}

static void check_if(const char* name, u64 after, u64 type) {
  group_begin(name);
  group_eq(trap_end(), 1, "traps", 0, 0);
  group_eq(trap.kind, ENT_IF, "entry", 0, 0);
  group_eq(trap.a0, type, "a0", 0, 0);
  group_eq(trap.pc, after, "pc", 0, 0);
  group_eq(trap.ps, 7, "ps", 0, 0);
  group_end();
}

static void test_traps(void) {
  trap_expect();
  u64 after = CALL_AT(PAL_BPT, 5);
  check_if("bpt: entIF 0, PC behind it", after, IF_BPT);
  trap_expect();
  after = CALL_AT(PAL_BUGCHK, 5);
  check_if("bugchk: entIF 1, PC behind it", after, IF_BUGCHK);
  trap_expect();
  after = CALL_AT(PAL_GENTRAP, 5);
  check_if("gentrap: entIF 2, PC behind it", after, IF_GENTRAP);
}

static u64 saved_a0;
static int keep_a0(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)kind, (void)a0, (void)a1, (void)a2;
  saved_a0 = frame->a0;
  return 0;
}

/* An exception must leave all registers but those of the frame alone, and rti restores those. */
static void test_preserved(void) {
  static u64 values[32];
  trap_expect();
  __asm__ volatile(
      "lda $0, 100\n\tlda $1, 101\n\tlda $2, 102\n\tlda $3, 103\n\tlda $4, 104\n\tlda $5, 105\n\t"
      "lda $6, 106\n\tlda $7, 107\n\tlda $8, 108\n\tlda $16, 116\n\tlda $17, 117\n\tlda $18, "
      "118\n\t"
      "lda $19, 119\n\tlda $20, 120\n\tlda $21, 121\n\tlda $22, 122\n\tlda $23, 123\n\tlda $24, "
      "124\n\t"
      "lda $25, 125\n\tlda $27, 127\n\tlda $28, 128\n\t"
      "call_pal 0x80\n\t"
      "stq $0, 0(%0)\n\tstq $1, 8(%0)\n\tstq $2, 16(%0)\n\tstq $3, 24(%0)\n\tstq $4, 32(%0)\n\t"
      "stq $5, 40(%0)\n\tstq $6, 48(%0)\n\tstq $7, 56(%0)\n\tstq $8, 64(%0)\n\tstq $16, 128(%0)\n\t"
      "stq $17, 136(%0)\n\tstq $18, 144(%0)\n\tstq $19, 152(%0)\n\tstq $20, 160(%0)\n\t"
      "stq $21, 168(%0)\n\tstq $22, 176(%0)\n\tstq $23, 184(%0)\n\tstq $24, 192(%0)\n\t"
      "stq $25, 200(%0)\n\tstq $27, 216(%0)\n\tstq $28, 224(%0)"
      :
      : "r"(values)
      : "$0", "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$16", "$17", "$18", "$19", "$20",
        "$21", "$22", "$23", "$24", "$25", "$27", "$28", "memory");
  trap_end();
  group_begin("a trap and rti preserve all integer registers");
  for (u64 i = 0; i < 29; ++i) {
    if (i >= 9 && i <= 15) continue;
    if (i == 26) continue;
    group_eq(values[i], 100 + i, "register", i, 0);
  }
  group_end();
  trap_hook = keep_a0;
  trap_expect();
  CALL_AT(PAL_BPT, 0x77);
  trap_end();
  trap_hook = 0;
  ok_eq(saved_a0, 0x77, "the frame holds a0 of the interrupted code");
}

static void test_swpctx(void) {
  vm_new_space(&second, 2);
  second.unique = 0x2222;
  second.usp = 0x1000;
  pal_wrunique(0x1111);
  pal_wrusp(0x2000);
  u64 old = vm_switch(&second);
  ok_eq(old, physical(&first), "swpctx returns the old PCB");
  ok_eq(pal_rdunique(), 0x2222, "swpctx loads unique");
  ok_eq(pal_rdusp(), 0x1000, "swpctx loads the user stack pointer");
  ok_eq(first.unique, 0x1111, "swpctx saves unique");
  ok_eq(first.usp, 0x2000, "swpctx saves the user stack pointer");
  ok_eq(first.ksp - (u64)&first > PAGE_BYTES * 64, 1, "swpctx saves the kernel stack pointer");
  pal_wrunique(0x3333);
  old = vm_switch(&first);
  ok_eq(old, physical(&second), "swpctx back returns the second PCB");
  ok_eq(second.unique, 0x3333, "swpctx saves the second unique");
  ok_eq(pal_rdunique(), 0x1111, "swpctx restores unique");
}

/* <63:32> of CC is an offset that swpctx uses to make PCB.cc the process's own cycles. */
static void test_swpctx_cc(void) {
  const u64 cc = rpcc();
  vm_switch(&second);
  const u64 charged = (u32)first.cc;
  vm_switch(&first);
  const u64 process = (u32)((cc >> 32) + cc);
  ok((u32)(charged - process) < 0x10000000,
     "swpctx stores the process cycle count (sum of CC halves)");
  const u64 now = rpcc();
  ok((u32)((u32)((now >> 32) + now) - charged) < 0x10000000,
     "swpctx resumes the process cycle count");
}

/* Followed by no-ops: whichever of the two PCs a FEN fault reports, what follows is harmless. */
static void __attribute__((noinline)) fp_touch(void) {
  __asm__ volatile("cpys $f31, $f31, $f1\n\tnop\n\tnop");
}

static void test_fen(void) {
  pal_wrfen(0);
  trap_expect();
  fp_touch();
  ok_eq(trap_end(), 1, "wrfen 0: floating point faults");
  ok_eq(trap.a0, IF_FEN, "entIF 3 for floating point disabled");
  ok_eq(*(u32*)trap.pc, 0x5fff0401u, "FEN leaves the PC at the instruction");
  ok_eq(first.flags & 1, 0, "wrfen writes the PCB");
  pal_wrfen(1);
  ok_eq(first.flags & 1, 1, "wrfen 1 writes the PCB");
  trap_expect();
  fp_touch();
  ok_eq(trap_end(), 0, "wrfen 1: floating point works");
  trap_expect();
  pal_clrfen();
  fp_touch();
  ok_eq(trap_end(), 1, "clrfen: floating point faults");
  ok_eq(trap.a0, IF_FEN, "clrfen: entIF 3");
  pal_wrfen(1);
}

static void test_cheap_calls(void) {
  pal_imb();
  pal_draina();
  pal_cflush(physical(&first) / PAGE_BYTES);
  pal_tbi(TBIA, 0);
  pal_tbi(TBIAP, 0);
  pal_tbi(TBISI, CODE);
  pal_tbi(TBISD, CODE);
  pal_tbi(TBIS, CODE);
  ok(1, "imb, draina, cflush and all tbi return");
}

static s64 run(const void* program, const void* end, u64 a0, u64 a1) {
  vm_map_code(&first, CODE, program, end, PTE_V | PTE_KRE | PTE_URE);
  vm_invalidate(CODE);
  return user_run(CODE, STACK + PAGE_BYTES, a0, a1);
}
#define RUN(name, a0, a1) run(name, name##_end, a0, a1)

static void test_user(void) {
  pal_swpipl(0);
  s64 result = RUN(user_add, 40, 2);
  ok_eq((u64)result, 42, "callsys from user mode reaches entSys");
  ok_eq(user_state.v0, 42, "callsys keeps v0");
  ok_eq(user_state.a1, STACK + PAGE_BYTES, "rti to user mode loads the user stack pointer");
  ok_eq(user_state.ps, PS_USER, "callsys pushes PS 8");
  ok_eq(user_state.pc, CODE + 16, "callsys pushes the PC behind it");
  ok_eq(pal_rdusp(), STACK + PAGE_BYTES, "callsys saves the user stack pointer");
  ok_eq(pal_rdps(), 0, "entSys runs in kernel mode at IPL 0");
}

static void test_retsys(void) {
  s64 result = RUN(user_two_calls, 0, 0);
  ok_eq((u64)result, 1, "first of two system calls");
  result = user_resume();
  ok_eq((u64)result, 2, "retsys resumes user mode behind callsys");
  ok_eq(user_state.pc, CODE + 16, "second callsys came from behind the first");
}

static void test_user_calls(void) {
  trap_expect();
  s64 result = RUN(user_unprivileged, 0, 0);
  ok_eq(trap_end(), 3, "bpt, bugchk and gentrap trap in user mode");
  ok_eq(trap.ps, PS_USER, "their frame says user mode");
  ok_eq((u64)result, 0x1234, "wrunique and rdunique in user mode");
  trap_expect();
  result = RUN(user_privileged, 0, 0);
  ok_eq(trap_end(), 25, "each privileged call in user mode is illegal");
  ok_eq(trap.a0, IF_OPDEC, "entIF 4 for a privileged call");
  ok_eq(trap.pc, CODE + 4 + 24 * 8 + 4, "the PC is behind the call");
  ok_eq((u64)result, 25, "and user code goes on behind each");
  trap_expect();
  result = RUN(user_clrfen, 0, 0);
  ok_eq(trap_end(), 1, "clrfen in user mode: floating point faults");
  ok_eq(trap.a0, IF_FEN, "clrfen in user mode: entIF 3");
  ok_eq((u64)result, 99, "user code goes on");
  pal_wrfen(1);
}

static void test_reserved(void) {
  static const u8 codes[] = {0x04, 0x05, 0x08, 0x0b, 0x12, 0x2c, 0x3b, 0x84, 0x88, 0xbf};
  u32* code = vm_pages(1);
  group_begin("reserved function codes are entIF 4 with the PC behind");
  for (u64 i = 0; i < ARRAY_SIZE(codes); ++i) {
    code[0] = codes[i];
    code[1] = 0x6bfa8001; /* ret */
    pal_imb();
    trap_expect();
    ((void (*)(void))code)();
    group_eq(trap_end(), 1, "traps", codes[i], 0);
    group_eq(trap.a0, IF_OPDEC, "a0", codes[i], 0);
    group_eq(trap.pc, (u64)code + 4, "pc", codes[i], 0);
  }
  group_end();
  code[0] = 0x03;
  pal_imb();
  trap_expect();
  ((void (*)(void))code)();
  ok_eq(trap_end(), 1, "function code 3 is reserved");
}

void guest_main(void) {
  test_ipl();
  vm_start(&first);
  vm_map(&first, STACK, vm_pages(1), PTE_USER);
  test_registers();
  test_mces();
  test_traps();
  test_preserved();
  test_swpctx();
  test_swpctx_cc();
  test_fen();
  test_cheap_calls();
  test_reserved();
  test_user();
  test_retsys();
  test_user_calls();
}
