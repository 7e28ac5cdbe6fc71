#include "machine/devices/uart16550.h"

#include <algorithm>

#include "machine/events/planted_breaks.h"

namespace isochron::machine {
namespace {

// Register offsets.
constexpr uint64_t kData = 0, kIer = 1, kIirFcr = 2, kLcr = 3, kMcr = 4, kLsr = 5, kMsr = 6,
                   kScratch = 7;

constexpr uint8_t kEnableReceive = 0x01;
constexpr uint8_t kEnableTransmit = 0x02;
constexpr uint8_t kEnableLineStatus = 0x04;
constexpr uint8_t kEnableModemStatus = 0x08;

constexpr uint8_t kIirNone = 0x01;
constexpr uint8_t kIirModemStatus = 0x00;
constexpr uint8_t kIirTransmit = 0x02;
constexpr uint8_t kIirReceive = 0x04;
constexpr uint8_t kIirLineStatus = 0x06;
constexpr uint8_t kIirTimeout = 0x0c;
constexpr uint8_t kIirFifos = 0xc0;

constexpr uint8_t kFcrEnable = 0x01;
constexpr uint8_t kFcrClearReceiver = 0x02;
constexpr uint8_t kFcrClearTransmitter = 0x04;
constexpr uint8_t kFcrStored = 0xc9;  // enable, DMA mode, trigger

constexpr uint8_t kLcrBreak = 0x40;
constexpr uint8_t kLcrDivisor = 0x80;

constexpr uint8_t kMcrDtr = 0x01, kMcrRts = 0x02, kMcrOut1 = 0x04, kMcrOut2 = 0x08, kMcrLoop = 0x10,
                  kMcrWritable = 0x1f;

constexpr uint8_t kLsrDataReady = 0x01;
constexpr uint8_t kLsrOverrun = 0x02;
constexpr uint8_t kLsrFraming = 0x08;
constexpr uint8_t kLsrBreak = 0x10;
constexpr uint8_t kLsrThrEmpty = 0x20;
constexpr uint8_t kLsrTransmitterEmpty = 0x40;
constexpr uint8_t kLsrFifoError = 0x80;
// What comes with the null character of a break: the line is low where its stop bit would be, too
// (PC16550D, LSR bits 3 and 4).
constexpr uint8_t kBreakErrors = kLsrBreak | kLsrFraming;

constexpr uint8_t kMsrCts = 0x10, kMsrDsr = 0x20, kMsrRing = 0x40, kMsrDcd = 0x80;
constexpr uint8_t kMsrRingEnded = 0x04;  // TERI

// A timeout interrupt comes after four character times without traffic (PC16550D, section
// "FIFO interrupt mode operation").
constexpr uint64_t kTimeoutCharacters = 4;

}  // namespace

bool Uart::fifos_enabled() const { return (fcr_ & kFcrEnable) != 0; }
bool Uart::loopback() const { return (mcr_ & kMcrLoop) != 0; }
bool Uart::divisor_access() const { return (lcr_ & kLcrDivisor) != 0; }

size_t Uart::Trigger() const {
  static constexpr size_t kLevels[] = {1, 4, 8, 14};
  return fifos_enabled() ? kLevels[fcr_ >> 6] : 1;
}

void Uart::Reset() {
  ier_ = fcr_ = lcr_ = mcr_ = scratch_ = 0;
  divisor_low_ = 12;  // 9600 baud, as the console leaves it
  divisor_high_ = 0;
  modem_deltas_ = line_errors_ = 0;
  transmit_interrupt_ = timeout_interrupt_ = false;
  receive_fifo_.clear();
  last_received_ = 0;
  transmit_fifo_.clear();
  shifting_ = false;
  shift_register_ = 0;
  line_.clear();
  for (int kind : {kTransmitEvent, kReceiveEvent, kTimeoutEvent}) events_.Cancel(kind);
  UpdateOutput();
}

uint64_t Uart::Read(const Access& access) {
  uint8_t value = 0;
  switch (access.offset) {
    case kData: value = divisor_access() ? divisor_low_ : ReadByte(); break;
    case kIer: value = divisor_access() ? divisor_high_ : ier_; break;
    case kIirFcr: value = ReadIdentification(); break;
    case kLcr: value = lcr_; break;
    case kMcr: value = mcr_; break;
    case kLsr: value = ReadLineStatus(); break;
    case kMsr: value = ReadModemStatus(); break;
    case kScratch: value = scratch_; break;
  }
  UpdateOutput();
  return value;
}

void Uart::Write(const Access& access, uint64_t value) {
  const uint8_t byte = static_cast<uint8_t>(value);
  switch (access.offset) {
    case kData:
      if (divisor_access()) {
        divisor_low_ = byte;
      } else {
        WriteTransmitter(byte);
      }
      break;
    case kIer:
      if (divisor_access()) {
        divisor_high_ = byte;
      } else {
        WriteEnables(byte);
      }
      break;
    case kIirFcr: WriteFifoControl(byte); break;
    case kLcr: WriteLineControl(byte); break;
    case kMcr: WriteModemControl(byte); break;
    case kScratch: scratch_ = byte; break;
    default: break;  // LSR and MSR: writing is for factory tests
  }
  UpdateOutput();
}

void Uart::OnEvent(int kind) {
  switch (kind) {
    case kTransmitEvent: FinishTransmit(); break;
    case kReceiveEvent:
      if (CanReceive()) {
        PushReceived(line_.front());
        line_.pop_front();
      }
      PaceReceive();
      break;
    case kTimeoutEvent: timeout_interrupt_ = !receive_fifo_.empty(); break;
  }
  UpdateOutput();
}

void Uart::Receive(std::string_view bytes) {
  for (char byte : bytes) Arrive({static_cast<uint8_t>(byte), 0});
  PaceReceive();
}

void Uart::ReceiveBreak() {
  Arrive({0, kBreakErrors});
  PaceReceive();
}

void Uart::Arrive(Received character) {
  if (line_.size() < kMaxLine) line_.push_back(character);
}

uint8_t Uart::ReadByte() {
  timeout_interrupt_ = false;
  if (receive_fifo_.empty()) return last_received_;
  last_received_ = receive_fifo_.front().byte;
  receive_fifo_.pop_front();
  // The errors of the next character show when it comes to the top.
  if (!receive_fifo_.empty()) line_errors_ |= receive_fifo_.front().errors;
  RestartTimeout();
  PaceReceive();
  return last_received_;
}

uint8_t Uart::Identification() const {
  if ((ier_ & kEnableLineStatus) != 0 && line_errors_ != 0) return kIirLineStatus;
  if ((ier_ & kEnableReceive) != 0) {
    if (receive_fifo_.size() >= Trigger()) return kIirReceive;
    if (timeout_interrupt_ && fifos_enabled()) return kIirTimeout;
  }
  if ((ier_ & kEnableTransmit) != 0 && transmit_interrupt_) return kIirTransmit;
  if ((ier_ & kEnableModemStatus) != 0 && modem_deltas_ != 0) return kIirModemStatus;
  return kIirNone;
}

uint8_t Uart::ReadIdentification() {
  const uint8_t source = Identification();
  if (source == kIirTransmit) transmit_interrupt_ = false;
  return static_cast<uint8_t>(source | (fifos_enabled() ? kIirFifos : 0));
}

uint8_t Uart::LineStatus() const {
  uint8_t status = line_errors_;
  if (!receive_fifo_.empty()) status |= kLsrDataReady;
  if (transmit_fifo_.empty()) status |= kLsrThrEmpty;
  if (transmit_fifo_.empty() && !shifting_) status |= kLsrTransmitterEmpty;
  const bool fifo_error = std::any_of(receive_fifo_.begin(), receive_fifo_.end(),
                                      [](const Received& c) { return c.errors != 0; });
  if (fifos_enabled() && fifo_error) status |= kLsrFifoError;
  return status;
}

uint8_t Uart::ReadLineStatus() {
  const uint8_t status = LineStatus();
  line_errors_ = 0;
  if (!receive_fifo_.empty()) receive_fifo_.front().errors = 0;
  return status;
}

uint8_t Uart::ModemInputs() const {
  // A terminal that is always ready.
  if (!loopback()) return kMsrCts | kMsrDsr | kMsrDcd;
  return static_cast<uint8_t>(
      ((mcr_ & kMcrRts) != 0 ? kMsrCts : 0) | ((mcr_ & kMcrDtr) != 0 ? kMsrDsr : 0) |
      ((mcr_ & kMcrOut1) != 0 ? kMsrRing : 0) | ((mcr_ & kMcrOut2) != 0 ? kMsrDcd : 0));
}

uint8_t Uart::ReadModemStatus() {
  const uint8_t status = static_cast<uint8_t>(ModemInputs() | modem_deltas_);
  modem_deltas_ = 0;
  return status;
}

void Uart::WriteTransmitter(uint8_t byte) {
  transmit_interrupt_ = false;
  if (transmit_fifo_.size() >= Depth()) {
    if (fifos_enabled()) return;  // the FIFO is full: the byte is lost
    transmit_fifo_.clear();       // the holding register is overwritten
  }
  transmit_fifo_.push_back(byte);
  StartTransmit();
}

void Uart::Flush() {
  while (shifting_) {
    events_.Cancel(kTransmitEvent);
    FinishTransmit();
  }
}

void Uart::StartTransmit() {
  if (shifting_ || transmit_fifo_.empty()) return;
  shift_register_ = transmit_fifo_.front();
  transmit_fifo_.pop_front();
  shifting_ = true;
  if (transmit_fifo_.empty()) transmit_interrupt_ = true;
  events_.Schedule(kTransmitEvent,
                   events_.now() + TransmitCycles() + PlantedCount(Break::kUartTime));
}

void Uart::FinishTransmit() {
  if (!shifting_) return;
  shifting_ = false;
  const bool visible = (lcr_ & kLcrBreak) == 0;  // a break holds the line low
  if (visible && loopback()) {
    PushReceived({shift_register_, 0});
  } else if (visible && sink_ != nullptr) {
    sink_->OnConsoleByte(index_, events_.now(), shift_register_);
  }
  StartTransmit();
}

void Uart::PushReceived(Received character) {
  if (receive_fifo_.size() >= Depth()) {
    line_errors_ |= kLsrOverrun;
    if (fifos_enabled()) return;  // the FIFO keeps its contents
    receive_fifo_.clear();        // the buffer register is overwritten
  }
  receive_fifo_.push_back(character);
  if (receive_fifo_.size() == 1) line_errors_ |= character.errors;
  RestartTimeout();
}

void Uart::RestartTimeout() {
  timeout_interrupt_ = false;
  if (fifos_enabled() && !receive_fifo_.empty()) {
    events_.Schedule(kTimeoutEvent, events_.now() + kTimeoutCharacters * ReceiveCycles());
  } else {
    events_.Cancel(kTimeoutEvent);
  }
}

bool Uart::CanReceive() const {
  const bool ready = (mcr_ & kMcrRts) != 0 && !loopback();
  return ready && !line_.empty() && receive_fifo_.size() < Depth();
}

void Uart::PaceReceive() {
  if (!CanReceive()) return;
  if (events_.DueCycle(kReceiveEvent) != kNever) return;
  events_.Schedule(kReceiveEvent, events_.now() + ReceiveCycles());
}

void Uart::WriteEnables(uint8_t value) {
  // Enabling the interrupt of an empty transmitter raises it at once.
  const uint8_t enabled = value & ~ier_;
  if ((enabled & kEnableTransmit) != 0 && transmit_fifo_.empty()) transmit_interrupt_ = true;
  ier_ = value & 0x0f;
}

void Uart::ClearReceiver() {
  receive_fifo_.clear();
  timeout_interrupt_ = false;
  events_.Cancel(kTimeoutEvent);
  PaceReceive();
}

void Uart::ClearTransmitter() {
  transmit_fifo_.clear();  // not the shift register
  transmit_interrupt_ = true;
}

void Uart::WriteFifoControl(uint8_t value) {
  const bool enable = (value & kFcrEnable) != 0;
  const bool switched = enable != fifos_enabled();
  // Without the enable bit the others are not programmed (PC16550D, FCR bit 0).
  fcr_ = enable ? value & kFcrStored : 0;
  if (switched || (enable && (value & kFcrClearReceiver) != 0)) ClearReceiver();
  if (switched || (enable && (value & kFcrClearTransmitter) != 0)) ClearTransmitter();
}

void Uart::WriteLineControl(uint8_t value) {
  const bool break_begins = (value & ~lcr_ & kLcrBreak) != 0;
  lcr_ = value;
  if (break_begins && loopback()) PushReceived({0, kBreakErrors});
}

void Uart::WriteModemControl(uint8_t value) {
  const uint8_t before = ModemInputs();
  mcr_ = value & kMcrWritable;
  const uint8_t after = ModemInputs();
  const uint8_t changed = (before ^ after) & (kMsrCts | kMsrDsr | kMsrDcd);
  modem_deltas_ |= changed >> 4;
  if ((before & ~after & kMsrRing) != 0) modem_deltas_ |= kMsrRingEnded;
  PaceReceive();
}

void Uart::UpdateOutput() {
  // In a super I/O chip it is the bit OUT2 that enables the interrupt line, not a pin, which would
  // be inactive in loopback. "In the diagnostic mode, the receiver and transmitter interrupts are
  // fully operational", and the modem's from the looped bits (PC16550D, section 8.6.4, MCR bit 4).
  const bool driven = (mcr_ & kMcrOut2) != 0;
  output_.Set(driven && Identification() != kIirNone);
}

template <typename Visitor, typename Self>
void Uart::Walk(Visitor& visitor, Self& self) {
  visitor.Section("uart16550");
  visitor.Field("ier", self.ier_);
  visitor.Field("fcr", self.fcr_);
  visitor.Field("lcr", self.lcr_);
  visitor.Field("mcr", self.mcr_);
  visitor.Field("scratch", self.scratch_);
  visitor.Field("divisor_low", self.divisor_low_);
  visitor.Field("divisor_high", self.divisor_high_);
  visitor.Field("modem_deltas", self.modem_deltas_);
  visitor.Field("line_errors", self.line_errors_);
  visitor.Field("transmit_interrupt", self.transmit_interrupt_);
  visitor.Field("timeout_interrupt", self.timeout_interrupt_);
  visitor.Field("last_received", self.last_received_);
  visitor.Field("shifting", self.shifting_);
  visitor.Field("shift_register", self.shift_register_);
  visitor.Field("receive_fifo", self.receive_fifo_, kFifoSize);
  visitor.Field("transmit_fifo", self.transmit_fifo_, kFifoSize);
  visitor.Field("line", self.line_, kMaxLine);
}

void Uart::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void Uart::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
