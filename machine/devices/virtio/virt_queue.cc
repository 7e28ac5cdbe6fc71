#include "machine/devices/virtio/virt_queue.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "machine/events/planted_breaks.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kDescriptorBytes = 16;
// Of descriptors.
constexpr uint16_t kNext = 1, kWrite = 2, kIndirect = 4;
// Of both rings: flags, index, entries, and behind them the index of an event.
constexpr uint64_t kIndexOffset = 2, kEntries = 4, kAvailableEntry = 2, kUsedEntry = 8;
constexpr uint16_t kNoInterrupt = 1;  // flag of the available ring
constexpr uint64_t kLegacyAlignment = 4096;

// Numbers in memory are little-endian, as hosts are.
template <typename T>
bool LoadFromMemory(DmaPort& memory, uint64_t address, T& value) {
  return memory.ReadMemory(address, &value, sizeof value) == DmaResult::kOk;
}
template <typename T>
bool StoreToMemory(DmaPort& memory, uint64_t address, const T& value) {
  return memory.WriteMemory(address, &value, sizeof value) == DmaResult::kOk;
}

// Calls transfer(address, offset, size) for each piece of [offset, offset + size) of the segments.
template <typename Transfer>
bool ForEachSegmentPiece(const std::vector<VirtSegment>& segments, uint64_t offset, uint64_t size,
                         Transfer transfer) {
  uint64_t done = 0;
  for (const VirtSegment& segment : segments) {
    if (done == size) break;
    if (offset >= segment.size) {
      offset -= segment.size;
      continue;
    }
    const uint64_t part = std::min(size - done, segment.size - offset);
    if (transfer(segment.address + offset, done, part) != DmaResult::kOk) return false;
    done += part;
    offset = 0;
  }
  return done == size;
}

}  // namespace

struct VirtQueue::Descriptor {
  uint64_t address = 0;
  uint32_t size = 0;
  uint16_t flags = 0;
  uint16_t next = 0;
};

uint64_t VirtChain::Bytes(const std::vector<VirtSegment>& segments) {
  uint64_t bytes = 0;
  for (const VirtSegment& segment : segments) bytes += segment.size;
  return bytes;
}

bool VirtChain::Read(DmaPort& memory, uint64_t offset, std::span<uint8_t> bytes) const {
  return ForEachSegmentPiece(readable, offset, bytes.size(),
                             [&](uint64_t address, uint64_t at, uint64_t size) {
                               return memory.ReadMemory(address, bytes.data() + at, size);
                             });
}

bool VirtChain::Write(DmaPort& memory, uint64_t offset, std::span<const uint8_t> bytes) const {
  return ForEachSegmentPiece(writable, offset, bytes.size(),
                             [&](uint64_t address, uint64_t at, uint64_t size) {
                               return memory.WriteMemory(address, bytes.data() + at, size);
                             });
}

VirtQueuePlace VirtQueuePlace::Legacy(uint64_t address, uint16_t size) {
  VirtQueuePlace place;
  place.descriptors = address;
  place.driver = address + kDescriptorBytes * size;
  const uint64_t end = place.driver + kEntries + kAvailableEntry * size + sizeof(uint16_t);
  place.device = (end + kLegacyAlignment - 1) & ~(kLegacyAlignment - 1);
  return place;
}

void VirtQueue::Reset() {
  size_ = max_size_;
  enabled_ = false;
  place_ = {};
  next_available_ = next_used_ = 0;
}

void VirtQueue::SetSize(uint16_t size) {
  if (!enabled_ && std::has_single_bit(size) && size <= max_size_) size_ = size;
}

void VirtQueue::SetPlace(const VirtQueuePlace& place) {
  if (!enabled_) place_ = place;
}

void VirtQueue::Enable() {
  if (enabled_) return;
  enabled_ = true;
  next_available_ = next_used_ = 0;
}

VirtQueue::Taken VirtQueue::Take(DmaPort& memory, const VirtQueueRules& rules, VirtChain& chain) {
  uint16_t available = 0;
  if (!LoadFromMemory(memory, place_.driver + kIndexOffset, available)) return Taken::kFault;
  const auto waiting = static_cast<uint16_t>(available - next_available_);
  if (waiting > size_) return Taken::kFault;
  if (waiting == 0 && PlantedCount(Break::kOneDescriptorTooMany) % 3 != 1) {
    // While the device is at work the index stays behind, and the driver does not tell of more.
    const uint64_t event = place_.device + kEntries + kUsedEntry * size_;
    if (rules.event_index && !StoreToMemory(memory, event, next_available_)) return Taken::kFault;
    return Taken::kNone;
  }
  const uint64_t entry =
      place_.driver + kEntries + kAvailableEntry * (next_available_ & (size_ - 1));
  chain = {};
  if (!LoadFromMemory(memory, entry, chain.head) || !ReadChain(memory, rules, chain))
    return Taken::kFault;
  ++next_available_;
  return Taken::kChain;
}

bool VirtQueue::ReadChain(DmaPort& memory, const VirtQueueRules& rules, VirtChain& chain) const {
  uint16_t index = chain.head;
  // A chain that is longer than the table comes back to where it was.
  for (int count = 0; count < size_; ++count) {
    Descriptor descriptor;
    if (index >= size_) return false;
    if (!LoadFromMemory(memory, place_.descriptors + kDescriptorBytes * index, descriptor))
      return false;
    if ((descriptor.flags & kIndirect) != 0) {
      if (!rules.indirect || (descriptor.flags & kNext) != 0) return false;
      return ReadIndirect(memory, descriptor, chain);
    }
    if (!Append(descriptor, chain)) return false;
    if ((descriptor.flags & kNext) == 0) return true;
    index = descriptor.next;
  }
  return false;
}

bool VirtQueue::ReadIndirect(DmaPort& memory, const Descriptor& outer, VirtChain& chain) const {
  const uint64_t entries = outer.size / kDescriptorBytes;
  if (entries == 0 || entries > size_ || outer.size % kDescriptorBytes != 0) return false;
  std::array<Descriptor, kMaxSize> table;
  if (memory.ReadMemory(outer.address, table.data(), outer.size) != DmaResult::kOk) return false;
  uint16_t index = 0;
  for (uint64_t count = 0; count < entries; ++count) {
    if (index >= entries) return false;
    const Descriptor& descriptor = table[index];
    if ((descriptor.flags & kIndirect) != 0 || !Append(descriptor, chain)) return false;
    if ((descriptor.flags & kNext) == 0) return true;
    index = descriptor.next;
  }
  return false;
}

bool VirtQueue::Append(const Descriptor& descriptor, VirtChain& chain) {
  const bool write = (descriptor.flags & kWrite) != 0;
  // Behind what the device writes there is nothing for it to read, and a part has a slot for each
  // descriptor of the largest queue, however the driver spreads them over two tables.
  if (!write && !chain.writable.empty()) return false;
  std::vector<VirtSegment>& part = write ? chain.writable : chain.readable;
  if (part.size() == kMaxSize) return false;
  part.push_back({descriptor.address, descriptor.size});
  return true;
}

VirtQueue::Given VirtQueue::Give(DmaPort& memory, const VirtQueueRules& rules, uint16_t head,
                                 uint32_t written) {
  const std::array<uint32_t, 2> entry = {head, written};
  const uint64_t at = place_.device + kEntries + kUsedEntry * (next_used_ & (size_ - 1));
  const uint16_t index = ++next_used_;
  if (!StoreToMemory(memory, at, entry) ||
      !StoreToMemory(memory, place_.device + kIndexOffset, index)) {
    return Given::kFault;
  }
  uint16_t word = 0;
  const uint64_t event = place_.driver + kEntries + kAvailableEntry * size_;
  if (!LoadFromMemory(memory, rules.event_index ? event : place_.driver, word))
    return Given::kFault;
  const bool wanted =
      rules.event_index ? word == static_cast<uint16_t>(index - 1) : (word & kNoInterrupt) == 0;
  return wanted ? Given::kInterrupt : Given::kQuiet;
}

template <typename Visitor, typename Self>
void VirtQueue::Walk(Visitor& visitor, Self& self) {
  visitor.Field("size", self.size_);
  visitor.Field("enabled", self.enabled_);
  visitor.Field("place", self.place_);
  visitor.Field("next_available", self.next_available_);
  visitor.Field("next_used", self.next_used_);
}

void VirtQueue::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void VirtQueue::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  if (!std::has_single_bit(size_) || size_ > max_size_) {
    reader.Fail("a queue cannot have that size");
    size_ = max_size_;
  }
}

}  // namespace isochron::machine
