#include "jit/host_features.h"

#include <xbyak/xbyak_util.h>

namespace isochron::jit {

HostFeatures HostFeatures::Detect() {
  const Xbyak::util::Cpu cpu;
  return {.bmi1 = cpu.has(Xbyak::util::Cpu::tBMI1),
          .bmi2 = cpu.has(Xbyak::util::Cpu::tBMI2),
          .lzcnt = cpu.has(Xbyak::util::Cpu::tLZCNT),
          .popcnt = cpu.has(Xbyak::util::Cpu::tPOPCNT)};
}

}  // namespace isochron::jit
