// Quadword registers of the 21272 chips, accessed in pieces.

#ifndef ISOCHRON_MACHINE_BUS_CSR_H_
#define ISOCHRON_MACHINE_BUS_CSR_H_

#include <cstdint>

#include "machine/bus/access.h"

namespace isochron::machine {

// The chips' registers stand 64 bytes apart and are meant to be read and written as aligned
// quadwords. Where a program does otherwise (undefined in the manual): a quadword repeats
// through its 64 bytes, a narrow read gives the bytes addressed, a narrow write writes zeros to
// the others.
constexpr int CsrIndex(uint64_t offset) { return static_cast<int>(offset >> 6); }

constexpr uint64_t CsrExtract(uint64_t value, uint64_t offset, int size) {
  return value >> (8 * (offset & 7)) & AllOnes(size);
}

constexpr uint64_t CsrDeposit(uint64_t value, uint64_t offset, int size) {
  return CsrExtract(value, 0, size) << (8 * (offset & 7));
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_CSR_H_
