#include "machine/devices/tulip/mii_transceiver.h"

namespace isochron::machine {
namespace {

constexpr uint32_t kAddress = 1;

// A frame (802.3, 22.2.4.5): start 01, operation, address, register; two bits of turnaround; data.
constexpr uint32_t kHead = 14, kData = 16, kFrame = 32;
constexpr uint32_t kStartRead = 6, kStartWrite = 5;

// Registers and what is in them (22.2.4.1 to 4, 28.2.4.1).
constexpr uint32_t kControl = 0, kStatus = 1, kIdentity1 = 2, kIdentity2 = 3, kAdvertisement = 4,
                   kPartner = 5, kExpansion = 6;
constexpr uint16_t kControlReset = 0x8000, kRestart = 0x0200;
constexpr uint16_t kPowerOnControl = 0x3100;  // 100 Mb/s, negotiation, full duplex
constexpr uint16_t kPowerOnAdvertised = 0x01e1;
constexpr uint16_t kStatusValue = 0x782d;  // all of 10 and 100 Mb/s, negotiation done, link up
constexpr uint16_t kIdentity1Value = 0x2000, kIdentity2Value = 0x5c01;  // DP83840A
constexpr uint16_t kPartnerValue = 0x45e1;    // acknowledged, all of 10 and 100 Mb/s, flow control
constexpr uint16_t kExpansionValue = 0x0001;  // the partner can negotiate

}  // namespace

void MiiTransceiver::Reset() {
  clock_ = false;
  output_ = true;
  bits_ = shift_ = 0;
  control_ = kPowerOnControl;
  advertised_ = kPowerOnAdvertised;
}

void MiiTransceiver::Drive(bool clock, bool driven, bool data) {
  if (clock && !clock_) Step(!driven || data);
  clock_ = clock;
}

void MiiTransceiver::Step(bool data) {
  if (bits_ == 0 && data) return;  // the preamble, of any length
  const bool reads = bits_ >= kHead && (shift_ >> 31) != 0;
  if (!reads) shift_ = (shift_ << 1 | (data ? 1 : 0)) & 0x7fffffff;
  ++bits_;
  if (bits_ == kHead) {
    const bool ours = (shift_ >> 5 & 0x1f) == kAddress;
    const uint32_t start = shift_ >> 10;
    // A register is taken when it is asked for.
    if (start == kStartRead && ours) {
      shift_ = uint32_t{1} << 31 | Read(shift_ & 0x1f);
    } else if (start != kStartRead && start != kStartWrite) {
      bits_ = shift_ = 0;
    }
  }
  if (reads) {
    output_ = bits_ >= kData && bits_ < kFrame && (shift_ >> (kFrame - 1 - bits_) & 1) != 0;
  }
  if (bits_ < kFrame) return;
  const uint32_t head = shift_ >> (kFrame - kHead);
  if (!reads && head >> 10 == kStartWrite && (head >> 5 & 0x1f) == kAddress) {
    Write(head & 0x1f, static_cast<uint16_t>(shift_));
  }
  bits_ = shift_ = 0;
  output_ = true;
}

uint16_t MiiTransceiver::Read(uint32_t number) const {
  switch (number) {
    case kControl: return control_;
    case kStatus: return kStatusValue;
    case kIdentity1: return kIdentity1Value;
    case kIdentity2: return kIdentity2Value;
    case kAdvertisement: return advertised_;
    case kPartner: return kPartnerValue;
    case kExpansion: return kExpansionValue;
    default: return 0;
  }
}

void MiiTransceiver::Write(uint32_t number, uint16_t value) {
  if (number == kAdvertisement) advertised_ = value;
  if (number != kControl) return;
  if ((value & kControlReset) != 0) {
    control_ = kPowerOnControl;
    advertised_ = kPowerOnAdvertised;
  } else {
    control_ = value & static_cast<uint16_t>(~kRestart);  // done at once
  }
}

}  // namespace isochron::machine
