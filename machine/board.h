// The Clipper board: everything at physical addresses that are not RAM.

#ifndef ISOCHRON_MACHINE_BOARD_H_
#define ISOCHRON_MACHINE_BOARD_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "alpha/engine.h"
#include "alpha/memory.h"
#include "alpha/state_visitor.h"
#include "machine/bus/console.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"
#include "machine/chipset/cchip.h"
#include "machine/chipset/dchip.h"
#include "machine/chipset/pchip.h"
#include "machine/chipset/pci_config.h"
#include "machine/devices/i8259.h"
#include "machine/devices/isa_bus.h"
#include "machine/devices/platform_device.h"
#include "machine/devices/uart16550.h"
#include "machine/events/input.h"

namespace isochron::machine {

struct BoardOptions {
  int64_t rtc_base_seconds = 0;  // see Rtc
  uint64_t seed = 0;             // see PlatformDevice
  int cpu_count = 1;             // 1 to 4
};

// Owns the devices, decodes physical addresses (docs/machine.md has the map) and wires
// interrupts. All calls come from the sequencer's thread.
class Board final : public alpha::IoBus {
 public:
  static constexpr int kUarts = Port::kUartStreams;

  // `cpu_interrupts`: line cpu * 8 + pin is pin b_irq<pin> of a CPU below `cpu_count`.
  // The array address registers describe `memory`. `console` may be nullptr. `events` and
  // the sinks must outlive the board. Call Reset() before use.
  Board(const BoardOptions& options, const alpha::Memory& memory, EventQueue& events,
        ConsoleSink* console, IrqSink& cpu_interrupts);

  // Power-on state of every device as firmware leaves it, at cycle EventQueue::now().
  void Reset();

  // An access outside RAM. What no device answers: PCI memory, I/O and configuration space
  // give all ones without an error; elsewhere a read is `nonexistent`, a write is dropped, and
  // both latch MISC<NXM> in the Cchip.
  alpha::IoResult Read(alpha::Cpu& cpu, uint64_t pa, int size) override;
  alpha::IoResult Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) override;

  // Hands an event that EventQueue::PopDue gave to its device. False when no device of the
  // board owns it.
  bool OnEvent(EventSlot slot);

  // The state of all devices, in a fixed order. Not the event queue's.
  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

  // Sends at once what the UARTs still have to send.
  void FlushUarts();

  PlatformDevice& platform() { return *platform_; }
  Uart& uart(int index) { return *uarts_[index]; }
  Cchip& cchip() { return *cchip_; }

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  struct Owned {
    const char* name;
    DeviceId id;
    std::unique_ptr<Device> device;
  };

  // Makes a device, gives it its ports and puts it on the board. `name`: what its state is found
  // under, of no other device.
  template <typename T, typename... Args>
  T* Add(const char* name, DeviceId id, std::initializer_list<PortRange> ports, Args&&... args) {
    auto device = std::make_unique<T>(std::forward<Args>(args)...);
    T* result = device.get();
    for (const PortRange& range : ports) isa_.Map(range, *result);
    devices_.push_back({name, id, std::move(device)});
    return result;
  }
  IrqLine IsaIrq(int irq) { return {pics_, irq}; }
  alpha::IoResult Nonexistent(const alpha::Cpu& cpu, bool is_read);

  EventQueue& events_;
  IsaBus isa_;
  std::vector<Owned> devices_;

  Cchip* cchip_ = nullptr;
  Dchip* dchip_ = nullptr;
  Pchip* pchip_ = nullptr;
  PciConfig* pci_config_ = nullptr;
  PicPair* pics_ = nullptr;
  std::array<Uart*, kUarts> uarts_{};
  PlatformDevice* platform_ = nullptr;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BOARD_H_
