/* Clipper from a guest's side: Cchip CSRs, 8259s, 8254 and MC146818 in ISA I/O space. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_BOARD_H_
#define ISOCHRON_CONFORMANCE_GUESTS_BOARD_H_

#include "runtime.h"

#define CCHIP 0xfffffd01a0000000UL
#define CCHIP_DIM0 0x200
#define CCHIP_DRIR 0x300
#define DRIR_ISA (1UL << 55)
#define PIT_HZ 1193182UL
#define VECTOR_ISA(irq) (0x800UL + 16 * (irq))

#define RTC_A 0x0a
#define RTC_B 0x0b
#define RTC_C 0x0c
#define RTC_D 0x0d
#define RTC_B_PIE 0x40

static inline u64 cchip_read(u64 offset) {
  const u64 value = *(volatile u64*)(CCHIP + offset);
  mb();
  return value;
}
static inline void cchip_write(u64 offset, u64 value) {
  *(volatile u64*)(CCHIP + offset) = value;
  mb();
  (void)cchip_read(offset);
}

/* Bit n of `enabled` lets IRQ n through. */
static inline void pic_enable(u32 enabled) {
  const u32 masked = ~(enabled | (enabled >> 8 ? 4u : 0u));
  outb((u8)masked, 0x21);
  outb((u8)(masked >> 8), 0xa1);
}
static inline void pic_eoi(u32 irq) {
  if (irq >= 8) {
    outb((u8)(0x60 | (irq - 8)), 0xa0);
    irq = 2;
  }
  outb((u8)(0x60 | irq), 0x20);
}
static inline void isa_interrupts(int on) {
  const u64 mask = cchip_read(CCHIP_DIM0);
  cchip_write(CCHIP_DIM0, on ? mask | DRIR_ISA : mask & ~DRIR_ISA);
}

static inline u8 rtc_read(u8 reg) {
  outb(reg, 0x70);
  return inb(0x71);
}
static inline void rtc_write(u8 reg, u8 value) {
  outb(reg, 0x70);
  outb(value, 0x71);
}
/* 1024 Hz periodic flag; with its interrupt or without. */
static inline void rtc_periodic(int interrupt) {
  rtc_write(RTC_A, 0x26);
  const u8 b = rtc_read(RTC_B) & (u8)~0x70;
  rtc_write(RTC_B, interrupt ? b | RTC_B_PIE : b);
  rtc_read(RTC_C);
}

static inline void pit_program(u32 channel, u32 mode, u32 count) {
  outb((u8)(channel << 6 | 0x30 | mode << 1), 0x43);
  outb((u8)count, 0x40 + channel);
  outb((u8)(count >> 8), 0x40 + channel);
}
static inline u32 pit_count(u32 channel) {
  outb((u8)(channel << 6), 0x43);
  const u32 low = inb(0x40 + channel);
  return low | (u32)inb(0x40 + channel) << 8;
}

/* Channel 2 as a one-shot with its output in port 0x61; below 65536 ticks (55 ms). */
static inline void pit_start(u32 ticks) {
  outb((u8)((inb(0x61) & ~0x02) | 0x01), 0x61);
  pit_program(2, 0, ticks);
}
static inline int pit_expired(void) { return inb(0x61) >> 5 & 1; }
static inline void delay_ms(u64 milliseconds) {
  while (milliseconds-- != 0) {
    pit_start(1193);
    while (!pit_expired()) {
    }
  }
}

#endif /* ISOCHRON_CONFORMANCE_GUESTS_BOARD_H_ */
