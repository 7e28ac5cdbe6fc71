// A driver for tests of virtio devices: registers, and rings in memory, driven by hand.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_TESTING_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_TESTING_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "machine/bus/device_testing.h"
#include "machine/bus/dma.h"
#include "machine/bus/pci_bus.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_pci.h"

namespace isochron::machine {

// RAM behind a direct window at 2 GiB and the monster window, which counts what goes through.
class VirtioTestMemory final : public DmaPort {
 public:
  static constexpr uint64_t kSize = uint64_t{1} << 20;
  static constexpr uint64_t kWindow = 0x8000'0000;

  DmaResult ReadMemory(uint64_t address, void* data, uint64_t size) override {
    const DmaResult result = Find(address, size);
    if (result == DmaResult::kOk) std::memcpy(data, ram.data() + address, size);
    return result;
  }
  DmaResult WriteMemory(uint64_t address, const void* data, uint64_t size) override {
    const DmaResult result = Find(address, size);
    if (result == DmaResult::kOk) std::memcpy(ram.data() + address, data, size);
    return result;
  }
  template <typename T>
  void Put(uint64_t at, const T& value) {
    std::memcpy(ram.data() + at, &value, sizeof value);
  }
  template <typename T>
  T Get(uint64_t at) const {
    T value{};
    std::memcpy(&value, ram.data() + at, sizeof value);
    return value;
  }

  std::vector<uint8_t> ram = std::vector<uint8_t>(kSize);
  uint64_t transferred = 0;

 private:
  DmaResult Find(uint64_t& address, uint64_t size) {
    if (address >> 40 == 1) {
      address &= (uint64_t{1} << 35) - 1;
    } else if (address >= kWindow && address < kWindow + kSize) {
      address -= kWindow;
    } else {
      return DmaResult::kMasterAbort;
    }
    transferred += size;
    return address <= kSize && size <= kSize - address ? DmaResult::kOk : DmaResult::kTargetAbort;
  }
};

struct VirtioDescriptor {
  static constexpr uint16_t kNext = 1, kWrite = 2, kIndirect = 4;
  uint64_t address = 0;
  uint32_t size = 0;
  uint16_t flags = 0;
  uint16_t next = 0;
};

// A bus with one device in slot 1, and the hands of its driver. T has a constructor
// T(EventQueue&, ...).
template <typename T>
class VirtioRig {
 public:
  static constexpr uint32_t kMemoryBase = 0x0900'0000, kIoBase = 0x9000;
  static constexpr uint64_t kSlot = 1 << 11;
  static constexpr int kLine = 8;
  // Where queue `q` is, and the memory that tests use.
  static constexpr uint64_t QueueAt(int q) { return 0x10000 + 0x4000 * static_cast<uint64_t>(q); }
  static constexpr uint64_t kBuffers = 0x40000;

  template <typename... Args>
  explicit VirtioRig(Args&&... args) : device(bench.events(), std::forward<Args>(args)...) {
    bus.Attach(1, 0, device);
    bus.Reset();
    device.Reset();
    Config(PciRegister::kBar0, 4, kIoBase);
    Config(PciRegister::kBar0 + 4, 4, kMemoryBase);
    Config(PciRegister::kCommand, 2, PciCommand::kIo | PciCommand::kMemory | PciCommand::kMaster);
  }

  uint64_t Config(int reg, int size) {
    return bus.config().Read({kSlot + static_cast<uint64_t>(reg), size});
  }
  void Config(int reg, int size, uint64_t value) {
    bus.config().Write({kSlot + static_cast<uint64_t>(reg), size}, value);
  }
  uint64_t In(uint32_t offset, int size) { return bus.io().Read({kIoBase + offset, size}); }
  void Out(uint32_t offset, int size, uint64_t value) {
    bus.io().Write({kIoBase + offset, size}, value);
  }
  uint64_t Read(uint32_t offset, int size) {
    return bus.memory().Read({kMemoryBase + offset, size});
  }
  void Write(uint32_t offset, int size, uint64_t value) {
    bus.memory().Write({kMemoryBase + offset, size}, value);
  }
  uint8_t Status() { return static_cast<uint8_t>(Read(0x14, 1)); }
  uint8_t Isr() { return static_cast<uint8_t>(Read(VirtioLayout::kIsr, 1)); }

  // What a driver of 1.x does before its first request. `features` beside VERSION_1.
  // `before_ready`: what the driver does when the queues are there and it is not ready yet.
  void Start(
      uint64_t features, int queues = 1, uint16_t size = 8,
      const std::function<void()>& before_ready = [] {}) {
    legacy = false;
    platform = (features & VirtioFeature::kAccessPlatform) != 0;
    Write(0x14, 1, 0);
    Write(0x14, 1, VirtioStatus::kAcknowledge | VirtioStatus::kDriver);
    for (int word = 0; word < 2; ++word) {
      Write(0x08, 4, static_cast<uint64_t>(word));
      Write(0x0c, 4, (features | VirtioFeature::kVersion1) >> (32 * word) & 0xffffffff);
    }
    Write(0x14, 1, VirtioStatus::kFeaturesOk);
    for (int queue = 0; queue < queues; ++queue) {
      Write(0x16, 2, static_cast<uint64_t>(queue));
      Write(0x18, 2, size);
      const VirtQueuePlace place = Place(queue, size);
      Write(0x20, 8, place.descriptors + Bias());
      Write(0x28, 8, place.driver + Bias());
      Write(0x30, 8, place.device + Bias());
      Write(0x1c, 2, 1);
    }
    Forget(queues, size);
    before_ready();
    Write(0x14, 1, VirtioStatus::kDriverOk);
  }
  // The same of a legacy driver, which cannot choose the size.
  void StartLegacy(uint32_t features, int queues = 1) {
    legacy = true;
    platform = false;
    Out(0x12, 1, 0);
    Out(0x12, 1, VirtioStatus::kAcknowledge | VirtioStatus::kDriver);
    Out(0x04, 4, features);
    uint16_t size = 0;
    for (int queue = 0; queue < queues; ++queue) {
      Out(0x0e, 2, static_cast<uint64_t>(queue));
      size = static_cast<uint16_t>(In(0x0c, 2));
      Out(0x08, 4, QueueAt(queue) >> 12);
    }
    Forget(queues, size);
    Out(0x12, 1, VirtioStatus::kDriverOk);
  }

  // The parts of a queue are where a legacy one has them.
  static VirtQueuePlace Place(int queue, uint16_t size) {
    return VirtQueuePlace::Legacy(QueueAt(queue), size);
  }
  VirtQueuePlace Place(int queue) const { return Place(queue, rings[queue].size); }
  uint64_t Bias() const { return platform ? VirtioTestMemory::kWindow : 0; }

  void Describe(int queue, uint16_t index, VirtioDescriptor descriptor) {
    memory.Put(Place(queue).descriptors + 16u * index, descriptor);
  }
  // Makes a chain of the next free descriptors available; returns its head.
  uint16_t Add(int queue, std::vector<VirtioDescriptor> chain) {
    Ring& ring = rings[queue];
    const uint16_t head = ring.free;
    for (size_t i = 0; i < chain.size(); ++i) {
      const uint16_t index = ring.free;
      ring.free = static_cast<uint16_t>((ring.free + 1) % ring.size);
      chain[i].address += Bias();
      if (i + 1 < chain.size()) {
        chain[i].flags |= VirtioDescriptor::kNext;
        chain[i].next = ring.free;
      }
      Describe(queue, index, chain[i]);
    }
    Offer(queue, head);
    return head;
  }
  // Makes the chain that starts at a descriptor available.
  void Offer(int queue, uint16_t head) {
    Ring& ring = rings[queue];
    memory.Put(Place(queue).driver + 4 + 2u * (ring.next % ring.size), head);
    memory.Put(Place(queue).driver + 2, ++ring.next);
  }
  void Kick(int queue) {
    if (legacy) {
      Out(0x10, 2, static_cast<uint64_t>(queue));
    } else {
      Write(VirtioLayout::kNotify + VirtioLayout::kNotifyMultiplier * static_cast<uint32_t>(queue),
            2, static_cast<uint64_t>(queue));
    }
  }
  uint16_t UsedIndex(int queue) const { return memory.Get<uint16_t>(Place(queue).device + 2); }
  struct Used {
    uint32_t head = 0;
    uint32_t written = 0;
    friend bool operator==(const Used&, const Used&) = default;
  };
  Used UsedEntry(int queue, uint16_t index) const {
    return memory.Get<Used>(Place(queue).device + 4 + 8u * (index % rings[queue].size));
  }
  bool Interrupted() { return irqs.levels[kLine]; }

  // Everything there is to save, and a rig made anew from it.
  std::string Save() const {
    return machine::Save(bench.events()) + machine::Save(bus) + machine::Save(device);
  }
  absl::Status CopyTo(VirtioRig& other) const {
    absl::Status status = Restore(other.bench.events(), machine::Save(bench.events()));
    status.Update(Restore(other.bus, machine::Save(bus)));
    status.Update(Restore(other.device, machine::Save(device)));
    other.memory = memory;
    other.irqs = irqs;
    other.rings = rings;
    other.legacy = legacy;
    other.platform = platform;
    return status;
  }

  struct Ring {
    uint16_t size = 0;
    uint16_t free = 0;  // descriptor
    uint16_t next = 0;  // index of the available ring
  };

  mutable Bench bench;
  VirtioTestMemory memory;
  AbsentTarget ports;
  FakeIrqs irqs;
  PciBus bus{memory, ports, irqs, [](int device, int pin) { return 4 + 4 * device + pin; }};
  T device;
  std::vector<Ring> rings;
  bool legacy = false;
  bool platform = false;

 private:
  void Forget(int queues, uint16_t size) {
    rings.assign(static_cast<size_t>(queues), {.size = size});
    for (int queue = 0; queue < queues; ++queue) {
      std::memset(memory.ram.data() + QueueAt(queue), 0, 0x4000);
    }
  }
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_TESTING_H_
