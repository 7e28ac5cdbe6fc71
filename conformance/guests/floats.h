/* Floating point in guests: the FPCR, single instructions on register images, generated vectors. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_FLOATS_H_
#define ISOCHRON_CONFORMANCE_GUESTS_FLOATS_H_

#include "runtime.h"

#define FPCR_DNZ (1UL << 48)
#define FPCR_INVD (1UL << 49)
#define FPCR_DZED (1UL << 50)
#define FPCR_OVFD (1UL << 51)
#define FPCR_INV (1UL << 52)
#define FPCR_DZE (1UL << 53)
#define FPCR_OVF (1UL << 54)
#define FPCR_UNF (1UL << 55)
#define FPCR_INE (1UL << 56)
#define FPCR_IOV (1UL << 57)
#define FPCR_STATUS (0x3fUL << 52)
#define FPCR_DYN(mode) ((u64)(mode) << 58)
#define FPCR_NORMAL FPCR_DYN(2)
#define FPCR_UNDZ (1UL << 60)
#define FPCR_UNFD (1UL << 61)
#define FPCR_INED (1UL << 62)
#define FPCR_SUM (1UL << 63)
#define FPCR_NO_TRAPS (FPCR_INVD | FPCR_DZED | FPCR_OVFD | FPCR_UNDZ | FPCR_UNFD | FPCR_INED)

static inline u64 read_fpcr(void) {
  u64 value;
  __asm__ volatile("trapb\n\tmf_fpcr $f10\n\ttrapb\n\tftoit $f10, %0" : "=r"(value));
  return value;
}
static inline void write_fpcr(u64 value) {
  __asm__ volatile("itoft %0, $f10\n\ttrapb\n\tmt_fpcr $f10\n\ttrapb" : : "r"(value));
}

/* A stub runs its instruction, the third word, on F10 and F11 and stores F12. */
typedef void (*float_stub)(const u64* operands, u64* result);
#define STUB_PC(stub) ((u64)(stub) + 12)
#define DEFINE_STUB(name, insn)                                                          \
  extern void name(const u64* operands, u64* result);                                    \
  __asm__(".text\n.align 4\n" #name ":\n\tldt $f10, 0($16)\n\tldt $f11, 8($16)\n\t" insn \
          "\n\ttrapb\n\tstt $f12, 0($17)\n\tret $31, ($26), 1\n")

/* One TAP test for each generated vector test. */
void run_float_vectors(void);

#endif /* ISOCHRON_CONFORMANCE_GUESTS_FLOATS_H_ */
