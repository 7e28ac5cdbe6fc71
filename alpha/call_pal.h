// CALL_PAL: which functions there are, and where their code begins (HRM section 6.8.1).

#ifndef ISOCHRON_ALPHA_CALL_PAL_H_
#define ISOCHRON_ALPHA_CALL_PAL_H_

#include <cstdint>

namespace isochron::alpha {

// The register that gets the return address; with shadow registers enabled, its shadow.
inline constexpr int kCallPalLink = 23;

// Functions for kernel mode alone, and those for every mode. All others are reserved.
constexpr bool IsPrivilegedCall(uint32_t function) { return function < 0x40; }
constexpr bool IsUnprivilegedCall(uint32_t function) { return function >= 0x80 && function < 0xc0; }

// What PAL_BASE is ORed with for the PC of a function that is not reserved, PALmode bit and all.
constexpr uint32_t CallPalEntry(uint32_t function) {
  return uint32_t{1} << 13 | (function >> 7 & 1) << 12 | (function & 0x3f) << 6 | 1;
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_CALL_PAL_H_
