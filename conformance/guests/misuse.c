/* Several CPUs used as nobody should. The first letter of the command line says how:

     s   others are told to start before they can, while they run, and when they have halted
     w   one starts where there is no code, at the rest of the command line, in hexadecimal
     i   all interrupt each other as often as they can, for a while
     I   for ever
     d   each waits for the next, for ever
     h   all halt
     p   CPU 0 halts, as in a panic of another CPU, and that goes on
     l   all others halt, and CPU 0 goes round in a loop, with interrupts off
     n   that, and nobody has started the others

   What ends prints TAP. */
#include "board.h"
#include "cpus.h"

#define HWRPB_SLOT_SIZE 19
#define HWRPB_SLOTS 20
#define HWRPB_RESTART 32
#define HWRPB_RXRDY 37
#define SLOT_FLAGS 16
#define SLOT_HALT_CODE 35
#define SLOT_RXLEN 37
#define SLOT_RXTEXT 38
#define BOOTSTRAP_IN_PROGRESS 1UL
#define START 0x0a0d5452415453UL /* with CR and LF */
#define STOP 0x0a0d504f5453UL

#define STORM 2000u

PAL_CALL_WRITE(pal_wripir, PAL_WRIPIR)

static u64 begun[MAX_CPUS][8] __attribute__((aligned(64)));
static u64 released __attribute__((aligned(64)));

static volatile u64* slot_of(u64 cpu) {
  return (volatile u64*)(hwrpb + (hwrpb[HWRPB_SLOTS] + cpu * hwrpb[HWRPB_SLOT_SIZE]) / 8);
}
static int is_waiting(u64 cpu) { return (int)(load(&hwrpb[HWRPB_RXRDY]) >> cpu & 1); }

/* Leaves a message in a CPU's receive buffer. */
static void tell(u64 cpu, u64 text) {
  volatile u64* const slot = slot_of(cpu);
  slot[SLOT_RXTEXT] = text;
  slot[SLOT_RXLEN] = 7;
  mb();
  fetch_add(&hwrpb[HWRPB_RXRDY], is_waiting(cpu) ? 0 : 1UL << cpu);
  delay_ms(5);
}

static void begin(u64 cpu) {
  store(&begun[cpu][0], load(&begun[cpu][0]) + 1);
  while (load(&released) == 0) (void)inb(0x61);
}

static void start_again(void) {
  const u64 last = cpu_count() - 1;
  tell(last, STOP);
  ok(!is_waiting(last), "a CPU takes another message than START");
  ok_eq(slot_of(last)[SLOT_FLAGS] & BOOTSTRAP_IN_PROGRESS, 0, "and does not start");
  start_cpus(begin);
  delay_ms(5);
  for (u64 cpu = 1; cpu <= last; ++cpu) ok_eq(load(&begun[cpu][0]), 1, "a CPU starts");
  tell(last, START);
  tell(last, START);
  ok(is_waiting(last), "a CPU that runs takes no message");
  ok_eq(load(&begun[last][0]), 1, "and does not start again");
  store(&released, 1);
  delay_ms(5);
  tell(last, START);
  ok(is_waiting(last), "a CPU that has halted takes no message");
  ok_eq(load(&begun[last][0]), 1, "and does not start again, either");
}

static u64 hexadecimal(const char* text) {
  u64 value = 0;
  for (; *text != 0; ++text) {
    value = value * 16 + (u64)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
  }
  return value;
}

static void start_wildly(u64 address) {
  hwrpb[HWRPB_RESTART] = hwrpb[HWRPB_RESTART + 1] = address;
  tell(1, START);
  delay_ms(50);
  ok((slot_of(1)[SLOT_FLAGS] & BOOTSTRAP_IN_PROGRESS) != 0, "it starts and does no harm");
}

static u64 storms[MAX_CPUS][8] __attribute__((aligned(64)));
static u64 for_ever;
static u64 over __attribute__((aligned(64)));

static void interrupt_all(void) {
  for (u64 cpu = 0; cpu < cpu_count(); ++cpu) pal_wripir(cpu);
}

static int all_have_enough(void) {
  for (u64 cpu = 0; cpu < cpu_count(); ++cpu) {
    if (load(&storms[cpu][0]) < STORM) return 0;
  }
  return !for_ever;
}

/* Each that comes makes more, so that nothing else is done. */
static void pass_on(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a1;
  (void)a2;
  (void)frame;
  if (a0 != 0) return; /* the clock */
  const u64 cpu = pal_whami();
  store(&storms[cpu][0], load(&storms[cpu][0]) + 1);
  if (all_have_enough()) store(&over, 1);
  if (load(&over) == 0) interrupt_all();
}

extern char entInt[];

static void storm(u64 cpu) {
  register u64 gp __asm__("$29");
  pal_wrkgp(gp);
  pal_wrent((u64)entInt, ENT_INT);
  pal_swpipl(0);
  (void)cpu;
  while (load(&over) == 0) interrupt_all();
  pal_swpipl(7);
}

static void interrupt_each_other(void) {
  interrupt_hook = pass_on;
  start_cpus(storm);
  storm(0);
  for (u64 cpu = 0; cpu < cpu_count(); ++cpu) {
    ok(load(&storms[cpu][0]) >= STORM, "a CPU has taken its interrupts");
  }
}

static __attribute__((noinline)) void wait_for_next(u64 cpu) {
  const u64 next = cpu + 1 < cpu_count() ? cpu + 1 : 0;
  while (load(&begun[next][0]) == 0) {
  }
}

static void halt(u64 cpu) { (void)cpu; }

static void outlive_first(u64 cpu) {
  if (cpu != 1) return;
  while (slot_of(0)[SLOT_HALT_CODE] == 0) {
  }
  delay_ms(5);
  print("CPU 1 goes on\n");
  while ((inb(0x3fd) & 0x40) == 0) { /* until it is sent */
  }
}

static void loop(void) {
  for (;;) {
  }
}

void guest_main(void) {
  switch (*COMMAND_LINE) {
    case 's': start_again(); break;
    case 'w': start_wildly(hexadecimal(COMMAND_LINE + 1)); break;
    case 'I':
      for_ever = 1;
      interrupt_each_other();
      break;
    case 'i': interrupt_each_other(); break;
    case 'd':
      start_cpus(wait_for_next);
      wait_for_next(0);
      break;
    case 'h':
      start_cpus(halt);
      delay_ms(5);
      pal_halt();
      break;
    case 'l':
      start_cpus(halt);
      loop();
      break;
    case 'n': loop(); break;
    case 'p':
      start_cpus(outlive_first);
      pal_halt();
      break;
    default: bail_out("no such misuse");
  }
}
