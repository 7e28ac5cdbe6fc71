// The 21143, the Ethernet controller of an ES40.

#ifndef ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_H_
#define ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "alpha/state_visitor.h"
#include "machine/bus/access.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/frame_sink.h"
#include "machine/bus/input_line.h"
#include "machine/bus/pci_function.h"
#include "machine/devices/network/ethernet.h"
#include "machine/devices/tulip/address_filter.h"
#include "machine/devices/tulip/mii_transceiver.h"
#include "machine/devices/tulip/serial_rom.h"
#include "machine/devices/tulip/tulip_registers.h"

namespace isochron::machine {

// A card with a 21143 (its hardware reference manual, 278074-001), a serial ROM and a transceiver
// on its MII. The link is always up, at 100 Mb/s; what SIA, SYM and the general purpose port are
// told changes nothing.
//
// A descriptor of what is sent is read in an event of its own; the frame leaves, and the descriptor
// of its last part is closed, when its time on the wire is over. A frame that arrives is written in
// one event. Memory that does not answer stops both processes with a bus error.
class Tulip final : public PciFunction, public InputLine {
 public:
  // A frame that is longer is jabber.
  static constexpr size_t kMostSent = 2048;
  // More descriptors than that a frame that arrives does not take.
  static constexpr int kMostDescriptors = 64;

  // `sink` may be nullptr; it and `events` must outlive the device.
  Tulip(EventQueue& events, FrameSink* sink, const StationAddress& mac, int interrupt_pin = 1);

  // Only frames come in here.
  void Receive(std::string_view /*bytes*/) override {}
  size_t waiting() const override { return 0; }
  void ReceiveFrame(std::string_view frame) override;

  void Reset() override;
  uint64_t ReadBar(int bar, const Access& access) override;
  void WriteBar(int bar, const Access& access, uint64_t value) override;
  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  // Event kinds: to look at the next descriptor of what is sent; the frame has left; one has
  // arrived; the general purpose timer has run out.
  static constexpr int kFetch = 0, kSent = 1, kArrived = 2, kTimeout = 3;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // All but the wires and what is behind them.
  void ResetController();

  uint32_t ReadCsr(int number);
  // What a write of part of a register leaves of it; zeros of one that does not keep what is
  // written.
  uint32_t KeptCsr(int number) const;
  void WriteCsr(int number, uint32_t value);
  uint32_t ReadStatus() const;
  uint32_t ReadMode() const;
  uint32_t ReadRom() const;
  uint32_t TakeMissed();
  void WriteMode(uint32_t value);
  void WriteRom(uint32_t value);
  void WriteTimer(uint32_t value);
  uint32_t TimerLeft() const;

  void Raise(uint32_t causes);
  uint32_t Summary() const;
  void UpdateInterrupt();
  // Whether the descriptors of a frame have been fetched in part; whether the next one is now.
  bool HasBegunFrame() const;
  bool IsInsideFrame() const;
  void StopTransmit();
  void StopReceive();
  // Memory has not answered.
  void FailBus(DmaResult result);

  // False when memory has not answered, so with those below.
  bool ReadDescriptor(uint32_t address, TulipDescriptor& descriptor);
  bool WriteDescriptorStatus(uint32_t address, uint32_t status);
  uint32_t NextDescriptor(const TulipDescriptor& descriptor, uint32_t at, uint32_t list) const;

  void StartFetching();
  void Fetch();
  bool TakeSetup(const TulipDescriptor& descriptor);
  bool AppendBuffers(const TulipDescriptor& descriptor);
  void Send();
  // What leaves of the frame that has been put together.
  std::string FrameToSend() const;
  void Transmit(const std::string& frame);

  // From the wire, or from itself.
  void Arrive(std::string_view frame);
  // What is on its way from where the chip no longer listens.
  void LoseArriving();
  void ScheduleArrival();
  // Goes on with receiving where it had run out of descriptors, if there is one now.
  void PollReceive();
  // Whether the driver has got it, or was not meant to.
  bool Deliver(std::string_view frame);
  bool Store(std::span<const uint8_t> frame, uint32_t status);
  bool FillBuffers(const TulipDescriptor& descriptor, std::span<const uint8_t> frame, size_t& done);
  // There is no descriptor for what has arrived, or for all of it. False.
  bool RunOut(bool owned_one);

  EventPort events_;
  FrameSink* const sink_;
  SerialRom rom_;
  MiiTransceiver transceiver_;
  AddressFilter filter_;
  ArrivingFrames arriving_;

  uint32_t bus_mode_ = 0;
  uint32_t causes_ = 0;  // of CSR5
  uint32_t bus_error_ = 0;
  uint32_t mode_ = 0;  // CSR6 without what the filter shows
  uint32_t interrupts_ = 0;
  uint32_t missed_ = 0;
  uint32_t rom_lines_ = 0;  // as CSR9 was written
  uint32_t timer_ = 0;
  uint32_t others_[TulipCsr::kCount] = {};  // CSR10 and from CSR13 on
  uint32_t receive_list_ = 0;
  uint32_t receive_at_ = 0;
  uint32_t receive_state_ = 0;
  uint32_t transmit_list_ = 0;
  uint32_t transmit_at_ = 0;
  uint32_t transmit_state_ = 0;
  // The frame that is put together or sent, and its last descriptor with what holds of the first.
  std::string frame_;
  uint32_t last_at_ = 0;
  uint32_t last_control_ = 0;
  // Counts since power-on.
  uint64_t sent_ = 0;
  uint64_t send_drops_ = 0;
  uint64_t received_ = 0;
  uint64_t receive_drops_ = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_TULIP_TULIP_H_
