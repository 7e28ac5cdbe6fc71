// What the test programs share: the kernel's floating-point control word, and faults that are caught and described.
// Every program prints what happens, the same on each run, and judges nothing: runs are compared with each other.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_LINUX_PROGRAMS_GUEST_H_
#define ISOCHRON_CONFORMANCE_GUESTS_LINUX_PROGRAMS_GUEST_H_

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// OSF/1's names and numbers, Linux's asm/sysinfo.h and asm/fpu.h.
enum {
  kGetIeeeFpControl = 45,
  kSetNvPairs = 1,
  kSetIeeeFpControl = 14,
  kUacProc = 6,
  kUacNoPrint = 1,
  kUacNoFix = 2,
  kUacSigbus = 4,
};

// Bits of the control word: trap enables; the status bits are the same six, 16 places up.
enum {
  kInvalid = 1 << 1,
  kDivideByZero = 1 << 2,
  kOverflow = 1 << 3,
  kUnderflow = 1 << 4,
  kInexact = 1 << 5,
  kDenormal = 1 << 6,
  kMapDenormalsToZero = 1 << 12,
  kMapUnderflowToZero = 1 << 13,
};

static inline unsigned long FpControl(void) {
  unsigned long word = 0;
  syscall(SYS_osf_getsysinfo, kGetIeeeFpControl, &word, sizeof(word), 0, 0);
  return word;
}

static inline void SetFpControl(unsigned long word) {
  syscall(SYS_osf_setsysinfo, kSetIeeeFpControl, &word, sizeof(word), 0, 0);
}

// Says what to do with unaligned accesses; returns the system call's result, 0 or -1.
static inline long SetUnalignedControl(unsigned bits) {
  unsigned pair[2] = {kUacProc, bits};
  return syscall(SYS_osf_setsysinfo, kSetNvPairs, pair, 1, 0, 0);
}

// "inv dze ovf unf ine dno" for the status bits that are set; "-" for none.
static inline const char *StatusNames(unsigned long word) {
  static const char *const kNames[] = {"inv", "dze", "ovf", "unf", "ine", "dno"};
  static char text[32];
  text[0] = 0;
  for (int i = 0; i < 6; ++i) {
    if (word >> (17 + i) & 1) {
      if (text[0]) strcat(text, " ");
      strcat(text, kNames[i]);
    }
  }
  return text[0] ? text : "-";
}

static sigjmp_buf g_return;
static volatile siginfo_t g_info;

static void OnSignal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  memcpy((void *)&g_info, info, sizeof(*info));
  siglongjmp(g_return, 1);
}

// Catches the signals that faults raise, on a stack of their own.
static inline void CatchFaults(void) {
  static const int kSignals[] = {SIGFPE, SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
  static char stack[65536] __attribute__((aligned(16)));
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
  sigaltstack(&alternate, NULL);
  for (size_t i = 0; i < sizeof(kSignals) / sizeof(kSignals[0]); ++i) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = OnSignal;
    sigaction(kSignals[i], &action, NULL);
  }
}

// Runs a statement; 0 when it ends, else the number of the signal that stopped it (g_info has the rest).
#define CAUGHT(statement) \
  (sigsetjmp(g_return, 1) ? g_info.si_signo : ((statement), 0))

static inline const char *CodeName(int signal_number, int code) {
  static char number[32];
  static const struct {
    int signal_number, code;
    const char *name;
  } kNames[] = {
      {SIGFPE, FPE_INTDIV, "FPE_INTDIV"},   {SIGFPE, FPE_INTOVF, "FPE_INTOVF"},   {SIGFPE, FPE_FLTDIV, "FPE_FLTDIV"},
      {SIGFPE, FPE_FLTOVF, "FPE_FLTOVF"},   {SIGFPE, FPE_FLTUND, "FPE_FLTUND"},   {SIGFPE, FPE_FLTRES, "FPE_FLTRES"},
      {SIGFPE, FPE_FLTINV, "FPE_FLTINV"},   {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR"}, {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR"},
      {SIGBUS, BUS_ADRALN, "BUS_ADRALN"},   {SIGBUS, BUS_ADRERR, "BUS_ADRERR"},   {SIGILL, ILL_ILLOPC, "ILL_ILLOPC"},
      {SIGILL, ILL_ILLOPN, "ILL_ILLOPN"},   {SIGILL, ILL_PRVOPC, "ILL_PRVOPC"},   {SIGTRAP, TRAP_BRKPT, "TRAP_BRKPT"},
      {SIGTRAP, TRAP_TRACE, "TRAP_TRACE"},
  };
  for (size_t i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i) {
    if (kNames[i].signal_number == signal_number && kNames[i].code == code) return kNames[i].name;
  }
  snprintf(number, sizeof(number), "si_code %d", code);
  return number;
}

static inline const char *SignalName(int number) {
  switch (number) {
    case SIGFPE: return "SIGFPE";
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGTRAP: return "SIGTRAP";
    default: return "another signal";
  }
}

#endif  // ISOCHRON_CONFORMANCE_GUESTS_LINUX_PROGRAMS_GUEST_H_
