/* MVI and CIX: all operations on edge operands; AMASK and IMPLVER of a 21264A. */
#include "vectors.h"

void guest_main(void) {
  u64 mask, version;
  run_vectors();
  __asm__("amask %1, %0" : "=r"(mask) : "r"(0x307UL));
  ok_eq(mask, 0, "amask clears BWX, FIX, CIX, MVI and precise traps");
  __asm__("amask %1, %0" : "=r"(mask) : "r"(~0x307UL & ~0x1000UL));
  ok_eq(mask & 0xff, ~0x307UL & 0xff, "amask keeps bits of features that do not exist");
  __asm__("implver %0" : "=r"(version));
  ok_eq(version, 2, "implver is EV6");
}
