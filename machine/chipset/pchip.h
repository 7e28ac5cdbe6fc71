// The PCI interface chip.

#ifndef ISOCHRON_MACHINE_CHIPSET_PCHIP_H_
#define ISOCHRON_MACHINE_CHIPSET_PCHIP_H_

#include <array>
#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"

namespace isochron::machine {

// The registers of Pchip 0 (21272 HRM, chapter 10; AlphaServer ES40 Service Guide, appendix
// D). The DMA window registers hold what is written; no device of this board is a bus master.
// Errors never arise by themselves; PERRSET makes them for tests.
class Pchip final : public Device {
 public:
  static constexpr int kWindows = 4;

  // `error`: asserted while an unmasked error stands in PERROR.
  explicit Pchip(IrqLine error) : error_(error) {}

  void Reset() override;
  uint64_t Read(uint64_t offset, int size) override;
  void Write(uint64_t offset, int size, uint64_t value) override;
  void OnEvent(int) override {}
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  uint64_t ReadRegister(int index) const;
  void UpdateOutput() { error_.Set((perror_ & perrmask_) != 0); }

  IrqLine error_;
  std::array<uint64_t, kWindows> wsba_{};
  std::array<uint64_t, kWindows> wsm_{};
  std::array<uint64_t, kWindows> tba_{};
  uint64_t pctl_ = 0;
  uint64_t plat_ = 0;
  uint64_t perror_ = 0;
  uint64_t perrmask_ = 0;
  uint64_t pmonctl_ = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_CHIPSET_PCHIP_H_
