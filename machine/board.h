// The Clipper board: everything at physical addresses that are not RAM.

#ifndef ISOCHRON_MACHINE_BOARD_H_
#define ISOCHRON_MACHINE_BOARD_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "alpha/cost.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "alpha/state_visitor.h"
#include "machine/bus/access.h"
#include "machine/bus/address_map.h"
#include "machine/bus/console.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/frame_sink.h"
#include "machine/bus/input_line.h"
#include "machine/bus/pci_bus.h"
#include "machine/bus/pci_function.h"
#include "machine/chipset/cchip.h"
#include "machine/devices/console_device.h"
#include "machine/devices/i8259.h"
#include "machine/devices/isa_bus.h"
#include "machine/devices/platform_device.h"
#include "machine/disks/disk.h"
#include "machine/events/config.h"
#include "machine/events/input.h"
#include "machine/firmware/console_environment.h"

namespace isochron::machine {

// A disk and what it is to be put behind.
struct AttachedDisk {
  DiskConfig::Interface interface = DiskConfig::Interface::kVirtio;
  Disk* disk = nullptr;  // outlives the board
};

struct BoardOptions {
  int64_t rtc_base_seconds = 0;  // see Rtc
  uint64_t seed = 0;             // see PlatformDevice
  int cpu_count = 1;             // 1 to 4
  // Those of an interface are numbered in this order.
  std::vector<AttachedDisk> disks = {};
  bool entropy_device = false;  // see VirtioRng
  std::optional<NetworkConfig> network = {};
  FrameSink* frames = nullptr;  // of what the network device sends; outlives the board
  // Whether the console has disks, and what its NVRAM holds at power-on; see ConsoleDevice.
  bool console_device = false;
  std::optional<ConsoleEnvironment> nvram = {};
};

// Owns the devices, decodes physical addresses (docs/machine.md has the map) and wires
// interrupts. All calls come from the sequencer's thread.
class Board final : public alpha::IoBus, public InputLines {
 public:
  // Slots: of virtio disks, and where an ES40 has the IDE function of its south bridge, of which no
  // pin is wired.
  static constexpr int kVirtioDiskSlot = 1, kIdeSlot = 15;

  // `cpu_interrupts`: line cpu * Cchip::kCpuPins + pin is pin b_irq<pin> of a CPU below
  // `cpu_count`. DMA goes to `memory`, which the array address registers describe. `console` may be
  // nullptr. All must outlive the board. Call Reset() before use.
  Board(const BoardOptions& options, alpha::Memory& memory, EventQueue& events,
        ConsoleSink* console, IrqSink& cpu_interrupts);

  // What is on the board from the start is added in the constructor, in the same way as what comes
  // after it, before Reset(). The order of these calls is that of the state walk and of events that
  // are due at one cycle, and so part of the machine model. `name`: what the state of the device is
  // found under, of no other device; it and the device's arguments must outlive the board.
  //
  // A device that is reached by no address of its own, or one of the others below.
  template <typename T, typename... Args>
  T& Add(const char* name, Args&&... args) {
    auto device = std::make_unique<T>(std::forward<Args>(args)...);
    T& result = *device;
    devices_.push_back({name, std::move(device)});
    return result;
  }
  // A RegisterDevice at ports of the ISA bus.
  template <typename T, typename... Args>
  T& AddIsa(const char* name, std::initializer_list<PortRange> ports, Args&&... args) {
    T& device = Add<T>(name, std::forward<Args>(args)...);
    for (const PortRange& range : ports) isa_.Map(range, device);
    return device;
  }
  // A PciFunction in a slot: its IDSEL, 1 to 6 for those whose interrupts are wired, and the number
  // of the function.
  template <typename T, typename... Args>
  T& AddPci(const char* name, int slot, int function, Args&&... args) {
    T& device = Add<T>(name, std::forward<Args>(args)...);
    pci_->Attach(slot, function, device);
    return device;
  }
  // Brings what arrives at a port to a device of the board.
  void Connect(const Port& port, InputLine& line) { inputs_.push_back({port, &line}); }
  // The place of devices in the order of events.
  EventQueue& events() { return events_; }

  // Power-on state of every device as firmware leaves it, at cycle EventQueue::now().
  void Reset();

  // An access outside RAM. What no device answers: PCI memory, I/O and configuration space
  // give all ones without an error; elsewhere a read is `nonexistent`, a write is dropped, and
  // both latch MISC<NXM> in the Cchip.
  alpha::IoResult Read(alpha::Cpu& cpu, uint64_t pa, int size) override;
  alpha::IoResult Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) override;

  // The state of all devices, in a fixed order. Not the event queue's.
  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

  // Device::Flush() of every device.
  void Flush();

  // What takes the input of a port; nullptr when the board has none such.
  InputLine* input(const Port& port) const;
  size_t Waiting(const Port& port) const override;

  PlatformDevice& platform() { return *platform_; }
  // nullptr: there is none.
  const ConsoleDevice* console_device() const { return console_device_; }
  Cchip& cchip() { return *cchip_; }

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  struct Owned {
    const char* name;
    std::unique_ptr<Device> device;
  };
  struct Input {
    Port port;
    InputLine* line;
  };
  // Interrupt acknowledge and special cycles, to which the ISA bridge listens.
  class AcknowledgeCycles final : public BusTarget {
   public:
    uint64_t Read(const Access&) override { return static_cast<uint64_t>(pics->Acknowledge()); }
    void Write(const Access&, uint64_t) override {}
    PicPair* pics = nullptr;
  };

  void AddChipset(const BoardOptions& options, alpha::Memory& memory, IrqSink& cpu_interrupts);
  void AddIsaDevices(const BoardOptions& options, ConsoleSink* console);
  void AddVirtioDevices(const BoardOptions& options);
  void AddNetwork(const BoardOptions& options);
  // The IDE controller, when a disk is behind one.
  void AddIde(const std::vector<AttachedDisk>& disks);
  void AddConsoleDevice(const BoardOptions& options, alpha::Memory& memory);
  // Gives a range of system addresses, below 2^35, to `target`.
  void MapSystem(uint64_t first, uint64_t size, BusTarget& target, alpha::CostClass cost);
  // The time is that of an access by this CPU.
  void AdvanceTo(const alpha::Cpu& cpu);
  // Who answers to a physical address; nullptr: nobody.
  const MappedRange* Find(uint64_t pa) const;
  IrqLine IsaIrq(int irq) { return {pics_, irq}; }
  alpha::IoResult Nonexistent(const alpha::Cpu& cpu, bool is_read);

  EventQueue& events_;
  AddressMap system_;
  IsaBus isa_;
  AcknowledgeCycles acknowledge_cycles_;
  AbsentTarget tig_bus_;
  std::vector<Owned> devices_;
  std::vector<Input> inputs_;

  Cchip* cchip_ = nullptr;
  PciBus* pci_ = nullptr;
  PicPair* pics_ = nullptr;
  PlatformDevice* platform_ = nullptr;
  ConsoleDevice* console_device_ = nullptr;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BOARD_H_
