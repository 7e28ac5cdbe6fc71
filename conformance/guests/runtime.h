/* The runtime of the guest kernels: TAP on COM1, recorded traps, user mode, ports and the way out.
 */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_RUNTIME_H_
#define ISOCHRON_CONFORMANCE_GUESTS_RUNTIME_H_

#include "pal.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int s32;
typedef long s64;

#define PAGE_BYTES 8192UL
#define KSEG 0xfffffc0000000000UL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What traps.S saves; r[16..18] and r[29..31] are not filled (PALcode's part holds gp and a0 to
 * a2). */
struct trap_frame {
  u64 r[32];
  u64 ps, pc, gp, a0, a1, a2;
};

/* The last exception (not interrupt) since trap_expect, and how many there were. */
struct trap_record {
  u64 count;
  u64 kind;
  u64 a0, a1, a2;
  u64 pc, ps;
};
extern volatile struct trap_record trap;

/* What user code handed to callsys, and the frame that PALcode pushed for it. */
struct user_state {
  u64 v0, a0, a1, ps, pc, frame;
};
extern volatile struct user_state user_state;

/* Exceptions are fatal unless expected.  While expected, each is recorded and execution goes on
   behind the instruction; a fault on fetching returns to $26 as if the function called had
   returned. */
void trap_expect(void);
/* Ends the expectation; returns the number of exceptions recorded. */
u64 trap_end(void);
/* Called first for an expected exception when set; returns nonzero if it fixed the frame itself. */
extern int (*trap_hook)(u64 kind, u64 a0, u64 a1, u64 a2, struct trap_frame* frame);
/* Called for interrupts; the default counts them and acknowledges the RTC. */
extern void (*interrupt_hook)(u64 a0, u64 a1, u64 a2, struct trap_frame* frame);
extern volatile u64 interrupts_ignored;

/* See traps.S.  Needs a kernel stack and an address space with the user's pages (vm.h). */
s64 user_run(u64 pc, u64 sp, u64 a0, u64 a1);
s64 user_resume(void);

/* TAP. */
void ok(int condition, const char* name);
void ok_eq(u64 got, u64 want, const char* name);
void diag(const char* format, ...) __attribute__((format(printf, 1, 2)));
/* One combined test over many checks: the first failure is printed. */
void group_begin(const char* name);
void group_eq(u64 got, u64 want, const char* what, u64 a, u64 b);
void group_end(void);

/* Formats %s %c %d %u %lu %ld %lx %x with optional zero padded width. */
void print(const char* format, ...) __attribute__((format(printf, 1, 2)));

/* Ends the guest as Linux powers off: slot flags say "remain halted", then CALL_PAL HALT. */
void guest_exit(void) __attribute__((noreturn));
/* Prints "Bail out!" and ends the guest. */
void bail_out(const char* format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Each guest defines this; TAP's plan is printed when it returns. */
void guest_main(void);
/* Called before any entry point is set, if a guest defines it. */
void guest_early(void) __attribute__((weak));

/* PCI I/O space and memory barriers. */
#define IO_BASE 0xfffffd01fc000000UL
static inline void mb(void) { __asm__ volatile("mb" : : : "memory"); }
static inline u8 inb(u64 port) {
  u8 value = *(volatile u8*)(IO_BASE + port);
  mb();
  return value;
}
static inline void outb(u8 value, u64 port) {
  *(volatile u8*)(IO_BASE + port) = value;
  mb();
}
static inline u64 rpcc(void) {
  u64 value;
  __asm__ volatile("rpcc %0" : "=r"(value) : : "memory");
  return value;
}
static inline u64 physical(const void* kseg) { return (u64)kseg - KSEG; }
static inline void* kseg(u64 physical_address) { return (void*)(KSEG + physical_address); }

/* R16 and R17 at entry. */
extern volatile u64 boot_arguments[2];

/* The HWRPB in KSEG, found at start, valid in every address space. */
extern u64* hwrpb;

#endif /* ISOCHRON_CONFORMANCE_GUESTS_RUNTIME_H_ */
