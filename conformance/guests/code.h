/* Instruction words for code that guests write at run time. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_CODE_H_
#define ISOCHRON_CONFORMANCE_GUESTS_CODE_H_

#include "runtime.h"

#define INSN_NOP 0x47ff041fu  /* bis $31, $31, $31 */
#define INSN_RET 0x6bfa8001u  /* ret $31, ($26), 1 */
#define INSN_BR_0 0xc0000000u /* br $0, .+4: $0 = PC of the next */
#define INSN_TRAPB 0x63ff0000u
#define INSN_LDA_0(value) (0x201f0000u | ((u32)(value)&0xffff)) /* lda $0, value($31) */
#define INSN_MEMORY(opcode, ra, rb, disp) \
  ((u32)(opcode) << 26 | (u32)(ra) << 21 | (u32)(rb) << 16 | ((u32)(disp)&0xffff))

/* Calls code at an address; returns its $0, or 0x77 if it set none. */
static inline u64 call_code(u64 address) {
  u64 result;
  __asm__ volatile("lda $0, 0x77\n\tmov %1, $27\n\tjsr $26, ($27), 0\n\tmov $0, %0"
                   : "=r"(result)
                   : "r"(address)
                   : "$0", "$1", "$26", "$27", "memory");
  return result;
}

/* Same with $16 and $17. */
static inline u64 call_code2(u64 address, u64 first, u64 second) {
  register u64 a0 __asm__("$16") = first;
  register u64 a1 __asm__("$17") = second;
  u64 result;
  __asm__ volatile("lda $0, 0x77\n\tmov %1, $27\n\tjsr $26, ($27), 0\n\tmov $0, %0"
                   : "=r"(result)
                   : "r"(address), "r"(a0), "r"(a1)
                   : "$0", "$1", "$26", "$27", "memory");
  return result;
}

#endif /* ISOCHRON_CONFORMANCE_GUESTS_CODE_H_ */
