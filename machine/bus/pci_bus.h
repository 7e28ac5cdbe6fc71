// The PCI bus behind a Pchip.

#ifndef ISOCHRON_MACHINE_BUS_PCI_BUS_H_
#define ISOCHRON_MACHINE_BUS_PCI_BUS_H_

#include <cstdint>
#include <vector>

#include "alpha/state_visitor.h"
#include "machine/bus/access.h"
#include "machine/bus/address_map.h"
#include "machine/bus/device.h"
#include "machine/bus/dma.h"
#include "machine/bus/pci_function.h"

namespace isochron::machine {

// The three address spaces of a bus and the functions on it (PCI Local Bus Specification 2.3). Its
// state are the configuration spaces; which addresses are whose follows from them.
//
// A function answers in memory and I/O space where its BARs and its command register say. Where the
// BARs of two overlap the one that was attached first answers. What nobody answers to ends in a
// master abort: reads give all ones and writes do nothing.
class PciBus final : public Device, private PciHost {
 public:
  // The line of `interrupts` for INTA to INTD (`pin` 0 to 3) of a device; -1: none.
  using InterruptLine = int (*)(int device, int pin);

  // `dma`: where transfers of masters go. `ports`: what answers in I/O space where no function does
  // (subtractive decoding). All must outlive the bus.
  PciBus(DmaPort& dma, BusTarget& ports, IrqSink& interrupts, InterruptLine line);

  // Before Reset(). Device 0 to 31, function 0 to 7; nobody else's. The function must outlive the
  // bus. Gives multifunction devices the bit in the header of function 0 that tells of them.
  void Attach(int device, int function, PciFunction& attached);

  // The address spaces as a CPU sees them. An offset is an address of the bus; in configuration
  // space that of a configuration cycle: bus <23:16>, device <15:11>, function <10:8>, register
  // <7:0>. Functions live on bus 0 (type 0 cycles); type 1 cycles end in a master abort. An access
  // that is only partly inside a BAR, or has eight bytes in I/O space, is made as two halves, the
  // lower first.
  BusTarget& memory() { return memory_; }
  BusTarget& io() { return io_; }
  BusTarget& config() { return config_; }

  void Reset() override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  struct Slot {
    int device = 0;
    int function = 0;
    PciFunction* attached = nullptr;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self) {
      PciFunction::WalkConfig(visitor, *self.attached);
    }
  };

  // Memory or I/O space.
  class Space final : public BusTarget {
   public:
    Space(BusTarget& fallback, int max_size) : fallback_(fallback), max_size_(max_size) {}
    uint64_t Read(const Access& access) override;
    void Write(const Access& access, uint64_t value) override;
    AddressMap map;

   private:
    // Whether the access goes to `range`, or to nobody when that is nullptr, as a whole.
    bool IsWhole(const Access& access, const MappedRange* range) const;
    bool AnyInside(const Access& access) const;

    BusTarget& fallback_;
    const int max_size_;
  };

  class ConfigSpace final : public BusTarget {
   public:
    explicit ConfigSpace(PciBus& bus) : bus_(bus) {}
    uint64_t Read(const Access& access) override;
    void Write(const Access& access, uint64_t value) override;

   private:
    PciFunction* Find(uint64_t offset) const;
    PciBus& bus_;
  };

  DmaPort& dma() override { return dma_; }
  void UpdateInterrupts() override;
  // Decodes the BARs anew.
  void MapBars();

  DmaPort& dma_;
  IrqSink& interrupts_;
  const InterruptLine line_;
  AbsentTarget absent_;
  Space memory_;
  Space io_;
  ConfigSpace config_;
  std::vector<Slot> slots_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_PCI_BUS_H_
