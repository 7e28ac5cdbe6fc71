/* The machine's clocks agree: RPCC, 8254 and MC146818. */
#include "board.h"

#define HWRPB_CYCLE_FREQUENCY 14
#define EDGES 512
#define ATTEMPTS 4

static u64 pit_total;
static u32 pit_last;

static void pit_update(void) {
  const u32 now = pit_count(0);
  pit_total += (pit_last - now) & 0xffff;
  pit_last = now;
}

static void wait_edge(void) {
  for (u64 i = 0; i < 100000 && (rtc_read(RTC_C) & 0x40) == 0; ++i) pit_update();
  pit_update();
}

static u64 distance(u64 a, u64 b) { return a > b ? a - b : b - a; }

struct sample {
  u64 pit, cycles;
};

/* Ticks of the 8254 and cycles over EDGES periods of 1/1024 s. */
static struct sample measure(void) {
  wait_edge();
  const u64 pit = pit_total;
  const u32 cycles = (u32)rpcc();
  for (u64 i = 0; i < EDGES; ++i) wait_edge();
  return (struct sample){pit_total - pit, (u32)((u32)rpcc() - cycles)};
}

static void test_rates(void) {
  const u64 want_pit = PIT_HZ * EDGES / 1024;
  const u64 want_cycles = hwrpb[HWRPB_CYCLE_FREQUENCY] * EDGES / 1024;
  int pit_agrees = 0, cycles_agree = 0;
  struct sample last = {0, 0};
  for (int i = 0; i < ATTEMPTS && !(pit_agrees && cycles_agree); ++i) {
    last = measure();
    pit_agrees |= distance(last.pit, want_pit) * 1000 <= want_pit;
    cycles_agree |= distance(last.cycles, want_cycles) * 1000 <= want_cycles;
  }
  ok(pit_agrees, "8254 and RTC agree within 0.1 percent");
  if (!pit_agrees) diag("ticks %lu want %lu", last.pit, want_pit);
  ok(cycles_agree, "RPCC runs at the HWRPB's cycle frequency within 0.1 percent");
  if (!cycles_agree) diag("cycles %lu want %lu", last.cycles, want_cycles);
}

static void test_rpcc(void) {
  u64 backwards = 0, offset_changes = 0;
  u64 last = rpcc();
  for (u64 i = 0; i < 100000; ++i) {
    const u64 now = rpcc();
    backwards += (s32)((u32)now - (u32)last) < 0;
    offset_changes += now >> 32 != last >> 32;
    last = now;
  }
  ok_eq(backwards, 0, "RPCC<31:0> never runs backwards");
  ok_eq(offset_changes, 0, "RPCC<63:32> stays the same without swpctx");
  const u32 start = (u32)rpcc();
  delay_ms(1);
  ok((u32)rpcc() != start, "RPCC moves");
}

static void test_pit(void) {
  pit_program(0, 2, 20000);
  delay_ms(1);
  group_begin("8254 mode 2 counts between its count and 1");
  for (u64 i = 0; i < 2000; ++i) {
    const u32 count = pit_count(0);
    group_eq(count >= 1 && count <= 20000, 1, "in range", count, 0);
  }
  group_end();
  pit_program(0, 2, 0);
  delay_ms(1);
  const u32 first = pit_count(0);
  u64 moved = 0;
  for (u64 i = 0; i < 1000; ++i) moved += pit_count(0) != first;
  ok(moved != 0, "the count moves");
  outb(0xe2, 0x43);
  const u8 status = inb(0x40);
  ok_eq(status & 0x3f, 0x34, "read-back status: both bytes, mode 2, binary");
  outb(0x00, 0x43);
  const u32 low = inb(0x40);
  delay_ms(1);
  const u32 latched = low | (u32)inb(0x40) << 8;
  delay_ms(1);
  outb(0x00, 0x43);
  delay_ms(2);
  const u32 again = pit_count(0);
  ok(latched <= 0xffff && again != latched, "a latched count stays until it is read");
  pit_start(1193);
  ok(!pit_expired(), "one-shot output starts low");
  while (!pit_expired()) {
  }
  ok(pit_expired(), "and goes high");
}

static void test_rtc(void) {
  ok_eq(rtc_read(RTC_D) & 0x80, 0x80, "RTC register D says valid RAM and time");
  ok_eq(rtc_read(RTC_A) & 0x7f, 0x26, "RTC register A keeps the rate");
  rtc_write(0x40, 0xa5);
  rtc_write(0x41, 0x5a);
  ok_eq(rtc_read(0x40), 0xa5, "RTC RAM keeps a byte");
  ok_eq(rtc_read(0x41), 0x5a, "and another");
  const u8 second = rtc_read(0);
  for (u64 i = 0; i < 1500 && rtc_read(0) == second; ++i) delay_ms(1);
  ok(rtc_read(0) != second, "seconds advance");
}

void guest_main(void) {
  rtc_periodic(0);
  test_rpcc();
  test_pit();
  pit_program(0, 2, 0);
  rtc_periodic(
      1); /* QEMU sets the periodic flag only with its interrupt enabled; IPL 7 holds that. */
  pit_last = pit_count(0);
  test_rates();
  test_rtc();
}
