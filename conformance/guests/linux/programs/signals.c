// Raises every kind of fault that Linux turns into a signal and prints signal, code and address.

#include <sys/mman.h>
#include <sys/wait.h>

#include "guest.h"

static unsigned char *g_page;
static long g_page_size;

static void Report(const char *what, int number) {
  printf("%-28s ", what);
  if (number == 0) {
    printf("no signal\n");
    return;
  }
  printf("%s %s", SignalName(number), CodeName(number, g_info.si_code));
  if (number == SIGSEGV || number == SIGBUS) printf(" address %016lx", (unsigned long)g_info.si_addr);
  printf("\n");
}

// SIGILL, SIGTRAP and SIGFPE give the program counter: print it relative to the instruction.
static void ReportAt(const char *what, int number, const void *instruction) {
  printf("%-28s ", what);
  if (number == 0) {
    printf("no signal\n");
    return;
  }
  printf("%s %s pc%+ld\n", SignalName(number), CodeName(number, g_info.si_code),
         (long)((const char *)g_info.si_addr - (const char *)instruction));
}

// In assembly: to the compiler address 0 is an error.
static void Load(unsigned long address) {
  unsigned long value;
  asm volatile("ldq %0,0(%1)" : "=r"(value) : "r"(address) : "memory");
}
static void Store(unsigned long address) { asm volatile("stq $31,0(%0)" : : "r"(address) : "memory"); }
static void Jump(unsigned long address) { ((void (*)(void))address)(); }

static void Memory(void) {
  Report("load 0", CAUGHT(Load(0)));
  Report("store 0", CAUGHT(Store(0)));
  Report("load 8 (first page)", CAUGHT(Load(8)));
  Report("load user top", CAUGHT(Load(0x40000000000 - 8)));
  Report("load above user space", CAUGHT(Load(0x50000000000)));
  Report("load kernel page tables", CAUGHT(Load(0xfffffffe00000000)));
  Report("load KSEG", CAUGHT(Load(0xfffffc0000310000)));
  Report("store KSEG", CAUGHT(Store(0xfffffc0000310000)));
  Report("load not sign-extended", CAUGHT(Load(0x0800000000000000)));
  Report("jump to 0", CAUGHT(Jump(0)));
  Report("jump to KSEG", CAUGHT(Jump(0xfffffc0000310000)));
  Report("jump to unmapped", CAUGHT(Jump((unsigned long)g_page + 4 * g_page_size)));

  mprotect(g_page, g_page_size, PROT_READ);
  Report("load read-only", CAUGHT(Load((unsigned long)g_page + 16)));
  Report("store read-only", CAUGHT(Store((unsigned long)g_page + 16)));
  Report("jump to no-exec", CAUGHT(Jump((unsigned long)g_page)));
  mprotect(g_page, g_page_size, PROT_NONE);
  Report("load no access", CAUGHT(Load((unsigned long)g_page + 24)));
  mprotect(g_page, g_page_size, PROT_READ | PROT_WRITE);
  Report("store writable again", CAUGHT(Store((unsigned long)g_page + 32)));
}

static __attribute__((noinline)) int Recurse(volatile char *from) {
  volatile char frame[4096];
  frame[0] = from[0];
  return frame[0] ? Recurse(frame) + frame[0] : 0;
}

static void StackOverflow(void) {
  volatile char start = 1;
  int number = CAUGHT(Recurse(&start));
  printf("%-28s %s %s\n", "stack overflow", number ? SignalName(number) : "no signal",
         number ? CodeName(number, g_info.si_code) : "");
}


// The instruction is written to a page of our own, followed by a return.
static void Execute(const char *what, uint32_t instruction) {
  uint32_t *code = (uint32_t *)(g_page + 2 * g_page_size);
  code[0] = instruction;
  code[1] = 0x6bfa8001;  // ret $31,($26)
  asm volatile("imb" : : : "memory");
  ReportAt(what, CAUGHT(Jump((unsigned long)code)), code);
}

static void Instructions(void) {
  char what[32];
  // Opcodes 01 to 07 are reserved; 14 is FIX and 1C BWX, FIX, CIX and MVI with unused functions; 19, 1B, 1D, 1E and
  // 1F belong to PALmode.
  static const unsigned kOpcodes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x19, 0x1b, 0x1d, 0x1e, 0x1f};
  for (size_t i = 0; i < sizeof(kOpcodes) / sizeof(kOpcodes[0]); ++i) {
    snprintf(what, sizeof(what), "opcode %02x", kOpcodes[i]);
    Execute(what, kOpcodes[i] << 26);
  }
  // Privileged, undefined and out of range CALL_PALs. 0x3f is the last privileged one, 0x80 the first unprivileged.
  static const unsigned kCalls[] = {0x00, 0x01, 0x02, 0x33, 0x3a, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xaa, 0xbf, 0xc0, 0x3ffffff};
  for (size_t i = 0; i < sizeof(kCalls) / sizeof(kCalls[0]); ++i) {
    snprintf(what, sizeof(what), "call_pal %x", kCalls[i]);
    Execute(what, kCalls[i]);
  }
}

static void GentrapOf(long code) {
  register long a0 asm("$16") = code;
  asm volatile("call_pal 0xaa" : "+r"(a0) : : "memory");
}

static void Gentrap(void) {
  char what[32];
  for (volatile long code = 0; code >= -26; --code) {
    snprintf(what, sizeof(what), "gentrap %ld", code);
    int number = CAUGHT(GentrapOf(code));
    printf("%-28s %s %s\n", what, number ? SignalName(number) : "no signal",
           number ? CodeName(number, g_info.si_code) : "");
  }
}

// What a parent sees of a child that does not catch the signal.
static void Uncaught(const char *what, int number_to_raise) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    signal(number_to_raise, SIG_DFL);
    if (number_to_raise == SIGSEGV) Store(0);
    if (number_to_raise == SIGFPE) GentrapOf(-2);
    if (number_to_raise == SIGTRAP) asm volatile("call_pal 0x80");
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("%-28s %s\n", what, WIFSIGNALED(status) ? SignalName(WTERMSIG(status)) : "exit");
}

// The unique value survives a fault, a system call and a context switch.
static void Unique(void) {
  unsigned long before = (unsigned long)__builtin_thread_pointer();
  (void)CAUGHT(Load(0));
  getppid();
  unsigned long after = (unsigned long)__builtin_thread_pointer();
  printf("%-28s %s\n", "rduniq", before == after ? "kept" : "lost");
}

int main(void) {
  g_page_size = sysconf(_SC_PAGESIZE);
  g_page = mmap((void *)0x20000000, 4 * g_page_size, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (g_page == MAP_FAILED) return 1;
  CatchFaults();
  Memory();
  StackOverflow();
  Instructions();
  Gentrap();
  Uncaught("uncaught SIGSEGV", SIGSEGV);
  Uncaught("uncaught SIGFPE", SIGFPE);
  Uncaught("uncaught SIGTRAP", SIGTRAP);
  Unique();
  return 0;
}
