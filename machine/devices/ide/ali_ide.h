// The IDE controller of an Acer Labs M1543C.

#ifndef ISOCHRON_MACHINE_DEVICES_IDE_ALI_IDE_H_
#define ISOCHRON_MACHINE_DEVICES_IDE_ALI_IDE_H_

#include <array>
#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"
#include "machine/bus/dma.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/pci_function.h"
#include "machine/devices/ide/ide_channel.h"
#include "machine/disks/disk.h"

namespace isochron::machine {

// The function M5229 of the M1543C south bridge (Acer Laboratories, M1543C preliminary data sheet,
// 1998) as firmware leaves it: both channels in compatibility mode, at the ports and with the
// interrupts of a PC, and a bus master for each behind BAR 4. Its timing registers hold what is
// written and change nothing; native mode is not there.
class AliIde final : public PciFunction {
 public:
  static constexpr int kMaxDrives = 4;
  static constexpr int kMasterBar = 4;

  // Interrupts of the channels: IRQ 14 and 15.
  AliIde(EventQueue& events, IrqLine primary, IrqLine secondary);

  // Before Reset(). `number` 0 to 3: device 0 and 1 of the first channel, then of the second.
  void Attach(int number, Disk& disk, bool is_cdrom = false) {
    channels_[number / 2].Attach(number % 2, disk, number, is_cdrom);
  }

  void Reset() override;
  // A state that is restored may have events of kinds that nobody schedules.
  void OnEvent(int kind) override {
    if (kind < 2) channels_[kind].OnEvent();
  }
  uint64_t ReadBar(int bar, const Access& access) override;
  void WriteBar(int bar, const Access& access, uint64_t value) override;
  uint64_t ReadPorts(int range, const Access& access) override;
  void WritePorts(int range, const Access& access, uint64_t value) override;

  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  // The function as master.
  struct Master final : DmaPort {
    explicit Master(AliIde& owner) : owner(owner) {}
    DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) override {
      return owner.ReadMemory(address, data, size);
    }
    DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size) override {
      return owner.WriteMemory(address, data, size);
    }
    AliIde& owner;
  };

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  EventPort events_;
  Master master_;
  std::array<IdeChannel, 2> channels_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_IDE_ALI_IDE_H_
