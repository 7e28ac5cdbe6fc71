/* Code that is written at run time, made visible by IMB. */
#include "code.h"
#include "vm.h"

#define CODE 0x20000000UL
#define ALIAS 0x60000000UL
#define ADDQ_0_LITERAL(n) (0x40001400u | (u32)(n) << 13) /* addq $0, n, $0 */

static struct pcb space;

static void test_rewrite(u32* code) {
  group_begin("a function rewritten 1000 times");
  for (u32 i = 0; i < 1000; ++i) {
    code[0] = INSN_LDA_0(i);
    code[1] = INSN_RET;
    pal_imb();
    group_eq(call_code((u64)code), i, "call", i, 0);
  }
  group_end();
  group_begin("one of 64 instructions rewritten each time");
  code[0] = INSN_LDA_0(0);
  for (u32 i = 1; i <= 64; ++i) code[i] = ADDQ_0_LITERAL(1);
  code[65] = INSN_RET;
  pal_imb();
  group_eq(call_code((u64)code), 64, "call", 0, 0);
  for (u32 i = 1; i <= 64; ++i) {
    code[i] = ADDQ_0_LITERAL(101);
    pal_imb();
    group_eq(call_code((u64)code), 64 + 100 * i, "call", i, 0);
  }
  group_end();
}

static void test_bytes(u32* code) {
  code[0] = INSN_LDA_0(0x1234);
  code[1] = INSN_RET;
  pal_imb();
  ok_eq(call_code((u64)code), 0x1234, "before a byte store");
  ((volatile u8*)code)[0] = 0x99;
  pal_imb();
  ok_eq(call_code((u64)code), 0x1299, "a byte store into an instruction");
  ((volatile u16*)code)[0] = 0x4321;
  pal_imb();
  ok_eq(call_code((u64)code), 0x4321, "a word store into an instruction");
  *(volatile u64*)code = (u64)INSN_RET << 32 | INSN_LDA_0(0x777);
  pal_imb();
  ok_eq(call_code((u64)code), 0x777, "a quadword store over two instructions");
}

/* Code that rewrites what it is about to run: stl $17, 16($27); imb; nop; nop; target; ret. */
static void test_in_place(u32* code) {
  group_begin("code that rewrites an instruction ahead of itself");
  for (u32 i = 0; i < 50; ++i) {
    code[0] = INSN_MEMORY(0x2c, 17, 27, 16);
    code[1] = PAL_IMB;
    code[2] = INSN_NOP;
    code[3] = INSN_NOP;
    code[4] = INSN_LDA_0(1);
    code[5] = INSN_RET;
    pal_imb();
    group_eq(call_code2((u64)code, 0, INSN_LDA_0(i + 2)), i + 2, "call", i, 0);
  }
  group_end();
}

/* Straight-line code across a page boundary, either side rewritten. */
static void test_cross_page(u32* pages) {
  u32* code = pages + 2046;
  group_begin("code across a page boundary, each side rewritten");
  for (u32 i = 0; i < 100; ++i) {
    if (i & 1) {
      code[2] = ADDQ_0_LITERAL(i);
    } else {
      code[0] = INSN_LDA_0(i);
      code[1] = INSN_NOP;
      code[2] = ADDQ_0_LITERAL(0);
      code[3] = INSN_RET;
    }
    pal_imb();
    group_eq(call_code((u64)code), i & 1 ? 2 * i - 1 : i, "call", i, 0);
  }
  group_end();
}

static void test_alias(void) {
  u32* page = vm_pages(2);
  vm_map(&space, CODE, page, PTE_KERNEL);
  vm_map(&space, ALIAS, page, PTE_KERNEL);
  volatile u32* alias = (volatile u32*)ALIAS;
  group_begin("code written through another address of its page");
  for (u32 i = 0; i < 100; ++i) {
    alias[8] = INSN_LDA_0(i);
    alias[9] = INSN_RET;
    pal_imb();
    group_eq(call_code(CODE + 32), i, "mapped", i, 0);
    page[8] = INSN_LDA_0(i + 1000);
    pal_imb();
    group_eq(call_code(CODE + 32), i + 1000, "kseg", i, 0);
    group_eq(call_code(ALIAS + 32), i + 1000, "alias", i, 0);
  }
  group_end();
  group_begin("another page mapped under running code");
  for (u32 i = 0; i < 20; ++i) {
    u32* other = page + (i & 1) * 2048;
    other[0] = INSN_LDA_0(i);
    other[1] = INSN_RET;
    vm_map(&space, CODE, other, PTE_KERNEL);
    pal_tbi(TBIS, CODE);
    pal_imb();
    group_eq(call_code(CODE), i, "call", i, 0);
  }
  group_end();
}

static void test_data_beside_code(u32* code) {
  code[0] = INSN_MEMORY(0x29, 0, 27, 512); /* ldq $0, 512($27) */
  code[1] = 0x40003400u;                   /* addq $0, 1, $0 */
  code[2] = INSN_MEMORY(0x2d, 0, 27, 512); /* stq $0, 512($27) */
  code[3] = INSN_RET;
  volatile u64* counter = (volatile u64*)(code + 128);
  *counter = 0;
  pal_imb();
  group_begin("data in a code page changes while the code runs");
  for (u64 i = 1; i <= 2000; ++i) group_eq(call_code((u64)code), i, "call", i, 0);
  group_end();
  ok_eq(*counter, 2000, "and is right afterwards");
}

static void test_page_copy(u32* pages) {
  u32* from = pages;
  u32* to = pages + 2048;
  group_begin("a page of code copied over another");
  for (u32 round = 0; round < 10; ++round) {
    from[0] = INSN_LDA_0(round);
    for (u32 i = 1; i < 2000; ++i) from[i] = ADDQ_0_LITERAL(round);
    from[2000] = INSN_RET;
    for (u32 i = 0; i <= 2000; ++i) to[i] = from[i];
    pal_imb();
    group_eq(call_code((u64)to), round * 2000, "call", round, 0);
  }
  group_end();
}

void guest_main(void) {
  vm_start(&space);
  u32* pages = vm_pages(2);
  test_rewrite(pages);
  test_bytes(pages);
  test_in_place(pages);
  test_cross_page(pages);
  test_data_beside_code(pages);
  test_page_copy(pages);
  test_alias();
}
