#include "runtime.h"

#include <stdarg.h>

#define COM1 0x3f8UL
#define HWRPB_VA 0x10000000UL
#define HWRPB_SLOT_SIZE 19
#define HWRPB_SLOT_OFFSET 20
#define SLOT_FLAGS 16

volatile struct trap_record trap;
volatile struct user_state user_state;
int (*trap_hook)(u64, u64, u64, u64, struct trap_frame*);
volatile u64 interrupts_ignored;
u64* hwrpb;

static int expecting;
static u32 tests_run;
static u32 tests_failed;

void* memset(void* to, int value, u64 size) {
  u8* p = to;
  while (size-- != 0) *p++ = (u8)value;
  return to;
}

void* memcpy(void* to, const void* from, u64 size) {
  u8* p = to;
  const u8* q = from;
  while (size-- != 0) *p++ = *q++;
  return to;
}

static void put_char(char c) {
  while ((inb(COM1 + 5) & 0x20) == 0) {
  }
  outb((u8)c, COM1);
}

static void put_string(const char* s) {
  while (*s != 0) {
    if (*s == '\n') put_char('\r');
    put_char(*s++);
  }
}

static void put_number(u64 value, int is_hex, int width, char pad) {
  char digits[24];
  int n = 0;
  do {
    digits[n++] = "0123456789abcdef"[is_hex ? value % 16 : value % 10];
    value = is_hex ? value / 16 : value / 10;
  } while (value != 0);
  while (width-- > n) put_char(pad);
  while (n != 0) put_char(digits[--n]);
}

static void print_list(const char* format, va_list list) {
  for (; *format != 0; ++format) {
    if (*format != '%') {
      if (*format == '\n') put_char('\r');
      put_char(*format);
      continue;
    }
    int width = 0;
    int is_long = 0;
    char pad = ' ';
    if (*++format == '0') pad = '0';
    for (; *format >= '0' && *format <= '9'; ++format) width = width * 10 + (*format - '0');
    if (*format == 'l') {
      is_long = 1;
      ++format;
    }
    if (*format == 's') {
      put_string(va_arg(list, const char*));
    } else if (*format == 'c') {
      put_char((char)va_arg(list, int));
    } else if (*format == 'd') {
      s64 value = is_long ? va_arg(list, s64) : va_arg(list, s32);
      if (value < 0) put_char('-');
      put_number(value < 0 ? -(u64)value : (u64)value, 0, width, pad);
    } else {
      u64 value = is_long ? va_arg(list, u64) : va_arg(list, u32);
      put_number(value, *format == 'x', width, pad);
    }
  }
}

void print(const char* format, ...) {
  va_list list;
  va_start(list, format);
  print_list(format, list);
  va_end(list);
}

void diag(const char* format, ...) {
  va_list list;
  va_start(list, format);
  put_string("# ");
  print_list(format, list);
  put_string("\n");
  va_end(list);
}

static void report(int passed, const char* name) {
  ++tests_run;
  if (!passed) ++tests_failed;
  print("%s %u - %s", passed ? "ok" : "not ok", tests_run, name);
}

void ok(int condition, const char* name) {
  report(condition, name);
  print("\n");
}

void ok_eq(u64 got, u64 want, const char* name) {
  report(got == want, name);
  if (got != want) print(" # got 0x%lx want 0x%lx", got, want);
  print("\n");
}

static struct {
  const char* name;
  const char* what;
  u64 failures, checks, got, want, a, b;
} group;

void group_begin(const char* name) {
  group.name = name;
  group.failures = 0;
  group.checks = 0;
}

void group_eq(u64 got, u64 want, const char* what, u64 a, u64 b) {
  ++group.checks;
  if (got == want) return;
  if (group.failures++ != 0) return;
  group.what = what;
  group.got = got;
  group.want = want;
  group.a = a;
  group.b = b;
}

void group_end(void) {
  report(group.failures == 0, group.name);
  if (group.failures != 0) {
    print(" # %s(0x%lx, 0x%lx) got 0x%lx want 0x%lx; %lu of %lu differ", group.what, group.a,
          group.b, group.got, group.want, group.failures, group.checks);
  }
  print("\n");
}

void trap_expect(void) {
  trap.count = 0;
  trap.kind = ~0UL;
  expecting = 1;
}

u64 trap_end(void) {
  expecting = 0;
  return trap.count;
}

static void ignore_interrupt(u64 a0, u64 a1, u64 a2, struct trap_frame* frame) {
  (void)a1;
  (void)a2;
  (void)frame;
  ++interrupts_ignored;
  if (a0 == INT_CLOCK) {
    outb(0x0c, 0x70);
    inb(0x71);
  }
}

void (*interrupt_hook)(u64, u64, u64, struct trap_frame*) = ignore_interrupt;

static void step_over(u64 kind, u64 a0, u64 a2, struct trap_frame* frame) {
  if (kind == ENT_MM && (s64)a2 == MM_FETCH) {
    frame->pc = frame->r[26];
  } else if (kind == ENT_MM || (kind == ENT_IF && a0 == IF_FEN)) {
    frame->pc += 4;
  }
}

/* Called by traps.S. */
void trap_dispatch(u64 a0, u64 a1, u64 a2, u64 kind, struct trap_frame* frame);
void trap_dispatch(u64 a0, u64 a1, u64 a2, u64 kind, struct trap_frame* frame) {
  if (kind == ENT_INT) {
    interrupt_hook(a0, a1, a2, frame);
    return;
  }
  if (!expecting) {
    bail_out("unexpected trap kind %lu a0=0x%lx a1=0x%lx a2=0x%lx pc=0x%lx ps=0x%lx ra=0x%lx", kind,
             a0, a1, a2, frame->pc, frame->ps, frame->r[26]);
  }
  ++trap.count;
  trap.kind = kind;
  trap.a0 = a0;
  trap.a1 = a1;
  trap.a2 = a2;
  trap.pc = frame->pc;
  trap.ps = frame->ps;
  if (trap_hook != 0 && trap_hook(kind, a0, a1, a2, frame)) return;
  step_over(kind, a0, a2, frame);
}

void guest_exit(void) {
  u64* slot = (u64*)((u64)hwrpb + hwrpb[HWRPB_SLOT_OFFSET] + hwrpb[HWRPB_SLOT_SIZE] * pal_whami());
  pal_swpipl(7);
  while ((inb(COM1 + 5) & 0x40) == 0) {
  }
  slot[SLOT_FLAGS] = (slot[SLOT_FLAGS] & ~0x00ff0001UL) | 0x00040000UL;
  for (;;) pal_halt();
}

void bail_out(const char* format, ...) {
  va_list list;
  va_start(list, format);
  put_string("Bail out! ");
  print_list(format, list);
  put_string("\n");
  va_end(list);
  guest_exit();
}

extern char entInt[], entArith[], entMM[], entIF[], entUna[], entSys[];

static void set_entries(void) {
  register u64 gp __asm__("$29");
  pal_wrkgp(gp);
  pal_wrent((u64)entInt, ENT_INT);
  pal_wrent((u64)entArith, ENT_ARITH);
  pal_wrent((u64)entMM, ENT_MM);
  pal_wrent((u64)entIF, ENT_IF);
  pal_wrent((u64)entUna, ENT_UNA);
  pal_wrent((u64)entSys, ENT_SYS);
}

/* Called by start.S. */
void runtime_main(void);
void runtime_main(void) {
  hwrpb = kseg(*(u64*)HWRPB_VA);
  if (guest_early != 0) guest_early();
  set_entries();
  pal_wrfen(1);
  guest_main();
  print("1..%u\n", tests_run);
  if (tests_failed != 0) diag("%u of %u failed", tests_failed, tests_run);
  guest_exit();
}
