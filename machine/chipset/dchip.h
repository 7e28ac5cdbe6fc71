// The data slice chips.

#ifndef ISOCHRON_MACHINE_CHIPSET_DCHIP_H_
#define ISOCHRON_MACHINE_CHIPSET_DCHIP_H_

#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"

namespace isochron::machine {

// The eight Dchips of a 21272: configuration registers that firmware has set up and that
// nothing changes. Each chip holds eight bits of a register, so a register is one byte eight
// times (21272 HRM, section on Dchip CSRs). Registers start at offset 0x800.
class Dchip final : public RegisterDevice {
 public:
  void Reset() override {}
  uint64_t Read(const Access& access) override;
  void Write(const Access&, uint64_t) override {}
  void VisitState(alpha::StateVisitor&) const override {}
  void RestoreState(alpha::StateReader&) override {}
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_CHIPSET_DCHIP_H_
