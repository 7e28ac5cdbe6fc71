// Registers and descriptors of a 21143.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_REGISTERS_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_REGISTERS_H_

#include <cstddef>
#include <cstdint>

namespace isochron::machine {

// Intel 21143 PCI/CardBus 10/100Mb/s Ethernet LAN Controller Hardware Reference Manual
// (278074-001), chapters 3 and 4. Register n is at 8 n.
struct TulipCsr {
  static constexpr int kBusMode = 0, kTransmitPoll = 1, kReceivePoll = 2, kReceiveList = 3,
                       kTransmitList = 4, kStatus = 5, kMode = 6, kInterrupts = 7, kMissed = 8,
                       kRom = 9, kTimer = 11, kSiaStatus = 12, kCount = 16;
};
// CSR0.
struct TulipBusMode {
  static constexpr uint32_t kReset = 1u << 0, kBigDescriptors = 1u << 20;
  static constexpr int kSkipShift = 2;
  static constexpr uint32_t kSkipMask = 0x1f;  // longwords between descriptors
};
// CSR5; CSR7 has the same bits up to kNormal.
struct TulipStatus {
  static constexpr uint32_t kTransmitted = 1u << 0, kTransmitStopped = 1u << 1,
                            kNoTransmitBuffer = 1u << 2, kJabber = 1u << 3, kReceived = 1u << 6,
                            kNoReceiveBuffer = 1u << 7, kReceiveStopped = 1u << 8,
                            kTimer = 1u << 11, kBusError = 1u << 13, kAbnormal = 1u << 15,
                            kNormal = 1u << 16;
  // What makes each of the two summaries.
  static constexpr uint32_t kNormalCauses = 0x4845, kAbnormalCauses = 0x0c0037ba;
  static constexpr uint32_t kCauses = kNormalCauses | kAbnormalCauses;
  static constexpr int kReceiveShift = 17, kTransmitShift = 20, kErrorShift = 23;
  static constexpr uint32_t kErrorMasterAbort = 1, kErrorTargetAbort = 2;
};
// The states of both processes, as far as a driver can find them there.
struct TulipProcess {
  static constexpr uint32_t kStopped = 0;
  static constexpr uint32_t kReceiveWaiting = 3, kReceiveSuspended = 4;
  static constexpr uint32_t kTransmitFetching = 1, kTransmitSending = 2, kTransmitSuspended = 6;
};
// CSR6.
struct TulipMode {
  static constexpr uint32_t kHash = 1u << 0, kReceive = 1u << 1, kHashOnly = 1u << 2,
                            kInverse = 1u << 4, kPromiscuous = 1u << 6, kAllGroups = 1u << 7,
                            kLoopback = 3u << 10, kTransmit = 1u << 13, kAll = 1u << 30;
};
// CSR8, as far as it is kept.
struct TulipMissed {
  static constexpr uint32_t kMask = 0xffff, kOverflow = 1u << 16;
};
// CSR9.
struct TulipRom {
  static constexpr uint32_t kSelect = 1u << 0, kClock = 1u << 1, kIn = 1u << 2, kOut = 1u << 3,
                            kSerialRom = 1u << 11, kMiiClock = 1u << 16, kMiiOut = 1u << 17,
                            kMiiRead = 1u << 18, kMiiIn = 1u << 19;
};
// CSR11.
struct TulipTimer {
  static constexpr uint32_t kMask = 0xffff, kAgain = 1u << 16;
};

// A descriptor: four longwords (4.2).
struct TulipDescriptor {
  uint32_t status = 0;
  uint32_t control = 0;
  uint32_t buffers[2] = {};

  static constexpr uint32_t kOwn = 1u << 31;                             // of the status
  static constexpr uint32_t kChained = 1u << 24, kEndOfRing = 1u << 25;  // of the control
  static constexpr int kSizeBits = 11;

  // The bytes of a buffer.
  size_t size(int buffer) const {
    if (buffer == 1 && (control & kChained) != 0) return 0;
    return control >> (kSizeBits * buffer) & ((1u << kSizeBits) - 1);
  }
};
struct TulipReceive {
  static constexpr uint32_t kTooLong = 1u << 7, kLast = 1u << 8, kFirst = 1u << 9,
                            kGroup = 1u << 10, kType = 1u << 5, kCut = 1u << 14, kError = 1u << 15,
                            kFilterFailed = 1u << 30;
  static constexpr int kLengthShift = 16;
};
struct TulipTransmit {
  static constexpr uint32_t kJabber = 1u << 14, kError = 1u << 15;  // of the status
  static constexpr uint32_t kFilter0 = 1u << 22, kNoPadding = 1u << 23, kHasCrc = 1u << 26,
                            kSetup = 1u << 27, kFilter1 = 1u << 28, kFirst = 1u << 29,
                            kLast = 1u << 30, kInterrupt = 1u << 31;  // of the control
  static constexpr uint32_t kSetupDone = 0x7fffffff;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_REGISTERS_H_
