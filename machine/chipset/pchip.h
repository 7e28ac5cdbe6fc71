// The PCI interface chip.

#ifndef ISOCHRON_MACHINE_CHIPSET_PCHIP_H_
#define ISOCHRON_MACHINE_CHIPSET_PCHIP_H_

#include <array>
#include <cstdint>

#include "alpha/memory.h"
#include "alpha/state_visitor.h"
#include "machine/bus/device.h"
#include "machine/bus/dma.h"
#include "machine/chipset/cchip.h"

namespace isochron::machine {

// Pchip 0 (21272 HRM, chapter 10; AlphaServer ES40 Service Guide, appendix D): its registers, and
// the way of bus masters to memory through its four windows and the monster window. No entry of a
// scatter-gather map is kept from one transfer to the next, so there is nothing to invalidate.
class Pchip final : public RegisterDevice, public DmaPort {
 public:
  static constexpr int kWindows = 4;

  // `error`: asserted while an unmasked error stands in PERROR. The others must outlive the Pchip.
  Pchip(IrqLine error, alpha::Memory& memory, Cchip& cchip)
      : error_(error), memory_(memory), cchip_(cchip) {}

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  // Addresses below 2^32 are those of single, others those of double address cycles. A window's
  // invalid entry sets PERROR<SGE>, an address in memory that does not exist MISC<NXM>; both are
  // target aborts. What no window claims is a master abort.
  DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) override;
  DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // Where an address of the bus leads.
  struct Translation {
    DmaResult result = DmaResult::kMasterAbort;
    uint64_t pa = 0;  // for kOk
  };
  // `write`: for what PERROR says of the transfer.
  Translation Translate(uint64_t address, bool write);
  Translation ThroughWindow(int window, uint64_t address, bool write);
  // `mask`: the bits of the address that count in the window.
  Translation ThroughMap(int window, uint64_t mask, uint64_t address, bool write);
  // Calls transfer(pa, offset, size) for each piece of [address, address + size).
  template <typename Transfer>
  DmaResult ForEachPiece(uint64_t address, uint64_t size, bool write, Transfer transfer);
  void ReportInvalidEntry(uint64_t address, bool write);

  uint64_t ReadRegister(int index) const;
  void UpdateOutput() { error_.Set((perror_ & perrmask_) != 0); }

  IrqLine error_;
  alpha::Memory& memory_;
  Cchip& cchip_;
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
