// What enter.S and run_sequences.c share: the record through which a sequence's registers go in and out.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_USER_CONTEXT_H_
#define ISOCHRON_CONFORMANCE_GUESTS_USER_CONTEXT_H_

#define CONTEXT_R 0
#define CONTEXT_F 256
#define CONTEXT_FPCR 512
#define CONTEXT_UNIQUE 520
#define CONTEXT_SAVED 528  // the caller's R9 to R15, R26, R29, R30, F2 to F9, FPCR, unique value, scratch

#ifndef __ASSEMBLER__
#include <stdint.h>

struct Context {
  uint64_t r[32];
  uint64_t f[32];
  uint64_t fpcr;
  uint64_t unique;
  uint64_t saved[21];
};

// Loads the registers of `context`, R29 excepted, which points to it, and jumps to R28.
void Enter(struct Context *context);

// The code between these labels ends a sequence: it stores all registers in the record that R29 points to and returns
// from Enter. It may be copied anywhere.
extern const uint32_t kLeave[], kLeaveEnd[];
#endif

#endif  // ISOCHRON_CONFORMANCE_GUESTS_USER_CONTEXT_H_
