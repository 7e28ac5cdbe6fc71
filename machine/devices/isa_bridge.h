// The PCI to ISA bridge.

#ifndef ISOCHRON_MACHINE_DEVICES_ISA_BRIDGE_H_
#define ISOCHRON_MACHINE_DEVICES_ISA_BRIDGE_H_

#include "alpha/state_visitor.h"
#include "machine/bus/pci_function.h"

namespace isochron::machine {

// The 82378-compatible PCI to ISA bridge that carries everything on the ISA bus (Intel 82378ZB
// data sheet, chapter 4: the header; of the bridge's own registers none is modelled).
class IsaBridge final : public PciFunction {
 public:
  IsaBridge();
  void Reset() override {}
  void VisitState(alpha::StateVisitor&) const override {}
  void RestoreState(alpha::StateReader&) override {}
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_ISA_BRIDGE_H_
