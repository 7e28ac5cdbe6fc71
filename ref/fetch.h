// Instruction fetch as the architecture has it: what every engine of this folder does when it
// remembers nothing.

#ifndef ISOCHRON_REF_FETCH_H_
#define ISOCHRON_REF_FETCH_H_

#include <cstdint>
#include <string>

#include "alpha/cpu.h"
#include "ref/operation.h"

namespace isochron::ref {

// How instructions at cpu.pc are decoded.
inline DecodeMode ModeOf(const alpha::Cpu& cpu) {
  if (!cpu.pal_mode()) return DecodeMode::kNative;
  return cpu.shadow_active() ? DecodeMode::kPalShadow : DecodeMode::kPal;
}

// Translates cpu.pc to `pa`, which need not be in RAM. False when an exception has been entered
// instead (ITB miss, IACV).
bool TranslatePc(alpha::Cpu& cpu, uint64_t& pa);

// What happened, for a machine check.
inline constexpr char kAccessOutsideMemory[] = "an access to nonexistent memory";
inline constexpr char kFetchOutsideMemory[] = "an instruction fetch outside memory";

// Takes a machine check at cpu.pc. Enters PALcode and returns an empty string; in PALmode the CPU
// cannot go on, and the string says so in one line.
std::string TakeMachineCheck(alpha::Cpu& cpu, const char* what, uint64_t pa);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_FETCH_H_
