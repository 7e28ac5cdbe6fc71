#include "machine/devices/virtio/virtio_rng.h"

#include <algorithm>
#include <array>
#include <span>

#include "machine/devices/split_mix.h"

namespace isochron::machine {
namespace {

constexpr uint16_t kRngType = 4, kRngPciId = 0x1005;
constexpr uint32_t kRngClassCode = 0xff0000;  // none of the others
constexpr uint16_t kRngQueueSize = 8;
// Sets the sequence apart from others that start at the same seed.
constexpr uint64_t kRngStream = 0x564952544e47'0004;

}  // namespace

VirtioRng::VirtioRng(EventQueue& events, uint64_t seed, int interrupt_pin)
    : VirtioPci({.type = kRngType,
                 .pci_id = kRngPciId,
                 .class_code = kRngClassCode,
                 .queues = 1,
                 .queue_size = kRngQueueSize,
                 .interrupt_pin = interrupt_pin}),
      events_(events, *this),
      seed_(seed) {}

void VirtioRng::ResetDevice() {
  uint64_t start = seed_ ^ kRngStream;
  sequence_ = NextSplitMix(start);
}

void VirtioRng::OnNotify(int) {
  if (!busy_) events_.Schedule(kFetch, events_.now());
}

void VirtioRng::OnStop(int) {
  busy_ = false;
  chain_ = {};
  events_.Cancel(kFetch);
  events_.Cancel(kFull);
}

void VirtioRng::OnEvent(int kind) {
  if (kind == kFetch) {
    if (!busy_) Fetch();
  } else if (busy_) {
    Fill();
  }
}

uint32_t VirtioRng::Bytes() const {
  return static_cast<uint32_t>(std::min<uint64_t>(chain_.writable_bytes(), kMaxBytes));
}

void VirtioRng::Fetch() {
  if (!Take(0, chain_)) return;
  busy_ = true;
  // A buffer without room takes its time, too.
  const uint64_t ticks = std::max(Bytes(), uint32_t{1});
  events_.Schedule(kFull, events_.now() + TicksToCycles(ticks, kBytesPerSecond, events_.hz()));
}

void VirtioRng::Fill() {
  std::array<uint8_t, kMaxBytes> bytes;
  const uint32_t size = Bytes();
  uint64_t number = 0;
  for (uint32_t i = 0; i < size; ++i) {
    if (i % 8 == 0) number = NextSplitMix(sequence_);
    bytes[i] = static_cast<uint8_t>(number >> (8 * (i % 8)));
  }
  if (!Write(chain_, 0, std::span(bytes).first(size))) return;
  Give(0, chain_.head, size);
  busy_ = false;
  chain_ = {};
  if (IsWorking()) events_.Schedule(kFetch, events_.now());
}

template <typename Visitor, typename Self>
void VirtioRng::Walk(Visitor& visitor, Self& self) {
  visitor.Section("virtio_rng");
  WalkTransport(visitor, self);
  visitor.Field("sequence", self.sequence_);
  visitor.Field("busy", self.busy_);
  visitor.Field("chain", self.chain_);
}

void VirtioRng::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void VirtioRng::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  CheckTransport(reader);
  if (busy_ != (events_.DueCycle(kFull) != kNever)) {
    reader.Fail("a buffer is filled and never full, or full and not filled");
  }
}

}  // namespace isochron::machine
