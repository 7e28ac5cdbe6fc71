/* Interrupts through entInt: the clock (MC146818 at 1024 Hz), IRQ 0 (8254) by way of the 8259s and
   DRIR, the interprocessor interrupt; IPL rules and order. */
#include "board.h"
#include "user_programs.h"
#include "vm.h"

#define CODE 0x20000000UL
#define DATA 0x40000000UL
#define LOG_SIZE 64

struct entry {
  u64 a0, a1, pc, ps, ipl;
};
static volatile struct entry log[LOG_SIZE];
static volatile u64 logged;
static volatile u64 clocks, devices, others;
static volatile u64 nest_wait, nested;
static volatile u64* user_flag;

static void record(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a2;
  const u64 ipl = pal_rdps();
  if (logged < LOG_SIZE) {
    log[logged] = (struct entry){a0, a1, frame->pc, frame->ps, ipl};
    ++logged;
  }
  if (a0 == INT_CLOCK) {
    ++clocks;
    rtc_read(RTC_C);
    if (user_flag != 0 && clocks >= 3) *user_flag = clocks;
  } else if (a0 == INT_DEVICE) {
    ++devices;
    const u32 irq = (u32)(a1 - 0x800) / 16;
    if (nest_wait) {
      const u64 before = clocks;
      for (u64 i = 0; i < 100 && clocks == before; ++i) delay_ms(1);
      nested = clocks - before;
    }
    pic_eoi(irq);
  } else {
    ++others;
  }
}

static void reset_log(void) {
  logged = clocks = devices = others = 0;
  rtc_read(RTC_C);
}

/* Lets time pass until a counter reaches a value; 0 if it never does. */
static int wait_for(volatile u64* counter, u64 value) {
  for (u64 i = 0; i < 2000 && *counter < value; ++i) delay_ms(1);
  return *counter >= value;
}

static void test_clock(void) {
  rtc_periodic(1);
  reset_log();
  delay_ms(10);
  ok_eq(clocks, 0, "no clock interrupt at IPL 7");
  pal_swpipl(0);
  ok(wait_for(&clocks, 20), "clock interrupts arrive at IPL 0");
  pal_swpipl(7);
  group_begin("each clock interrupt: a0 1, PS 0, handler at IPL 5");
  for (u64 i = 0; i < 20; ++i) {
    group_eq(log[i].a0, INT_CLOCK, "a0", i, 0);
    group_eq(log[i].ps, 0, "ps", i, 0);
    group_eq(log[i].ipl, 5, "ipl", i, 0);
  }
  group_end();
  group_begin("an IPL of 5 and above holds the clock");
  for (u64 ipl = 7; ipl >= 5; --ipl) {
    reset_log();
    pal_swpipl(ipl);
    delay_ms(5);
    group_eq(clocks, 0, "clocks", ipl, 0);
  }
  group_end();
  pal_swpipl(4);
  ok(wait_for(&clocks, 1), "IPL 4 lets the clock through");
  pal_swpipl(7);
}

/* A pending interrupt is taken right behind the swpipl that allows it. */
static void test_recognition(void) {
  reset_log();
  delay_ms(5);
  register u64 a0 __asm__("$16") = 0;
  u64 here, before, after;
  __asm__ volatile("ldq %3, 0(%4)\n\tbr %0, 1f\n1:\tcall_pal 0x35\n\tnop\n\tldq %2, 0(%4)"
                   : "=&r"(here), "+r"(a0), "=&r"(after), "=&r"(before)
                   : "r"(&clocks)
                   : "$0", PAL_CLOBBERS);
  pal_swpipl(7);
  ok_eq(before, 0, "no clock interrupt yet");
  ok(after >= 1, "a pending clock interrupt is taken within two instructions of swpipl");
  ok(log[0].pc == here + 4 || log[0].pc == here + 8, "its PC is behind swpipl");
}

/* The chipset latches a clock interrupt: take what is pending. */
static void stop_clock(void) {
  rtc_periodic(0);
  pal_swpipl(0);
  delay_ms(2);
  pal_swpipl(7);
  reset_log();
}

static void test_device(void) {
  stop_clock();
  isa_interrupts(1);
  pic_enable(1);
  pit_program(0, 2, 11932);
  pal_swpipl(4);
  delay_ms(30);
  ok_eq(devices, 0, "IPL 4 holds device interrupts");
  pal_swpipl(2);
  ok(wait_for(&devices, 5), "the 8254 interrupts through IRQ 0 at IPL 2");
  pal_swpipl(7);
  group_begin("each device interrupt: a0 3, vector 0x800, PS 2, handler at IPL 3 or 4");
  for (u64 i = 0; i < 5; ++i) {
    group_eq(log[i].a0, INT_DEVICE, "a0", i, 0);
    group_eq(log[i].a1, VECTOR_ISA(0), "a1", i, 0);
    group_eq(log[i].ps, 2, "ps", i, 0);
    group_eq(log[i].ipl == 3 || log[i].ipl == 4, 1, "ipl", i, log[i].ipl);
  }
  group_end();
  pit_program(0, 0, 100);
  pal_swpipl(0);
  delay_ms(5);
  pal_swpipl(7);
}

static void test_masks(void) {
  pic_enable(0);
  pit_program(0, 2, 11932);
  reset_log();
  pal_swpipl(0);
  delay_ms(30);
  ok_eq(devices, 0, "a masked IRQ does not interrupt");
  isa_interrupts(0);
  pic_enable(1);
  delay_ms(30);
  ok_eq(devices, 0, "DIM0 holds the ISA interrupt back");
  ok((cchip_read(CCHIP_DRIR) & DRIR_ISA) != 0, "DRIR shows it");
  isa_interrupts(1);
  ok(wait_for(&devices, 1), "setting DIM0 lets it through");
  pal_swpipl(7);
  pit_program(0, 0, 100);
  pal_swpipl(0);
  delay_ms(5);
  pal_swpipl(7);
}

static void test_order(void) {
  rtc_periodic(1);
  reset_log();
  pit_program(0, 0, 1000);
  delay_ms(10);
  pal_swpipl(0);
  ok(wait_for(&devices, 1), "a one-shot of the 8254 interrupts");
  pal_swpipl(7);
  ok_eq(log[0].a0, INT_CLOCK, "with both pending the clock comes first");
  ok_eq(devices, 1, "the one-shot interrupts once");
  reset_log();
  nest_wait = 1;
  pit_program(0, 0, 1000);
  pal_swpipl(0);
  ok(wait_for(&devices, 1), "another one-shot");
  pal_swpipl(7);
  nest_wait = 0;
  ok(nested >= 1, "the clock interrupts a device interrupt's handler");
  pic_enable(0);
}

static void test_ipi(void) {
  stop_clock();
  register u64 a0 __asm__("$16") = 0;
  __asm__ volatile("call_pal " PAL_STRING(PAL_WRIPIR) : "+r"(a0) : : PAL_CLOBBERS);
  delay_ms(1);
  ok_eq(others, 0, "IPL 7 holds the interprocessor interrupt");
  pal_swpipl(0);
  wait_for(&others, 1);
  pal_swpipl(7);
  ok_eq(others, 1, "wripir to oneself interrupts once");
  ok_eq(log[0].a0, INT_IPI, "with a0 0");
}

static void test_wtint(void) {
  rtc_periodic(1);
  reset_log();
  for (u64 i = 0; i < 8; ++i) {
    pal_wtint(0);
    pal_swpipl(0);
    pal_swpipl(7);
  }
  ok(1, "wtint at IPL 7 returns");
  pal_swpipl(0);
  ok(wait_for(&clocks, 1), "and the clock goes on");
  pal_swpipl(7);
}

static void test_user(struct pcb* space) {
  volatile u64* page = vm_pages(1);
  vm_map(space, DATA, (void*)page, PTE_USER);
  MAP_PROGRAM(space, CODE, user_wait);
  reset_log();
  user_flag = page;
  pal_swpipl(0);
  const s64 result = user_run(CODE, 0, DATA, 0);
  pal_swpipl(7);
  user_flag = 0;
  ok(result >= 3, "user mode is interrupted and goes on");
  ok_eq(log[1].ps, PS_USER, "the frame says user mode");
  ok_eq(log[1].pc & ~7UL, CODE, "the PC is in the user's loop");
  rtc_periodic(0);
}

static void test_registers(void) {
  rtc_periodic(1);
  reset_log();
  pal_swpipl(0);
  u64 bad = 0;
  for (u64 i = 0; i < 4000000 && clocks < 10; ++i) {
    u64 a = i, b = i + 1, c = i + 2;
    __asm__ volatile("addq %0, 1, %0\n\taddq %1, 1, %1\n\taddq %2, 1, %2"
                     : "+r"(a), "+r"(b), "+r"(c));
    bad += (a != i + 1) + (b != i + 2) + (c != i + 3);
  }
  ok(wait_for(&clocks, 1), "interrupted while computing");
  pal_swpipl(7);
  rtc_periodic(0);
  ok_eq(bad, 0, "interrupts change no register");
}

void guest_main(void) {
  static struct pcb space;
  vm_start(&space);
  interrupt_hook = record;
  pic_enable(0);
  test_clock();
  test_recognition();
  test_device();
  test_masks();
  test_order();
  test_ipi();
  test_wtint();
  test_user(&space);
  test_registers();
}
