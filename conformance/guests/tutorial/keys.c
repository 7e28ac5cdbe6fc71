/* The kernel of docs/tutorial.md: it shows a line that somebody types and counts its keys. Keys come by interrupt and wait
   in a ring. Built as it is, it sometimes never sees the end of the line; with -DMENDED it always does. */
#include "../board.h"

#define COM1 0x3f8UL
enum { RBR = 0, IER = 1, MCR = 4, LSR = 5 };
#define IRQ 4
#define RING 64

/* What the interrupt handler puts there and take_key() takes. */
volatile u8 ring[RING];
volatile u64 put_at;
volatile u64 waiting;

static void on_interrupt(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a2;
  (void)frame;
  if (a0 != INT_DEVICE || a1 != VECTOR_ISA(IRQ)) return;
  while (inb(COM1 + LSR) & 1) {
    ring[put_at++ % RING] = inb(COM1 + RBR);
    waiting = waiting + 1;
  }
  pic_eoi(IRQ);
}

static char line[RING];
static u64 keys;

/* Adds a key to the line and shows it. */
static void show(u8 key) {
  if (key == '\r' || keys == RING - 1) return;
  line[keys++] = (char)key;
  print("\r> %s", line);
}

/* Waits for a key, shows it and returns it. */
static __attribute__((noinline)) u8 take_key(void) {
  static u64 take_at;
  while (waiting == 0) {
  }
  const u8 key = ring[take_at++ % RING];
#ifdef MENDED
  pal_swpipl(7);
  waiting = waiting - 1;
  pal_swpipl(0);
  show(key);
#else
  const u64 left = waiting - 1;
  show(key);
  waiting = left;
#endif
  return key;
}

void guest_main(void) {
  interrupt_hook = on_interrupt;
  pic_enable(1u << IRQ);
  isa_interrupts(1);
  outb(0x0b, COM1 + MCR); /* OUT2 lets the line through */
  outb(0x01, COM1 + IER);
  print("type a line\n> ");
  pal_swpipl(0);
  while (take_key() != '\r') {
  }
  print("\nkeys: %lu\n", keys);
  guest_exit();
}
