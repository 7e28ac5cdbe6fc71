// A driver for tests of the 21143: registers, and descriptors in memory, driven by hand.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_TESTING_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_TESTING_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "machine/bus/pci_testing.h"
#include "machine/devices/network/network_testing.h"
#include "machine/devices/tulip/tulip.h"

namespace isochron::machine {

struct SinkOfTulip {
  static constexpr StationAddress kMac = {0x08, 0x00, 0x2b, 0x12, 0x34, 0x56};
  FakeFrameSink sink;
};

// The card, and the hands of its driver. RAM is behind a window at 2 GiB; addresses here count from
// its start.
class TulipRig : public SinkOfTulip, public PciRig<Tulip> {
 public:
  // Rings of descriptors, and the buffers of their entries.
  static constexpr uint32_t kReceiveRing = 0x10000, kSendRing = 0x20000, kBuffers = 0x40000;
  static constexpr uint32_t kOwn = TulipDescriptor::kOwn;

  TulipRig() : PciRig(&sink, kMac) {}

  uint32_t In(int csr) {
    return static_cast<uint32_t>(bus.io().Read({kIoBase + 8u * static_cast<uint32_t>(csr), 4}));
  }
  void Out(int csr, uint32_t value) {
    bus.io().Write({kIoBase + 8u * static_cast<uint32_t>(csr), 4}, value);
  }
  static uint32_t Bus(uint32_t at) { return static_cast<uint32_t>(TestRam::kWindow) + at; }
  void Describe(uint32_t at, uint32_t status, uint32_t control, uint32_t first,
                uint32_t second = 0) {
    memory.Put(at, std::array<uint32_t, 4>{status, control, first, second});
  }
  uint32_t StatusAt(uint32_t at) const { return memory.Get<uint32_t>(at); }
  // Makes the next descriptor of the ring that is sent one of a whole frame.
  uint32_t AddFrame(std::string_view frame, uint32_t more = 0) {
    const uint32_t at = kSendRing + 16 * sends;
    const uint32_t buffer = kBuffers + 0x20000 + 0x1000 * sends++;
    memory.Fill(buffer, frame);
    Describe(at, kOwn,
             TulipTransmit::kFirst | TulipTransmit::kLast | TulipTransmit::kInterrupt | more |
                 static_cast<uint32_t>(frame.size()),
             Bus(buffer));
    return at;
  }
  // The same of one to receive into.
  uint32_t AddBuffer(uint32_t size = 1536) {
    const uint32_t at = kReceiveRing + 16 * receives;
    Describe(at, kOwn, size, Bus(kBuffers + 0x800 * receives++));
    return at;
  }
  // Both processes run, and everything interrupts.
  void Start(uint32_t mode = TulipMode::kPromiscuous) {
    Out(TulipCsr::kReceiveList, Bus(kReceiveRing));
    Out(TulipCsr::kTransmitList, Bus(kSendRing));
    Out(TulipCsr::kInterrupts, ~0u);
    Out(TulipCsr::kMode, mode | TulipMode::kReceive | TulipMode::kTransmit);
  }
  void TakeFrame(std::string_view frame) {
    device.ReceiveFrame(frame);
    bench.RunFor(kLong);
  }
  bool StatusHas(uint32_t bits) { return (In(TulipCsr::kStatus) & bits) == bits; }
  uint32_t ReceiveState() { return In(TulipCsr::kStatus) >> TulipStatus::kReceiveShift & 7; }
  uint32_t TransmitState() { return In(TulipCsr::kStatus) >> TulipStatus::kTransmitShift & 7; }
  uint64_t Count(const std::string& name) const { return StateNumber(device, "tulip." + name); }

  static constexpr uint64_t kLong = 1'000'000;
  uint32_t sends = 0;
  uint32_t receives = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_TESTING_H_
