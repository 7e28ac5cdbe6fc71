/* What a kernel like NetBSD's expects of the console, before it has set any entry point and later:
   callbacks with stack and buffers in the memory of a boot program, the environment, the clock chip in
   binary mode, DMA windows, and machine checks: one for each error, with the frame of a Tsunami.

   The boot flags choose what it does instead of that: "echo" reads and writes through the callbacks;
   "early KIND" takes an exception before wrent, which must stop the machine. */
#include "board.h"
#include "prom.h"

enum { VPTB_FIELD = 15, SLOT_SIZE = 19, SLOT_OFFSET = 20, CRB_OFFSET = 24, MDDT_OFFSET = 25 };
enum { SLOT_LOGOUT_BYTES = 28 };
enum { RTC_24_HOURS = 0x02, RTC_BINARY = 0x04 };
#define MCR 0x3fcUL
#define CCHIP_MISC 0x80
#define CCHIP_DIR0 0x280
#define MISC_NXM (1UL << 28)
#define DIM_ERRORS 0xe000000000000000UL
#define PCHIP0 0xfffffd0180000000UL
#define PERROR 0x3c0
#define PERRMASK 0x400
#define PERRSET 0x440
#define PTE_KERNEL 0x1111UL /* valid, any address space, kernel read and write */

static char* const buffer = (char*)BOOTSTRAP_VA;
static u64 descriptor;

static u64 pchip_read(u64 offset) {
  const u64 value = *(volatile u64*)(PCHIP0 + offset);
  mb();
  return value;
}
static void pchip_write(u64 offset, u64 value) {
  *(volatile u64*)(PCHIP0 + offset) = value;
  mb();
  (void)pchip_read(offset);
}

static u64* slot(void) { return (u64*)((u64)hwrpb + hwrpb[SLOT_OFFSET]); }

/* The entry of `va` in the table of `level` (1 to 3), which is at `table`. */
static u64* entry_of(u64* table, u64 va, int level) {
  return table + (va >> (13 + 10 * (3 - level)) & 0x3ff);
}
static u64* next_table(u64 pte) { return kseg((pte >> 32) * PAGE_BYTES); }

/* The level 1 table: the entry that maps it as a page table shows itself through the self-map, thrice. */
static u64* level1_table(void) {
  const u64 vptb = hwrpb[VPTB_FIELD];
  u64 va = vptb;
  for (int i = 0; i < 3; ++i) va = vptb + (va >> 13 & 0x3fffffff) * 8;
  return next_table(*(u64*)va);
}

/* The level 3 PTE of `va` in the console's page tables, found without virtual memory; 0: none. */
static u64 pte_of(u64 va) {
  u64* table = level1_table();
  for (int level = 1; level < 3; ++level) {
    const u64 pte = *entry_of(table, va, level);
    if ((pte & 1) == 0) return 0;
    table = next_table(pte);
  }
  return *entry_of(table, va, 3);
}

/* Maps the first page as the console should have: other machines' consoles do not. */
static void map_by_hand(void) {
  static u64 tables[3][PAGE_BYTES / 8] __attribute__((aligned(8192)));
  u64* table = level1_table();
  for (int level = 1; level <= 3; ++level) {
    u64* entry = entry_of(table, BOOTSTRAP_VA, level);
    if ((*entry & 1) == 0) {
      *entry = physical(tables[level - 1]) / PAGE_BYTES << 32 | PTE_KERNEL;
    }
    table = next_table(*entry);
  }
  pal_tbi(TBIA, 0);
}

/* Whether the console keeps the page: it must be in a cluster with usage 1. */
static int belongs_to_console(u64 pa) {
  const u64* table = (u64*)((u64)hwrpb + hwrpb[MDDT_OFFSET]);
  for (u64 i = 0; i < table[2]; ++i) {
    const u64* cluster = table + 3 + 7 * i;
    if (pa / PAGE_BYTES - cluster[0] < cluster[1]) return (cluster[6] & 1) != 0;
  }
  return 0;
}

/* A boot program says where free memory begins, and which page table is in use. */
static void test_arguments(void) {
  extern char _end[];
  ok_eq(boot_arguments[0], physical(_end) / PAGE_BYTES, "R16 is the first page behind the kernel");
  ok_eq(boot_arguments[1], physical(level1_table()) / PAGE_BYTES, "R17 is the level 1 page table");
}

static void test_mapping(void) {
  u64 mapped = 0, kept = 0;
  for (u64 va = BOOTSTRAP_VA; va < BOOTSTRAP_VA + BOOTSTRAP_BYTES; va += PAGE_BYTES) {
    const u64 pte = pte_of(va);
    mapped += (pte & 0x1101) == 0x1101;
    kept += (pte & 1) != 0 && belongs_to_console((pte >> 32) * PAGE_BYTES);
  }
  const u64 pages = BOOTSTRAP_BYTES / PAGE_BYTES;
  ok_eq(mapped, pages, "256 KiB are mapped at virtual 0x20000000");
  ok_eq(kept, pages, "the console keeps them from the system");
  if (mapped == 0) map_by_hand();
  volatile u64* word = (u64*)(BOOTSTRAP_VA + 0x100);
  *word = 0x1234567890abcdefUL;
  ok_eq(*word, 0x1234567890abcdefUL, "and they keep what is stored, before any wrent");
}

static u64 prom(u64 function, u64 a1, u64 a2, u64 a3) {
  return prom_dispatch(function, a1, a2, a3, 0, descriptor);
}
static u64 get_env(u64 id, u64 bytes) { return prom(PROM_GET_ENV, id, BOOTSTRAP_VA, bytes); }
static u64 set_env(u64 id, const char* value) {
  u64 length = 0;
  while (value[length] != 0) {
    buffer[length] = value[length];
    ++length;
  }
  return prom(PROM_SET_ENV, id, BOOTSTRAP_VA, length);
}

static void put_char(char c) {
  buffer[0] = c;
  while ((prom(PROM_PUTS, 0, BOOTSTRAP_VA, 1) & 1) == 0) {
  }
}

static int is(const char* text) {
  for (u64 i = 0; text[i] != 0; ++i) {
    if (buffer[i] != text[i]) return 0;
  }
  return 1;
}

static void test_callbacks(void) {
  ok_eq(get_env(ENV_TTY_DEV, 4), 1, "GET_ENV of TTY_DEV gives a byte");
  ok_eq((u8)buffer[0], '0', "which is 0: the first serial line");
  ok((PROM_STATUS(get_env(0x3f, 4)) & 4) != 0, "GET_ENV of what is no variable fails");
  buffer[0] = '#';
  buffer[1] = '\r';
  buffer[2] = '\n';
  ok_eq(prom(PROM_PUTS, 0, BOOTSTRAP_VA, 3), 3, "PUTS tells how much it wrote");
}

static void test_environment(void) {
  const u64 length = get_env(ENV_AUTO_ACTION, 64);
  ok(PROM_STATUS(length) == 0 && length == 4 && is("HALT"), "AUTO_ACTION is HALT");
  /* Linux takes the result for the number of bytes done, and goes on until all are. */
  ok_eq(set_env(ENV_AUTO_ACTION, "RESTART"), 7, "SET_ENV tells how many bytes it took");
  ok(get_env(ENV_AUTO_ACTION, 64) == 7 && is("RESTART"), "and the variable has them");
  ok_eq(get_env(ENV_AUTO_ACTION, 3), 1UL << 61 | 3, "GET_ENV says what it cut off");
  ok_eq(prom(PROM_RESET_ENV, ENV_AUTO_ACTION, BOOTSTRAP_VA, 64), 4, "RESET_ENV gives the default");
  ok_eq(PROM_STATUS(set_env(ENV_LICENSE, "none")), 4, "SET_ENV refuses a read-only variable");
  ok_eq(PROM_STATUS(set_env(0x3f, "none")), 6, "and one that is not there");
  ok(PROM_STATUS(prom(PROM_SAVE_ENV, 0, 0, 0)) != 1, "SAVE_ENV does not say that there is more");
  const u64 device = get_env(ENV_BOOTED_DEV, 64);
  u64 fields = 1;
  for (u64 i = 0; i < PROM_VALUE(device); ++i) fields += buffer[i] == ' ';
  ok(PROM_STATUS(device) == 0 && fields == 8, "BOOTED_DEV has a device's eight fields");
}

static void test_clock(void) {
  const u8 mode = rtc_read(RTC_B) & (RTC_24_HOURS | RTC_BINARY);
  ok_eq(mode, RTC_24_HOURS | RTC_BINARY, "the clock chip is in binary mode with 24 hours");
  while ((rtc_read(RTC_A) & 0x80) != 0) {
  }
  ok(rtc_read(0) < 60 && rtc_read(2) < 60 && rtc_read(4) < 24, "it shows a time of day");
  const u8 day = rtc_read(7), month = rtc_read(8);
  ok(day >= 1 && day <= 31 && month >= 1 && month <= 12 && rtc_read(9) < 100, "and a date");
}

/* What NetBSD's tsp_dma_init expects; it says so of a window that is set otherwise. */
static void test_windows(void) {
  static const struct {
    u64 base, mask;
  } windows[] = {{0x00800003, 0x00700000}, {0x80000001, 0x3ff00000}, {0, 0}, {2, 0}};
  group_begin("DMA windows as SRM sets them");
  for (u64 i = 0; i < ARRAY_SIZE(windows); ++i) {
    group_eq(pchip_read(64 * i), windows[i].base, "wsba", i, 0);
    group_eq(pchip_read(0x100 + 64 * i), windows[i].mask, "wsm", i, 0);
  }
  group_end();
}

/* Machine checks: those that came, and the last one's frame. */
static volatile u64 checks, check_vector;
static u64 frame[32];

static void on_interrupt(u64 a0, u64 a1, u64 a2, struct trap_frame* trap_frame) {
  (void)trap_frame;
  if (a0 != INT_MCHK) return;
  ++checks;
  check_vector = a1;
  const u64* logout = (u64*)a2;
  for (u64 i = 0; i < ARRAY_SIZE(frame); ++i) frame[i] = i < (u32)logout[0] / 8 ? logout[i] : 0;
  pal_wrmces(7);
}

static u64 system_part(u64 index) {
  const u64 offset = frame[1] >> 32;
  return offset / 8 + index < ARRAY_SIZE(frame) ? frame[offset / 8 + index] : ~0UL;
}

/* Lowers the IPL for a while: what is still pending comes now. */
static void let_in(void) {
  pal_swpipl(0);
  for (int i = 0; i < 1000; ++i) (void)cchip_read(CCHIP_MISC);
  pal_swpipl(7);
}

static void test_machine_checks(void) {
  volatile u64* nowhere = (u64*)0xfffffc7000000000UL;
  interrupt_hook = on_interrupt;
  rtc_periodic(0);
  pal_wrmces(0x1f);
  cchip_write(CCHIP_DIM0, DIM_ERRORS);
  let_in();
  checks = 0;
  (void)*nowhere;
  pal_draina();
  mb();
  ok_eq(checks, 1, "a read of nonexistent memory is a machine check");
  ok_eq(check_vector, 0x660, "of the system");
  ok_eq((u32)frame[0], slot()[SLOT_LOGOUT_BYTES], "the frame is as long as the slot says");
  ok_eq((u32)frame[1], 0x18, "its processor part is where all EV6 have it");
  ok_eq(frame[1] >> 32, 0x90, "the system part follows");
  ok_eq((u32)frame[2], 0x207, "the code says nonexistent memory");
  ok_eq(system_part(0) & 3, 0, "no Pchip has an error");
  ok_eq(system_part(1) >> 58, 0x20, "DIR shows the Cchip's error");
  ok_eq(system_part(2) >> 28 & 0xf, 1, "MISC shows NXM and the CPU");
  ok_eq(system_part(3) | system_part(4), 0, "neither PERROR has an error");
  ok_eq(cchip_read(CCHIP_MISC) & MISC_NXM, 0, "NXM is cleared, though the system did not");
  let_in();
  ok_eq(checks, 1, "so that no second machine check comes when the IPL drops");
  checks = 0;
  *nowhere = 1;
  mb();
  let_in();
  ok_eq(checks, 1, "a write to nonexistent memory is one, too");
  checks = 0;
  pchip_write(PERRMASK, 0xfff);
  pchip_write(PERRSET, 0x1234000000000040UL);
  let_in();
  ok_eq(checks, 1, "an error of the Pchip is one");
  ok_eq((u32)frame[2], 0x202, "with the code of a system error");
  ok_eq(system_part(0) & 3, 1, "the flags say which Pchip");
  ok_eq(system_part(3), 0x1234000000000040UL, "PERROR of Pchip 0 is in the frame");
  ok_eq(pchip_read(PERROR), 0, "and cleared");
  cchip_write(CCHIP_DIM0, 0);
}

/* Echoes what is typed until the end of a line; like Linux's serial driver before it, this program has
   taken away RTS, without which no terminal sends. */
static void echo(void) {
  outb(0, MCR);
  for (;;) {
    const u64 result = prom(PROM_GETC, 0, 0, 0);
    if (PROM_STATUS(result) > 1) continue;
    put_char((char)result);
    if (PROM_VALUE(result) == '\r' || PROM_VALUE(result) == '\n') guest_exit();
  }
}

/* One exception, of the kind that the boot flags name; the load is at early_fault. */
static void early(void) {
  if (is("early load")) {
    __asm__ volatile(".globl early_fault\nearly_fault: ldq $0, 0(%0)" : : "r"(0x40000000UL) : "$0");
  } else if (is("early unaligned")) {
    __asm__ volatile("ldq $0, 0(%0)" : : "r"(BOOTSTRAP_VA + 1) : "$0");
  } else if (is("early arith")) {
    __asm__ volatile("addq/v %0, %0, $0" : : "r"(1UL << 62) : "$0");
  } else if (is("early bugchk")) {
    pal_bugchk();
  } else if (is("early syscall")) {
    __asm__ volatile("call_pal 0x83" : : : PAL_CLOBBERS);
  } else if (is("early clock")) {
    rtc_periodic(1);
    pal_swpipl(0);
    for (;;) {
    }
  } else if (is("early read")) {
    (void)*(volatile u64*)0xfffffc7000000000UL;
  }
}

/* Called before the first wrent (runtime.c). */
void guest_early(void) {
  descriptor = *(u64*)((u64)hwrpb + hwrpb[CRB_OFFSET]);
  test_arguments();
  test_mapping();
  test_callbacks();
  if (PROM_STATUS(get_env(ENV_BOOTED_OSFLAGS, 64)) != 0) return;
  if (is("early")) early();
  if (is("echo")) echo();
}

void guest_main(void) {
  test_environment();
  test_clock();
  test_windows();
  test_machine_checks();
}
