/* The 16550A at COM1: registers, loopback, FIFOs and interrupts through IRQ 4. */
#include "board.h"

#define COM1 0x3f8UL
enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
#define LOOP 0x10
#define RESULTS 128

/* Results wait until the port is a console again. */
static struct {
  const char* name;
  u64 got, want;
} results[RESULTS];
static u64 result_count;
static u8 console_mcr, console_lcr;

static u8 get(u32 reg) { return inb(COM1 + reg); }
static void put(u32 reg, u8 value) { outb(value, COM1 + reg); }
static void expect(u64 got, u64 want, const char* name) {
  results[result_count].name = name;
  results[result_count].got = got;
  results[result_count].want = want;
  ++result_count;
}

static void take_port(void) {
  while ((get(LSR) & 0x40) == 0) {
  }
  console_lcr = get(LCR);
  console_mcr = get(MCR);
}

static void give_back(void) {
  put(IER, 0);
  put(FCR, 0x07);
  put(FCR, 0x01);
  put(LCR, 0x03);
  put(MCR, console_mcr & 0x0f);
  delay_ms(2);
  for (u64 i = 0; i < result_count; ++i) ok_eq(results[i].got, results[i].want, results[i].name);
}

static int wait_lsr(u8 bits) {
  for (u64 i = 0; i < 100; ++i) {
    if ((get(LSR) & bits) == bits) return 1;
    delay_ms(1);
  }
  return 0;
}

static void test_registers(void) {
  put(SCR, 0x5a);
  expect(get(SCR), 0x5a, "scratch keeps 5a");
  put(SCR, 0xa5);
  expect(get(SCR), 0xa5, "scratch keeps a5");
  put(IER, 0xff);
  expect(get(IER), 0x0f, "IER has four bits");
  put(IER, 0);
  expect(get(IER), 0, "IER clears");
  put(LCR, 0x83);
  put(0, 0x0c);
  put(1, 0x00);
  expect(get(0), 0x0c, "divisor latch, low");
  expect(get(1), 0x00, "divisor latch, high");
  put(0, 0x01);
  put(LCR, 0x03);
  expect(get(LCR), 0x03, "LCR keeps its value");
  expect(get(IER), 0, "the divisor did not reach IER");
  put(FCR, 0x00);
  expect(get(IIR), 0x01, "IIR without FIFOs and without interrupts");
  put(FCR, 0x07);
  put(FCR, 0x01);
  expect(get(IIR), 0xc1, "IIR with FIFOs");
  expect(get(LSR) & 0x60, 0x60, "LSR: transmitter empty");
  expect(get(LSR) & 0x1f, 0x00, "LSR: nothing received, no errors");
}

static void test_modem(void) {
  static const struct {
    u8 mcr, msr;
    const char* name;
  } lines[] = {{0x01, 0x20, "loopback: DTR is DSR"},
               {0x02, 0x10, "loopback: RTS is CTS"},
               {0x04, 0x40, "loopback: OUT1 is RI"},
               {0x08, 0x80, "loopback: OUT2 is DCD"},
               {0x00, 0x00, "loopback: no outputs, no inputs"}};
  for (u64 i = 0; i < ARRAY_SIZE(lines); ++i) {
    put(MCR, LOOP | lines[i].mcr);
    expect(get(MSR) & 0xf0, lines[i].msr, lines[i].name);
  }
}

static void test_data(void) {
  put(MCR, LOOP);
  put(FCR, 0x07);
  put(FCR, 0x01);
  put(THR, 0xc3);
  expect((u64)wait_lsr(0x01), 1, "loopback: a byte arrives");
  expect(get(RBR), 0xc3, "loopback: the byte that was sent");
  expect(get(LSR) & 0x01, 0, "LSR: taken");
  expect((u64)wait_lsr(0x60), 1, "LSR: transmitter empty again");
  u64 wrong = 0;
  for (u32 i = 0; i < 16; ++i) {
    put(THR, (u8)(0x40 + i));
    wait_lsr(0x60);
  }
  delay_ms(5);
  for (u32 i = 0; i < 16; ++i) wrong += get(RBR) != 0x40 + i;
  expect(wrong, 0, "loopback: 16 bytes through the FIFO in order");
  expect(get(LSR) & 0x03, 0, "LSR: FIFO empty, no overrun");
  for (u32 i = 0; i < 17; ++i) {
    wait_lsr(0x60);
    put(THR, (u8)i);
  }
  delay_ms(5);
  expect(get(LSR) & 0x02, 0x02, "LSR: the 17th byte overruns");
  expect(get(LSR) & 0x02, 0x00, "LSR: reading clears the overrun");
  put(FCR, 0x03);
  expect(get(LSR) & 0x01, 0, "FCR: receive FIFO reset");
  put(FCR, 0x00);
  put(THR, 0x11);
  expect((u64)wait_lsr(0x01), 1, "without FIFOs: a byte arrives");
  expect(get(RBR), 0x11, "without FIFOs: the byte that was sent");
}

static volatile u64 interrupts, vector, identified, received, modem;
/* Takes away what interrupted: QEMU's line stays up until then, and interrupts again. */
static void on_interrupt(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a2;
  (void)frame;
  if (a0 != INT_DEVICE) return;
  ++interrupts;
  vector = a1;
  identified = get(IIR);
  if ((identified & 0x0f) == 0x04) received = get(RBR);
  if ((identified & 0x0f) == 0x00) modem = get(MSR);
  pic_eoi(4);
}

static int wait_interrupt(void) {
  for (u64 i = 0; i < 100 && interrupts == 0; ++i) delay_ms(1);
  return interrupts != 0;
}

static void test_interrupt_line(void) {
  put(FCR, 0x00);
  put(IER, 0);
  put(MCR, 0x08);
  get(MSR);
  get(LSR);
  get(RBR);
  interrupt_hook = on_interrupt;
  pic_enable(1u << 4);
  isa_interrupts(1);
  interrupts = 0;
  pal_swpipl(0);
  delay_ms(2);
  expect(interrupts, 0, "nothing enabled, no interrupt");
  put(IER, 0x02);
  expect((u64)wait_interrupt(), 1, "enabling THRE interrupts at once");
  expect(identified & 0x0f, 0x02, "IIR says THRE");
  expect(vector, VECTOR_ISA(4), "vector of IRQ 4");
  delay_ms(2);
  expect(interrupts, 1, "reading IIR clears THRE");
  put(IER, 0);
  put(MCR, LOOP | 0x08);
  get(MSR);
  interrupts = 0;
  put(IER, 0x01);
  put(THR, 0x5c);
  expect((u64)wait_interrupt(), 1, "loopback: a received byte interrupts");
  expect(identified & 0x0f, 0x04, "loopback: IIR says received data");
  expect(received, 0x5c, "loopback: the byte that interrupted");
  put(IER, 0);
  interrupts = 0;
  put(IER, 0x02);
  expect((u64)wait_interrupt(), 1, "loopback: the empty transmitter interrupts");
  expect(identified & 0x0f, 0x02, "loopback: IIR says THRE");
  put(IER, 0);
  interrupts = 0;
  put(IER, 0x08);
  put(MCR, LOOP | 0x0a);
  expect((u64)wait_interrupt(), 1, "loopback: a modem line change interrupts");
  expect(modem & 0x11, 0x11, "loopback: CTS and its change");
  pal_swpipl(7);
  put(IER, 0);
  pic_enable(0);
}

/* Waits until IIR shows an interrupt; returns its code. */
static u64 wait_identified(void) {
  u8 iir = get(IIR);
  for (u64 i = 0; i < 100 && (iir & 1) != 0; ++i) {
    delay_ms(1);
    iir = get(IIR);
  }
  return iir & 0x0f;
}

static void test_causes(void) {
  put(MCR, LOOP);
  delay_ms(1);
  get(MSR);
  put(IER, 0x01);
  expect(get(IIR) & 0x0f, 0x01, "IIR: nothing pending");
  put(THR, 0x77);
  expect(wait_identified(), 0x04, "IIR says received data");
  expect(get(RBR), 0x77, "and the byte is there");
  expect(get(IIR) & 0x0f, 0x01, "taking the byte ends it");
  put(IER, 0x08);
  put(MCR, LOOP | 0x02);
  expect(wait_identified(), 0x00, "a modem line change is identified");
  expect(get(MSR) & 0x11, 0x11, "MSR says CTS and its change");
  expect(get(MSR) & 0x11, 0x10, "reading MSR clears the change");
  expect(get(IIR) & 0x0f, 0x01, "and ends the interrupt");
  put(IER, 0);
  put(FCR, 0x07);
  put(FCR, 0x41);
  put(IER, 0x01);
  put(THR, 0x21);
  expect(wait_identified(), 0x0c, "below the FIFO's trigger level a timeout is identified");
  get(RBR);
  expect(get(IIR) & 0x0f, 0x01, "taking the byte ends it too");
  for (u32 i = 0; i < 4; ++i) put(THR, (u8)i);
  u64 seen = 0;
  for (u64 i = 0; i < 100000 && !seen; ++i) seen = (get(IIR) & 0x0f) == 0x04;
  expect(seen, 1, "at the trigger level received data is identified");
  put(IER, 0);
}

void guest_main(void) {
  take_port();
  test_registers();
  test_modem();
  test_data();
  test_causes();
  test_interrupt_line();
  give_back();
}
