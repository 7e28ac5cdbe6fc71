/* What gen_vectors.py emits for the integer guests, and the loop that runs it. */
#ifndef ISOCHRON_CONFORMANCE_GUESTS_VECTORS_H_
#define ISOCHRON_CONFORMANCE_GUESTS_VECTORS_H_

#include "runtime.h"

struct vector_test {
  const char* name;
  u64 (*stub)(u64 a, u64 b, u64 old_rc);
  const u64* expected; /* one for each pair of operands */
  const u8* traps;     /* null, or for each pair whether integer overflow traps */
};

/* One TAP test for each instruction, over all operand pairs. */
void run_vectors(void);

#endif /* ISOCHRON_CONFORMANCE_GUESTS_VECTORS_H_ */
