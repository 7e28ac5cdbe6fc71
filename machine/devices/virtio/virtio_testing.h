// A driver for tests of virtio devices: registers, and rings in memory, driven by hand.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_TESTING_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRTIO_TESTING_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "machine/bus/pci_testing.h"
#include "machine/devices/virtio/virt_queue.h"
#include "machine/devices/virtio/virtio_pci.h"

namespace isochron::machine {

struct VirtioDescriptor {
  static constexpr uint16_t kNext = 1, kWrite = 2, kIndirect = 4;
  uint64_t address = 0;
  uint32_t size = 0;
  uint16_t flags = 0;
  uint16_t next = 0;
};

// The hands of a virtio device's driver.
template <typename T>
class VirtioRig : public PciRig<T> {
 public:
  using Base = PciRig<T>;
  using Base::Base;
  using Base::bus;
  using Base::kIoBase;
  using Base::kMemoryBase;
  using Base::memory;
  // Where queue `q` is, and the memory that tests use.
  static constexpr uint64_t QueueAt(int q) { return 0x10000 + 0x4000 * static_cast<uint64_t>(q); }
  static constexpr uint64_t kBuffers = 0x40000;

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
  uint64_t Bias() const { return platform ? TestRam::kWindow : 0; }

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
  uint16_t UsedIndex(int queue) const {
    return memory.template Get<uint16_t>(Place(queue).device + 2);
  }
  struct Used {
    uint32_t head = 0;
    uint32_t written = 0;
    friend bool operator==(const Used&, const Used&) = default;
  };
  Used UsedEntry(int queue, uint16_t index) const {
    return memory.template Get<Used>(Place(queue).device + 4 + 8u * (index % rings[queue].size));
  }

  absl::Status CopyTo(VirtioRig& other) const {
    const absl::Status status = Base::CopyTo(other);
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
