#include "machine/devices/tulip/mii_transceiver.h"

namespace isochron::machine {
namespace {

constexpr uint32_t kMiiAddress = 1;

// A frame (802.3, 22.2.4.5): start 01, operation, address, register; two bits of turnaround; data.
constexpr uint32_t kMiiHead = 14, kMiiData = 16, kMiiFrame = 32;
constexpr uint32_t kMiiStartRead = 6, kMiiStartWrite = 5;

// Registers and what is in them (22.2.4.1 to 4, 28.2.4.1).
constexpr uint32_t kMiiControl = 0, kMiiStatus = 1, kMiiIdentity1 = 2, kMiiIdentity2 = 3,
                   kMiiAdvertisement = 4, kMiiPartner = 5, kMiiExpansion = 6;
constexpr uint16_t kMiiControlReset = 0x8000, kMiiRestart = 0x0200;
constexpr uint16_t kMiiPowerOnControl = 0x3100;  // 100 Mb/s, negotiation, full duplex
constexpr uint16_t kMiiPowerOnAdvertised = 0x01e1;
constexpr uint16_t kMiiStatusValue = 0x782d;  // all of 10 and 100 Mb/s, negotiation done, link up
constexpr uint16_t kMiiIdentity1Value = 0x2000, kMiiIdentity2Value = 0x5c01;  // DP83840A
constexpr uint16_t kMiiPartnerValue = 0x45e1;  // acknowledged, all of 10 and 100 Mb/s, flow control
constexpr uint16_t kMiiExpansionValue = 0x0001;  // the partner can negotiate

}  // namespace

void MiiTransceiver::Reset() {
  BitWalk::Reset();
  control_ = kMiiPowerOnControl;
  advertised_ = kMiiPowerOnAdvertised;
}

void MiiTransceiver::Drive(bool clock, bool driven, bool data) {
  if (Rises(clock)) Step(!driven || data);
}

void MiiTransceiver::Step(bool data) {
  if (bits_ == 0 && data) return;  // the preamble, of any length
  // Of a frame that reads the shift register holds what is read, and says so.
  const bool reads = bits_ >= kMiiHead && (shift_ >> 31) != 0;
  if (!reads) {
    Shift(data);
    shift_ &= 0x7fffffff;
  }
  ++bits_;
  if (bits_ == kMiiHead) {
    const bool ours = (shift_ >> 5 & 0x1f) == kMiiAddress;
    const uint32_t start = shift_ >> 10;
    // A register is taken when it is asked for.
    if (start == kMiiStartRead && ours) {
      shift_ = uint32_t{1} << 31 | Read(shift_ & 0x1f);
    } else if (start != kMiiStartRead && start != kMiiStartWrite) {
      bits_ = shift_ = 0;
    }
  }
  if (reads) {
    output_ =
        bits_ >= kMiiData && bits_ < kMiiFrame && (shift_ >> (kMiiFrame - 1 - bits_) & 1) != 0;
  }
  if (bits_ < kMiiFrame) return;
  const uint32_t head = shift_ >> (kMiiFrame - kMiiHead);
  if (!reads && head >> 10 == kMiiStartWrite && (head >> 5 & 0x1f) == kMiiAddress) {
    Write(head & 0x1f, static_cast<uint16_t>(shift_));
  }
  bits_ = shift_ = 0;
  output_ = true;
}

uint16_t MiiTransceiver::Read(uint32_t number) const {
  switch (number) {
    case kMiiControl: return control_;
    case kMiiStatus: return kMiiStatusValue;
    case kMiiIdentity1: return kMiiIdentity1Value;
    case kMiiIdentity2: return kMiiIdentity2Value;
    case kMiiAdvertisement: return advertised_;
    case kMiiPartner: return kMiiPartnerValue;
    case kMiiExpansion: return kMiiExpansionValue;
    default: return 0;
  }
}

void MiiTransceiver::Write(uint32_t number, uint16_t value) {
  if (number == kMiiAdvertisement) advertised_ = value;
  if (number != kMiiControl) return;
  if ((value & kMiiControlReset) != 0) {
    control_ = kMiiPowerOnControl;
    advertised_ = kMiiPowerOnAdvertised;
  } else {
    control_ = value & static_cast<uint16_t>(~kMiiRestart);  // done at once
  }
}

}  // namespace isochron::machine
