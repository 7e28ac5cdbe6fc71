#include "machine/devices/virtio/virtio_net.h"

#include <algorithm>
#include <array>
#include <span>

namespace isochron::machine {
namespace {

constexpr uint16_t kNetType = 1, kNetPciId = 0x1000;
constexpr uint32_t kNetClassCode = 0x020000;  // Ethernet controller
constexpr uint16_t kNetQueueSize = 128;

// Its configuration (5.1.4).
constexpr uint32_t kNetConfigSize = 8;
constexpr uint32_t kMacOffset = 0, kStatusOffset = 6;
constexpr uint16_t kLinkUp = 1;

// What stands before a frame (5.1.6): nothing but zeros without offloads and, in 1.x, the number of
// buffers.
constexpr size_t kLegacyHeader = 10, kHeader = 12;
constexpr size_t kBuffersOffset = 10;

}  // namespace

VirtioNet::VirtioNet(EventQueue& events, FrameSink* sink, const StationAddress& mac,
                     const EthernetTiming& timing, int interrupt_pin)
    : VirtioPci({.type = kNetType,
                 .pci_id = kNetPciId,
                 .class_code = kNetClassCode,
                 .features = VirtioNetFeature::kMac | VirtioNetFeature::kStatus,
                 .queues = 2,
                 .queue_size = kNetQueueSize,
                 .config_size = kNetConfigSize,
                 .interrupt_pin = interrupt_pin}),
      events_(events, *this),
      sink_(sink),
      timing_(timing) {
  for (uint32_t i = 0; i < mac.size(); ++i) SetDeviceConfig(kMacOffset + i, 1, mac[i]);
  SetDeviceConfig(kStatusOffset, 2, kLinkUp);
}

void VirtioNet::ResetDevice() {
  arriving_.Clear();
  events_.Cancel(kArrived);
  sent_ = send_drops_ = received_ = receive_drops_ = 0;
}

void VirtioNet::OnNotify(int queue) {
  // Buffers to receive into wait where they are.
  if (queue == kSendQueue && !sending_) events_.Schedule(kFetch, events_.now());
}

void VirtioNet::OnStop(int queue) {
  if (queue == kReceiveQueue) return;
  sending_ = false;
  chain_ = {};
  events_.Cancel(kFetch);
  events_.Cancel(kSent);
}

void VirtioNet::OnEvent(int kind) {
  if (kind == kFetch) {
    if (!sending_) Fetch();
  } else if (kind == kSent) {
    if (sending_) Send();
  } else if (!arriving_.empty()) {
    ++(Deliver(arriving_.Take()) ? received_ : receive_drops_);
    ScheduleArrival();
  }
}

size_t VirtioNet::HeaderBytes() const {
  return Has(VirtioFeature::kVersion1) ? kHeader : kLegacyHeader;
}

uint64_t VirtioNet::FrameBytes() const {
  const uint64_t bytes = chain_.readable_bytes();
  return bytes - std::min<uint64_t>(bytes, HeaderBytes());
}

void VirtioNet::Fetch() {
  if (!Take(kSendQueue, chain_)) return;
  sending_ = true;
  // What is no frame takes as long as the longest.
  const auto bytes = static_cast<size_t>(std::min<uint64_t>(FrameBytes(), kMaxFrame));
  events_.Schedule(kSent, events_.now() + timing_.FrameCycles(bytes, events_.hz()));
}

void VirtioNet::Send() {
  const uint64_t bytes = FrameBytes();
  if (bytes >= kMinFrame && bytes <= kMaxFrame) {
    std::array<uint8_t, kMaxFrame> buffer;
    const std::span<uint8_t> frame = std::span(buffer).first(static_cast<size_t>(bytes));
    if (!Read(chain_, HeaderBytes(), frame)) return;
    ++sent_;
    if (sink_ != nullptr) {
      sink_->OnFrame(events_.now(), {reinterpret_cast<const char*>(frame.data()), frame.size()});
    }
  } else {
    ++send_drops_;
  }
  Give(kSendQueue, chain_.head, 0);
  sending_ = false;
  chain_ = {};
  if (IsWorking()) events_.Schedule(kFetch, events_.now());
}

void VirtioNet::ReceiveFrame(std::string_view frame) {
  const bool idle = arriving_.empty();
  if (!arriving_.Add(frame)) {
    ++receive_drops_;
  } else if (idle) {
    ScheduleArrival();
  }
}

void VirtioNet::ScheduleArrival() {
  if (arriving_.empty()) return;
  events_.Schedule(kArrived,
                   events_.now() + timing_.FrameCycles(arriving_.next_size(), events_.hz()));
}

bool VirtioNet::Deliver(std::string_view frame) {
  VirtChain chain;
  if (!IsReady() || !Take(kReceiveQueue, chain)) return false;
  std::array<uint8_t, kHeader + kMaxFrame> buffer{};
  const size_t header = HeaderBytes();
  const size_t bytes = header + frame.size();
  if (header == kHeader) buffer[kBuffersOffset] = 1;
  std::ranges::copy(frame, buffer.begin() + static_cast<std::ptrdiff_t>(header));
  const bool fits = chain.writable_bytes() >= bytes;
  if (fits && !Write(chain, 0, std::span(buffer).first(bytes))) return false;
  Give(kReceiveQueue, chain.head, fits ? static_cast<uint32_t>(bytes) : 0);
  return fits;
}

template <typename Visitor, typename Self>
void VirtioNet::Walk(Visitor& visitor, Self& self) {
  visitor.Section("virtio_net");
  WalkTransport(visitor, self);
  visitor.Field("sending", self.sending_);
  visitor.Field("chain", self.chain_);
  visitor.Field("arriving", self.arriving_);
  visitor.Field("sent", self.sent_);
  visitor.Field("send_drops", self.send_drops_);
  visitor.Field("received", self.received_);
  visitor.Field("receive_drops", self.receive_drops_);
}

void VirtioNet::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void VirtioNet::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  CheckTransport(reader);
  arriving_.Check(reader);
  if (sending_ != (events_.DueCycle(kSent) != kNever)) {
    reader.Fail("a frame is sent and never leaves, or leaves and is not sent");
  }
  if (arriving_.empty() != (events_.DueCycle(kArrived) == kNever)) {
    reader.Fail("a frame is on the wire and never arrives, or arrives and is not there");
  }
}

}  // namespace isochron::machine
