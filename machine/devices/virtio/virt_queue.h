// A split virtqueue as the device sees it.

#ifndef ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRT_QUEUE_H_
#define ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "alpha/state_visitor.h"
#include "machine/bus/dma.h"

namespace isochron::machine {

// A piece of memory that a driver lends to the device.
struct VirtSegment {
  uint64_t address = 0;
  uint32_t size = 0;  // bytes

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("address", self.address);
    visitor.Field("size", self.size);
  }
  friend bool operator==(const VirtSegment&, const VirtSegment&) = default;
};

// What the driver has put into a queue as one: first what the device reads, then what it writes.
// How the driver cuts either into segments means nothing.
struct VirtChain {
  uint16_t head = 0;  // the number of its first descriptor, by which it is given back
  std::vector<VirtSegment> readable;
  std::vector<VirtSegment> writable;

  uint64_t readable_bytes() const { return Bytes(readable); }
  uint64_t writable_bytes() const { return Bytes(writable); }

  // Transfers bytes [offset, offset + size) of either part; false where the part is shorter or
  // memory does not answer. What came before that has been transferred.
  [[nodiscard]] bool Read(DmaPort& memory, uint64_t offset, std::span<uint8_t> bytes) const;
  [[nodiscard]] bool Write(DmaPort& memory, uint64_t offset, std::span<const uint8_t> bytes) const;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

 private:
  static uint64_t Bytes(const std::vector<VirtSegment>& segments);
};

// What driver and device have agreed on about their queues.
struct VirtQueueRules {
  bool indirect = false;     // VIRTIO_F_INDIRECT_DESC
  bool event_index = false;  // VIRTIO_F_EVENT_IDX
};

// Where the three parts of a queue are in memory, as DmaPort takes addresses.
struct VirtQueuePlace {
  uint64_t descriptors = 0;
  uint64_t driver = 0;  // the available ring
  uint64_t device = 0;  // the used ring

  // All three from the address of a legacy queue, with alignment 4096 (Virtio 1.2, 2.7.2).
  static VirtQueuePlace Legacy(uint64_t address, uint16_t size);

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self) {
    visitor.Field("descriptors", self.descriptors);
    visitor.Field("driver", self.driver);
    visitor.Field("device", self.device);
  }
  friend bool operator==(const VirtQueuePlace&, const VirtQueuePlace&) = default;
};

// Descriptor table, available ring and used ring (Virtual I/O Device 1.2, 2.7). All of them are
// the driver's memory: nothing in there is believed, and one call reads no more of it than one
// chain, whose length is at most that of the queue.
class VirtQueue {
 public:
  static constexpr uint16_t kMaxSize = 256;

  // `max_size`: a power of two, at most kMaxSize.
  explicit VirtQueue(uint16_t max_size) : max_size_(max_size), size_(max_size) {}

  // Off, empty, with the largest size, at address 0.
  void Reset();

  // While a queue is on it stays as it is: size and place cannot change.
  bool enabled() const { return enabled_; }
  uint16_t size() const { return size_; }
  const VirtQueuePlace& place() const { return place_; }
  // Does nothing when `size` is no power of two or larger than the queue can be.
  void SetSize(uint16_t size);
  void SetPlace(const VirtQueuePlace& place);
  // Starts with both rings at index 0.
  void Enable();

  enum class Taken : uint8_t {
    kChain,
    kNone,   // there is none; the driver has been asked to tell when there is
    kFault,  // what the driver wrote makes no sense, or is not in memory
  };
  // Takes the next chain that the driver has made available. The queue is on.
  Taken Take(DmaPort& memory, const VirtQueueRules& rules, VirtChain& chain);

  enum class Given : uint8_t {
    kQuiet,
    kInterrupt,  // the driver wants to know
    kFault,      // the used ring is not in memory
  };
  // Gives the chain back. `written`: bytes of its writable part that have been written.
  Given Give(DmaPort& memory, const VirtQueueRules& rules, uint16_t head, uint32_t written);

  // One walk for saving and restoring; a size that cannot be fails.
  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  struct Descriptor;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  bool ReadChain(DmaPort& memory, const VirtQueueRules& rules, VirtChain& chain) const;
  bool ReadIndirect(DmaPort& memory, const Descriptor& outer, VirtChain& chain) const;
  // False where the segment may not stand.
  static bool Append(const Descriptor& descriptor, VirtChain& chain);

  const uint16_t max_size_;
  uint16_t size_;
  bool enabled_ = false;
  VirtQueuePlace place_;
  uint16_t next_available_ = 0;  // index of the next entry of the available ring
  uint16_t next_used_ = 0;       // index of the next entry of the used ring
};

template <typename Visitor, typename Self>
void VirtChain::Walk(Visitor& visitor, Self& self) {
  visitor.Field("head", self.head);
  visitor.Field("readable", self.readable, VirtQueue::kMaxSize);
  visitor.Field("writable", self.writable, VirtQueue::kMaxSize);
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_VIRTIO_VIRT_QUEUE_H_
