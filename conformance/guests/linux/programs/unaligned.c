// Makes unaligned accesses of every size, at every offset and across a page boundary, and prints what comes of them:
// put right by the kernel, SIGBUS where the process asks for it, SIGSEGV at an unmapped page.

#include <sys/mman.h>

#include "guest.h"

static unsigned char *g_pages;  // two pages; the one after them is not mapped
static long g_page_size;

typedef struct {
  const char *name;
  void (*run)(unsigned char *address, uint64_t *value);
  int size;
  int is_store;
} Access;

#define LOAD(name)                                                              \
  static void name(unsigned char *address, uint64_t *value) {                   \
    asm volatile(#name " %0,0(%1)" : "=r"(*value) : "r"(address) : "memory");   \
  }
#define STORE(name)                                                             \
  static void name(unsigned char *address, uint64_t *value) {                   \
    asm volatile(#name " %0,0(%1)" : : "r"(*value), "r"(address) : "memory");   \
  }
#define FLOAT_LOAD(name)                                                        \
  static void name(unsigned char *address, uint64_t *value) {                   \
    asm volatile(#name " $f10,0(%1)\n\tstt $f10,%0"                             \
                 : "=m"(*value)                                                 \
                 : "r"(address)                                                 \
                 : "memory", "$f10");                                           \
  }
#define FLOAT_STORE(name)                                                       \
  static void name(unsigned char *address, uint64_t *value) {                   \
    asm volatile("ldt $f10,%0\n\t" #name " $f10,0(%1)"                          \
                 :                                                              \
                 : "m"(*value), "r"(address)                                    \
                 : "memory", "$f10");                                           \
  }

LOAD(ldwu)
LOAD(ldl)
LOAD(ldq)
LOAD(ldl_l)
LOAD(ldq_l)
STORE(stw)
STORE(stl)
STORE(stq)
FLOAT_LOAD(lds)
FLOAT_LOAD(ldt)
FLOAT_LOAD(ldf)
FLOAT_LOAD(ldg)
FLOAT_STORE(sts)
FLOAT_STORE(stt)
FLOAT_STORE(stf)
FLOAT_STORE(stg)

// Loads to the zero registers are prefetches.
static void ldq_r31(unsigned char *address, uint64_t *value) {
  *value = 0;
  asm volatile("ldq $31,0(%0)" : : "r"(address) : "memory");
}
static void ldt_f31(unsigned char *address, uint64_t *value) {
  *value = 0;
  asm volatile("ldt $f31,0(%0)" : : "r"(address) : "memory");
}

static const Access kAccesses[] = {
    {"ldwu", ldwu, 2, 0}, {"ldl", ldl, 4, 0},         {"ldq", ldq, 8, 0},         {"lds", lds, 4, 0},
    {"ldt", ldt, 8, 0},   {"stw", stw, 2, 1},         {"stl", stl, 4, 1},         {"stq", stq, 8, 1},
    {"sts", sts, 4, 1},   {"stt", stt, 8, 1},         {"ldf", ldf, 4, 0},         {"ldg", ldg, 8, 0},
    {"stf", stf, 4, 1},   {"stg", stg, 8, 1},         {"ldl_l", ldl_l, 4, 0},     {"ldq_l", ldq_l, 8, 0},
    {"ldq $31", ldq_r31, 8, 0}, {"ldt $f31", ldt_f31, 8, 0},
};

// Runs one access at an offset in the pages and prints the value, or the bytes stored, or the signal.
static void Run(const Access *access, const char *mode, long offset) {
  unsigned char *address = g_pages + offset;
  for (long i = 0; i < 2 * g_page_size; ++i) g_pages[i] = (unsigned char)(i * 29 + 0x41);
  volatile uint64_t value = 0x3ff123456789abcd;
  int number = CAUGHT(access->run(address, (uint64_t *)&value));
  printf("%-8s %-8s %5ld ", access->name, mode, offset);
  if (number) {
    printf("%s %s at %ld\n", SignalName(number), CodeName(number, g_info.si_code),
           (long)((unsigned char *)g_info.si_addr - g_pages));
  } else if (access->is_store) {
    long end = offset + access->size + 1;
    for (long i = offset - 1; i < end && i < 2 * g_page_size; ++i) printf("%02x", g_pages[i]);
    printf("\n");
  } else {
    printf("%016lx\n", value);
  }
}

static void RunAll(const char *mode, unsigned control) {
  printf("# %s: setsysinfo gives %ld\n", mode, SetUnalignedControl(control));
  for (size_t i = 0; i < sizeof(kAccesses) / sizeof(kAccesses[0]); ++i) {
    for (long offset = 8; offset < 16; ++offset) Run(&kAccesses[i], mode, offset);
    for (long before = 1; before < kAccesses[i].size; ++before) Run(&kAccesses[i], mode, g_page_size - before);
    if (kAccesses[i].size > 2) Run(&kAccesses[i], mode, 2 * g_page_size - 3);
  }
}

int main(void) {
  g_page_size = sysconf(_SC_PAGESIZE);
  g_pages = mmap((void *)0x20000000, 3 * g_page_size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (g_pages == MAP_FAILED) return 1;
  munmap(g_pages + 2 * g_page_size, g_page_size);
  CatchFaults();
  // Never without kUacNoPrint: the kernel's complaints would name the process and mix with the output.
  RunAll("fixed", kUacNoPrint);
  RunAll("sigbus", kUacNoPrint | kUacSigbus);
  return 0;
}
