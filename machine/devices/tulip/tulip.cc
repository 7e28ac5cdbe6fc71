#include "machine/devices/tulip/tulip.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

namespace isochron::machine {
namespace {

constexpr uint16_t kTulipVendor = 0x1011, kTulipDevice = 0x0019,
                   kTulipSubsystem = 0x500b;    // DE500-BA
constexpr uint32_t kTulipClassCode = 0x020000;  // Ethernet
constexpr uint8_t kTulipRevision = 0x41;
constexpr int kTulipDriverArea = 0x40;  // of configuration space
constexpr int kTulipMinGrant = 0x3e, kTulipMaxLatency = 0x3f;

constexpr uint32_t kTulipIoBytes = 0x80, kTulipMemoryBytes = 0x400, kCsrStride = 8, kCsrBytes = 4;

// What reserved bits and registers show after a reset (3.2.2).
constexpr uint32_t kBusModeReset = 0xfe000000, kStatusOnes = 0xf0000000, kModeReset = 0x32000040,
                   kInterruptOnes = 0xf3fe0000, kMissedOnes = 0xe0000000, kRomOnes = 0xfff00000,
                   kSiaStatusValue = 0x000000c6;
constexpr uint32_t kSiaResets[] = {0xffff0000, 0xffffffff, 0x8ff00000};  // CSR13 to CSR15
constexpr int kSiaFirst = 13;
constexpr uint32_t kFilterBits = TulipMode::kHash | TulipMode::kHashOnly | TulipMode::kInverse;
constexpr uint32_t kRomKept = 0x0007ff07;

// The timer counts 2048 clocks of the MII at 100 Mb/s.
constexpr uint64_t kMiiHz = 25'000'000, kTimerClocks = 2048;
// What it takes to fetch a descriptor, and to close it: some 25 clocks of PCI.
constexpr uint64_t kPciHz = 33'333'333, kDescriptorClocks = 25;

constexpr size_t kCheckBytes = EthernetTiming::kCheckSequence;

uint32_t MaskOf(int bytes) { return bytes >= 4 ? ~uint32_t{0} : (1u << (8 * bytes)) - 1; }

}  // namespace

Tulip::Tulip(EventQueue& events, FrameSink* sink, const StationAddress& mac, int interrupt_pin)
    : PciFunction({.vendor = kTulipVendor,
                   .device = kTulipDevice,
                   .class_code = kTulipClassCode,
                   .revision = kTulipRevision,
                   .subsystem_vendor = kTulipVendor,
                   .subsystem = kTulipSubsystem}),
      events_(events, *this),
      sink_(sink),
      rom_(CardRom(mac, kTulipVendor, kTulipSubsystem)) {
  AddIoBar(0, kTulipIoBytes);
  AddMemoryBar(1, kTulipMemoryBytes);
  SetInterruptPin(interrupt_pin);
  SetConfig(kTulipMinGrant, 1, 0x14);
  SetConfig(kTulipMaxLatency, 1, 0x28);
  SetWritable(kTulipDriverArea, 4, 0xc000ff00);
}

void Tulip::Reset() {
  rom_.Reset();
  transceiver_.Reset();
  arriving_.Clear();
  events_.Cancel(kArrived);
  ResetController();
  sent_ = send_drops_ = received_ = receive_drops_ = 0;
}

void Tulip::ResetController() {
  for (const int kind : {kFetch, kSent, kTimeout}) events_.Cancel(kind);
  if ((mode_ & TulipMode::kLoopback) != 0) LoseArriving();
  filter_.Reset();
  bus_mode_ = kBusModeReset;
  causes_ = bus_error_ = missed_ = rom_lines_ = timer_ = 0;
  mode_ = kModeReset;
  interrupts_ = kInterruptOnes;
  std::ranges::fill(others_, 0);
  std::ranges::copy(kSiaResets, others_ + kSiaFirst);
  receive_list_ = receive_at_ = transmit_list_ = transmit_at_ = 0;
  receive_state_ = transmit_state_ = TulipProcess::kStopped;
  frame_.clear();
  last_at_ = last_control_ = 0;
  UpdateInterrupt();
}

// Registers.

uint64_t Tulip::ReadBar(int, const Access& access) {
  const uint64_t at = access.offset % kCsrStride;
  if (access.offset >= kTulipIoBytes || at >= kCsrBytes) return 0;
  const uint32_t value = ReadCsr(static_cast<int>(access.offset / kCsrStride));
  return value >> (8 * at) & MaskOf(access.size);
}

void Tulip::WriteBar(int, const Access& access, uint64_t value) {
  const uint64_t at = access.offset % kCsrStride;
  if (access.offset >= kTulipIoBytes || at >= kCsrBytes) return;
  const int number = static_cast<int>(access.offset / kCsrStride);
  const uint32_t mask = MaskOf(access.size) << (8 * at);
  const uint32_t bits = static_cast<uint32_t>(value) << (8 * at) & mask;
  WriteCsr(number, bits | (KeptCsr(number) & ~mask));
}

uint32_t Tulip::ReadCsr(int number) {
  switch (number) {
    case TulipCsr::kBusMode: return bus_mode_;
    case TulipCsr::kTransmitPoll:
    case TulipCsr::kReceivePoll: return ~uint32_t{0};
    case TulipCsr::kReceiveList: return receive_list_;
    case TulipCsr::kTransmitList: return transmit_list_;
    case TulipCsr::kStatus: return ReadStatus();
    case TulipCsr::kMode: return ReadMode();
    case TulipCsr::kInterrupts: return interrupts_;
    case TulipCsr::kMissed: return TakeMissed();
    case TulipCsr::kRom: return ReadRom();
    case TulipCsr::kTimer: return (timer_ & ~TulipTimer::kMask) | TimerLeft();
    case TulipCsr::kSiaStatus: return kSiaStatusValue;
    default: return others_[number];
  }
}

uint32_t Tulip::KeptCsr(int number) const {
  switch (number) {
    case TulipCsr::kBusMode: return bus_mode_;
    case TulipCsr::kReceiveList: return receive_list_;
    case TulipCsr::kTransmitList: return transmit_list_;
    case TulipCsr::kMode: return mode_;
    case TulipCsr::kInterrupts: return interrupts_;
    case TulipCsr::kRom: return rom_lines_;
    case TulipCsr::kTimer: return timer_;
    default: return others_[number];
  }
}

void Tulip::WriteCsr(int number, uint32_t value) {
  switch (number) {
    case TulipCsr::kBusMode:
      if ((value & TulipBusMode::kReset) != 0) return ResetController();
      bus_mode_ = value;
      break;
    case TulipCsr::kTransmitPoll:
      if (transmit_state_ == TulipProcess::kTransmitSuspended) StartFetching();
      break;
    case TulipCsr::kReceivePoll: PollReceive(); break;
    case TulipCsr::kReceiveList: receive_list_ = receive_at_ = value & ~uint32_t{3}; break;
    case TulipCsr::kTransmitList: transmit_list_ = transmit_at_ = value & ~uint32_t{3}; break;
    case TulipCsr::kStatus: causes_ &= ~value; break;
    case TulipCsr::kMode: WriteMode(value); break;
    case TulipCsr::kInterrupts: interrupts_ = value | kInterruptOnes; break;
    case TulipCsr::kRom: WriteRom(value); break;
    case TulipCsr::kTimer: WriteTimer(value); break;
    case TulipCsr::kMissed:
    case TulipCsr::kSiaStatus: break;
    default: others_[number] = value; break;
  }
  UpdateInterrupt();
}

uint32_t Tulip::ReadStatus() const {
  return kStatusOnes | bus_error_ << TulipStatus::kErrorShift |
         transmit_state_ << TulipStatus::kTransmitShift |
         receive_state_ << TulipStatus::kReceiveShift | Summary() | causes_;
}

uint32_t Tulip::ReadMode() const {
  uint32_t shown = 0;
  switch (filter_.kind()) {
    case AddressFilter::Kind::kPerfect: break;
    case AddressFilter::Kind::kHash: shown = TulipMode::kHash; break;
    case AddressFilter::Kind::kInverse: shown = TulipMode::kInverse; break;
    case AddressFilter::Kind::kHashOnly: shown = TulipMode::kHash | TulipMode::kHashOnly; break;
  }
  return mode_ | shown;
}

uint32_t Tulip::TakeMissed() {
  const uint32_t value = kMissedOnes | missed_;
  missed_ = 0;
  return value;
}

uint32_t Tulip::ReadRom() const {
  return kRomOnes | (rom_lines_ & kRomKept) | (rom_.output() ? TulipRom::kOut : 0) |
         (transceiver_.output() ? TulipRom::kMiiIn : 0);
}

void Tulip::WriteRom(uint32_t value) {
  rom_lines_ = value;
  if ((value & TulipRom::kSerialRom) != 0) {
    rom_.Drive((value & TulipRom::kSelect) != 0, (value & TulipRom::kClock) != 0,
               (value & TulipRom::kIn) != 0);
  }
  transceiver_.Drive((value & TulipRom::kMiiClock) != 0, (value & TulipRom::kMiiRead) == 0,
                     (value & TulipRom::kMiiOut) != 0);
}

void Tulip::WriteTimer(uint32_t value) {
  timer_ = value;
  events_.Cancel(kTimeout);
  const uint64_t ticks = value & TulipTimer::kMask;
  if (ticks == 0) return;
  events_.Schedule(kTimeout,
                   events_.now() + TicksToCycles(ticks * kTimerClocks, kMiiHz, events_.hz()));
}

uint32_t Tulip::TimerLeft() const {
  const uint64_t due = events_.DueCycle(kTimeout);
  if (due == kNever || due <= events_.now()) return 0;
  const uint64_t clocks = CyclesToTicks(due - events_.now(), kMiiHz, events_.hz());
  return static_cast<uint32_t>(
      std::min<uint64_t>(clocks / kTimerClocks + 1, timer_ & TulipTimer::kMask));
}

void Tulip::WriteMode(uint32_t value) {
  const uint32_t loopback = (mode_ ^ value) & TulipMode::kLoopback;
  mode_ = value & ~kFilterBits;
  if (loopback != 0) LoseArriving();
  const bool receive = (mode_ & TulipMode::kReceive) != 0;
  if (!receive) {
    StopReceive();
  } else if (receive_state_ == TulipProcess::kStopped) {
    receive_state_ = TulipProcess::kReceiveWaiting;
  }
  const bool transmit = (mode_ & TulipMode::kTransmit) != 0;
  if (transmit && transmit_state_ == TulipProcess::kStopped) StartFetching();
  // A frame that has been begun leaves first.
  if (!transmit && transmit_state_ != TulipProcess::kTransmitSending && !IsInsideFrame()) {
    StopTransmit();
  }
}

// Interrupts, and what stops the processes.

uint32_t Tulip::Summary() const {
  const uint32_t wanted = causes_ & interrupts_;
  return ((wanted & TulipStatus::kNormalCauses) != 0 ? TulipStatus::kNormal : 0) |
         ((wanted & TulipStatus::kAbnormalCauses) != 0 ? TulipStatus::kAbnormal : 0);
}

void Tulip::UpdateInterrupt() { SetInterrupt((Summary() & interrupts_) != 0); }

void Tulip::Raise(uint32_t causes) {
  causes_ |= causes;
  UpdateInterrupt();
}

bool Tulip::HasBegunFrame() const {
  constexpr uint32_t kEnds = TulipTransmit::kFirst | TulipTransmit::kLast;
  return (last_control_ & kEnds) == TulipTransmit::kFirst;
}

bool Tulip::IsInsideFrame() const {
  return transmit_state_ == TulipProcess::kTransmitFetching && HasBegunFrame();
}

void Tulip::StopTransmit() {
  if (transmit_state_ == TulipProcess::kStopped) return;
  events_.Cancel(kFetch);
  events_.Cancel(kSent);
  frame_.clear();
  if (HasBegunFrame()) last_control_ = 0;
  transmit_state_ = TulipProcess::kStopped;
  Raise(TulipStatus::kTransmitStopped);
}

void Tulip::StopReceive() {
  if (receive_state_ == TulipProcess::kStopped) return;
  receive_state_ = TulipProcess::kStopped;
  Raise(TulipStatus::kReceiveStopped);
}

void Tulip::FailBus(DmaResult result) {
  bus_error_ = result == DmaResult::kTargetAbort ? TulipStatus::kErrorTargetAbort
                                                 : TulipStatus::kErrorMasterAbort;
  StopTransmit();
  StopReceive();
  Raise(TulipStatus::kBusError);
}

// Descriptors.

bool Tulip::ReadDescriptor(uint32_t address, TulipDescriptor& descriptor) {
  std::array<uint32_t, 4> words{};
  const DmaResult result = ReadMemory(address, words.data(), sizeof words);
  if (result != DmaResult::kOk) {
    FailBus(result);
    return false;
  }
  if ((bus_mode_ & TulipBusMode::kBigDescriptors) != 0) {
    for (uint32_t& word : words) word = __builtin_bswap32(word);
  }
  descriptor = {words[0], words[1], {words[2], words[3]}};
  return true;
}

bool Tulip::WriteDescriptorStatus(uint32_t address, uint32_t status) {
  if ((bus_mode_ & TulipBusMode::kBigDescriptors) != 0) status = __builtin_bswap32(status);
  const DmaResult result = WriteMemory(address, &status, sizeof status);
  if (result != DmaResult::kOk) FailBus(result);
  return result == DmaResult::kOk;
}

uint32_t Tulip::NextDescriptor(const TulipDescriptor& descriptor, uint32_t at,
                               uint32_t list) const {
  if ((descriptor.control & TulipDescriptor::kEndOfRing) != 0) return list;
  if ((descriptor.control & TulipDescriptor::kChained) != 0)
    return descriptor.buffers[1] & ~uint32_t{3};
  const uint32_t skip = bus_mode_ >> TulipBusMode::kSkipShift & TulipBusMode::kSkipMask;
  return at + static_cast<uint32_t>(sizeof(uint32_t)) * (4 + skip);
}

// Sending.

void Tulip::OnEvent(int kind) {
  switch (kind) {
    case kFetch:
      if (transmit_state_ == TulipProcess::kTransmitFetching) Fetch();
      break;
    case kSent:
      if (transmit_state_ == TulipProcess::kTransmitSending) Send();
      break;
    case kArrived:
      if (arriving_.empty()) break;
      if (!Deliver(arriving_.Take())) ++receive_drops_;
      ScheduleArrival();
      break;
    default:
      Raise(TulipStatus::kTimer);
      if ((timer_ & TulipTimer::kAgain) != 0) WriteTimer(timer_);
      break;
  }
}

void Tulip::StartFetching() {
  transmit_state_ = TulipProcess::kTransmitFetching;
  events_.Schedule(kFetch, events_.now() + TicksToCycles(kDescriptorClocks, kPciHz, events_.hz()));
}

void Tulip::Fetch() {
  TulipDescriptor descriptor;
  const uint32_t at = transmit_at_;
  if (!ReadDescriptor(at, descriptor)) return;
  if ((descriptor.status & TulipDescriptor::kOwn) == 0) {
    if ((mode_ & TulipMode::kTransmit) == 0) return StopTransmit();
    transmit_state_ = TulipProcess::kTransmitSuspended;
    return Raise(TulipStatus::kNoTransmitBuffer);
  }
  transmit_at_ = NextDescriptor(descriptor, at, transmit_list_);
  if ((descriptor.control & TulipTransmit::kSetup) != 0) {
    if (!TakeSetup(descriptor) || !WriteDescriptorStatus(at, TulipTransmit::kSetupDone)) return;
    if ((descriptor.control & TulipTransmit::kInterrupt) != 0) Raise(TulipStatus::kTransmitted);
    return StartFetching();
  }
  // Padding and check sequence are what the first descriptor says, all else what the last one does.
  constexpr uint32_t kOfFirst =
      TulipTransmit::kFirst | TulipTransmit::kHasCrc | TulipTransmit::kNoPadding;
  if ((descriptor.control & TulipTransmit::kFirst) != 0) {
    frame_.clear();
    last_control_ = descriptor.control;
  }
  last_control_ = (last_control_ & kOfFirst) | (descriptor.control & ~kOfFirst);
  if (!AppendBuffers(descriptor)) return;
  if ((descriptor.control & TulipTransmit::kLast) == 0) {
    if (WriteDescriptorStatus(at, 0)) StartFetching();
    return;
  }
  last_at_ = at;
  transmit_state_ = TulipProcess::kTransmitSending;
  events_.Schedule(kSent, events_.now() + kFastEthernet.FrameCycles(frame_.size(), events_.hz()));
}

bool Tulip::TakeSetup(const TulipDescriptor& descriptor) {
  // One of another size is none.
  if (descriptor.size(0) != AddressFilter::kSetupBytes) return true;
  std::array<uint8_t, AddressFilter::kSetupBytes> setup;
  const DmaResult result = ReadMemory(descriptor.buffers[0], setup.data(), setup.size());
  if (result != DmaResult::kOk) {
    FailBus(result);
    return false;
  }
  const int kind = ((descriptor.control & TulipTransmit::kFilter0) != 0 ? 1 : 0) +
                   ((descriptor.control & TulipTransmit::kFilter1) != 0 ? 2 : 0);
  filter_.Set(static_cast<AddressFilter::Kind>(kind), setup);
  return true;
}

bool Tulip::AppendBuffers(const TulipDescriptor& descriptor) {
  for (const int buffer : {0, 1}) {
    // One byte more than may be says that it is too long.
    const size_t size = std::min(descriptor.size(buffer), kMostSent + 1 - frame_.size());
    if (size == 0) continue;
    const size_t at = frame_.size();
    frame_.resize(at + size);
    const DmaResult result = ReadMemory(descriptor.buffers[buffer], frame_.data() + at, size);
    if (result == DmaResult::kOk) continue;
    FailBus(result);
    return false;
  }
  return true;
}

std::string Tulip::FrameToSend() const {
  std::string frame = frame_;
  const bool has_crc = (last_control_ & TulipTransmit::kHasCrc) != 0;
  const size_t least = EthernetTiming::kLeast + (has_crc ? kCheckBytes : 0);
  if ((last_control_ & TulipTransmit::kNoPadding) == 0 && frame.size() < least) {
    // Filled up, and with a check sequence of the chip's whatever the driver says of that.
    frame.resize(std::max<size_t>(frame.size(), EthernetTiming::kLeast));
  } else if (has_crc) {
    frame.resize(frame.size() - std::min(frame.size(), kCheckBytes));
  }
  return frame;
}

void Tulip::Transmit(const std::string& frame) {
  if (std::min(frame_.size(), frame.size()) < kMinFrame || frame.size() > kMaxFrame) {
    ++send_drops_;
  } else if ((mode_ & TulipMode::kLoopback) != 0) {
    Arrive(frame);
  } else {
    ++sent_;
    if (sink_ != nullptr) sink_->OnFrame(events_.now(), frame);
  }
}

void Tulip::Send() {
  const bool jabber = frame_.size() > kMostSent;
  if (jabber) {
    ++send_drops_;
  } else {
    Transmit(FrameToSend());
  }
  frame_.clear();
  const uint32_t control = std::exchange(last_control_, 0);
  const uint32_t status = jabber ? TulipTransmit::kError | TulipTransmit::kJabber : 0;
  if (!WriteDescriptorStatus(last_at_, status)) return;
  if ((control & TulipTransmit::kInterrupt) != 0) Raise(TulipStatus::kTransmitted);
  if (jabber) Raise(TulipStatus::kJabber);
  if (jabber || (mode_ & TulipMode::kTransmit) == 0) return StopTransmit();
  StartFetching();
}

template <typename Visitor, typename Self>
void Tulip::Walk(Visitor& visitor, Self& self) {
  visitor.Section("tulip");
  visitor.Field("rom", self.rom_);
  visitor.Field("transceiver", self.transceiver_);
  visitor.Field("filter", self.filter_);
  visitor.Field("arriving", self.arriving_);
  visitor.Field("bus_mode", self.bus_mode_);
  visitor.Field("causes", self.causes_);
  visitor.Field("bus_error", self.bus_error_);
  visitor.Field("mode", self.mode_);
  visitor.Field("interrupts", self.interrupts_);
  visitor.Field("missed", self.missed_);
  visitor.Field("rom_lines", self.rom_lines_);
  visitor.Field("timer", self.timer_);
  visitor.Field("others", std::span(self.others_));
  visitor.Field("receive_list", self.receive_list_);
  visitor.Field("receive_at", self.receive_at_);
  visitor.Field("receive_state", self.receive_state_);
  visitor.Field("transmit_list", self.transmit_list_);
  visitor.Field("transmit_at", self.transmit_at_);
  visitor.Field("transmit_state", self.transmit_state_);
  visitor.Field("frame", self.frame_, kMostSent + 1);
  visitor.Field("last_at", self.last_at_);
  visitor.Field("last_control", self.last_control_);
  visitor.Field("sent", self.sent_);
  visitor.Field("send_drops", self.send_drops_);
  visitor.Field("received", self.received_);
  visitor.Field("receive_drops", self.receive_drops_);
}

void Tulip::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void Tulip::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  filter_.Check(reader);
  arriving_.Check(reader);
  const auto due = [this](int kind) { return events_.DueCycle(kind) != kNever; };
  if (due(kFetch) != (transmit_state_ == TulipProcess::kTransmitFetching) ||
      due(kSent) != (transmit_state_ == TulipProcess::kTransmitSending)) {
    reader.Fail("a frame is sent and never leaves, or leaves and is not sent");
  }
  if (due(kArrived) == arriving_.empty()) {
    reader.Fail("a frame is on the wire and never arrives, or arrives and is not there");
  }
  const bool sends = (mode_ & TulipMode::kTransmit) != 0;
  const bool receives = (mode_ & TulipMode::kReceive) != 0;
  if ((!sends && transmit_state_ != TulipProcess::kStopped &&
       transmit_state_ != TulipProcess::kTransmitSending && !IsInsideFrame()) ||
      (!receives && receive_state_ != TulipProcess::kStopped)) {
    reader.Fail("a process of a network device runs that was told to stop");
  }
  const bool puts_together = transmit_state_ == TulipProcess::kTransmitFetching ||
                             transmit_state_ == TulipProcess::kTransmitSending;
  if (!puts_together && !frame_.empty() && transmit_state_ != TulipProcess::kTransmitSuspended) {
    reader.Fail("a frame is put together by nobody");
  }
  if (due(kTimeout) && (timer_ & TulipTimer::kMask) == 0) {
    reader.Fail("a timer of a network device runs that counts nothing");
  }
  const bool can_be = (mode_ & kFilterBits) == 0 && (causes_ & ~TulipStatus::kCauses) == 0 &&
                      transmit_state_ <= TulipProcess::kTransmitSuspended &&
                      receive_state_ <= TulipProcess::kReceiveSuspended &&
                      bus_error_ <= TulipStatus::kErrorTargetAbort &&
                      missed_ <= (TulipMissed::kOverflow | TulipMissed::kMask);
  if (!can_be) reader.Fail("the states of a network device cannot be");
}

}  // namespace isochron::machine
