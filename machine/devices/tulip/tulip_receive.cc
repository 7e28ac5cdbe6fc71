// What a 21143 does with frames that arrive.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "machine/devices/tulip/tulip.h"

namespace isochron::machine {
namespace {

constexpr size_t kTypeOffset = 12;
constexpr int kLeastType = 1501;  // below it is a length

}  // namespace

void Tulip::ReceiveFrame(std::string_view frame) {
  if ((mode_ & TulipMode::kLoopback) != 0) {
    ++receive_drops_;  // it hears itself only
  } else {
    Arrive(frame);
  }
}

void Tulip::Arrive(std::string_view frame) {
  const bool idle = arriving_.empty();
  if (!arriving_.Add(frame)) {
    ++receive_drops_;
  } else if (idle) {
    ScheduleArrival();
  }
}

void Tulip::LoseArriving() {
  receive_drops_ += arriving_.count();
  arriving_.Clear();
  events_.Cancel(kArrived);
}

void Tulip::PollReceive() {
  if (receive_state_ != TulipProcess::kReceiveSuspended) return;
  TulipDescriptor descriptor;
  if (!ReadDescriptor(receive_at_, descriptor)) return;
  if ((descriptor.status & TulipDescriptor::kOwn) != 0)
    receive_state_ = TulipProcess::kReceiveWaiting;
}

void Tulip::ScheduleArrival() {
  if (arriving_.empty()) return;
  events_.Schedule(kArrived,
                   events_.now() + kFastEthernet.FrameCycles(arriving_.next_size(), events_.hz()));
}

bool Tulip::Deliver(std::string_view frame) {
  if (receive_state_ == TulipProcess::kStopped) return false;
  std::vector<uint8_t> bytes(frame.begin(), frame.end());
  bytes.resize(std::max<size_t>(bytes.size(), EthernetTiming::kLeast));
  StationAddress to;
  std::copy_n(bytes.begin(), to.size(), to.begin());
  const bool group = (to[0] & 1) != 0;
  const bool passes = filter_.Passes(to) || (group && (mode_ & TulipMode::kAllGroups) != 0) ||
                      (mode_ & TulipMode::kPromiscuous) != 0;
  if (!passes && (mode_ & TulipMode::kAll) == 0) return true;
  const uint32_t crc = EthernetCrc(bytes);
  for (size_t i = 0; i < EthernetTiming::kCheckSequence; ++i)
    bytes.push_back(static_cast<uint8_t>(crc >> (8 * i)));
  const int type = bytes[kTypeOffset] << 8 | bytes[kTypeOffset + 1];
  const uint32_t status = static_cast<uint32_t>(bytes.size()) << TulipReceive::kLengthShift |
                          (group ? TulipReceive::kGroup : 0) |
                          (type >= kLeastType ? TulipReceive::kType : 0) |
                          (passes ? 0 : TulipReceive::kFilterFailed);
  if (!Store(bytes, status)) return false;
  ++received_;
  Raise(TulipStatus::kReceived);
  return true;
}

bool Tulip::Store(std::span<const uint8_t> frame, uint32_t status) {
  size_t done = 0;
  uint32_t open = 0;  // the descriptor that is not closed yet
  uint32_t first = TulipReceive::kFirst;
  for (int count = 0;; ++count) {
    TulipDescriptor descriptor;
    const uint32_t at = receive_at_;
    if (!ReadDescriptor(at, descriptor)) return false;
    if ((descriptor.status & TulipDescriptor::kOwn) == 0 || count == kMostDescriptors) {
      if (count > 0) {
        const uint32_t cut = TulipReceive::kLast | TulipReceive::kCut | TulipReceive::kError;
        if (!WriteDescriptorStatus(open, first | status | cut)) return false;
      }
      return RunOut(count > 0);
    }
    if (count > 0) {
      if (!WriteDescriptorStatus(open, first)) return false;
      first = 0;
    }
    if (!FillBuffers(descriptor, frame, done)) return false;
    open = at;
    receive_at_ = NextDescriptor(descriptor, at, receive_list_);
    if (done == frame.size()) break;
  }
  receive_state_ = TulipProcess::kReceiveWaiting;
  return WriteDescriptorStatus(open, first | TulipReceive::kLast | status);
}

bool Tulip::RunOut(bool owned_one) {
  const uint32_t count = (missed_ & TulipMissed::kMask) + 1;
  missed_ = (missed_ & TulipMissed::kOverflow) | (count & TulipMissed::kMask) |
            (count > TulipMissed::kMask ? TulipMissed::kOverflow : 0);
  // The cause is shown once, until there has been a descriptor again (3.2.2.5, CSR5<7>).
  const bool had = owned_one || receive_state_ != TulipProcess::kReceiveSuspended;
  receive_state_ = TulipProcess::kReceiveSuspended;
  if (had) Raise(TulipStatus::kNoReceiveBuffer);
  return false;
}

bool Tulip::FillBuffers(const TulipDescriptor& descriptor, std::span<const uint8_t> frame,
                        size_t& done) {
  for (const int buffer : {0, 1}) {
    const size_t size = std::min(descriptor.size(buffer), frame.size() - done);
    if (size == 0) continue;
    const DmaResult result =
        WriteMemory(descriptor.buffers[buffer], frame.subspan(done).data(), size);
    if (result != DmaResult::kOk) {
      FailBus(result);
      return false;
    }
    done += size;
  }
  return true;
}

}  // namespace isochron::machine
