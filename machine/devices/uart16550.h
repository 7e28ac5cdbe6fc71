// A serial port.

#ifndef ISOCHRON_MACHINE_DEVICES_UART16550_H_
#define ISOCHRON_MACHINE_DEVICES_UART16550_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "alpha/state_visitor.h"
#include "machine/bus/console.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"
#include "machine/bus/input_line.h"

namespace isochron::machine {

// A 16550A (National PC16550D data sheet, June 1995). Offsets 0 to 7 are its registers.
//
// The line does not run at the programmed rate: bytes go at kTransmitHz and kReceiveHz whatever
// the divisor says, because an operating system that polls for each byte of a boot log at 9600
// baud would spend its guest time, and the host's, on waiting. The order of events is the
// chip's.
//
// Input is never lost by overrun: whoever sends waits while RTS is off or the receiver has no
// room. So what is typed before the guest opens the port is there when it does, as long as the
// guest raises RTS afterwards. Only loopback can overrun.
class Uart final : public RegisterDevice, public InputLine {
 public:
  static constexpr uint64_t kTransmitHz = 500'000;  // bytes a second out
  static constexpr uint64_t kReceiveHz = 100'000;   // bytes a second in
  // The most characters that wait on the line; what comes beyond is dropped.
  static constexpr size_t kMaxLine = size_t{1} << 20;

  // `index`: 0 or 1, what `sink` (may be nullptr) is told. `output`: the interrupt line.
  Uart(int index, EventQueue& events, ConsoleSink* sink, IrqLine output)
      : index_(index), events_(events, *this), sink_(sink), output_(output) {}

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

  // Bytes arrive on the line from outside.
  void Receive(std::string_view bytes) override;
  // A break arrives, behind what is on the line: a null character with LSR<BI> and, since its stop
  // bit is missing, LSR<FE>.
  void ReceiveBreak() override;
  // Sends at once what is in the transmitter: the last words of a guest that powers off while
  // the wire is still busy.
  void Flush() override;
  // Characters that the receiver has not taken from the line yet.
  size_t waiting() const override { return line_.size(); }

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  static constexpr int kTransmitEvent = 0;
  static constexpr int kReceiveEvent = 1;
  static constexpr int kTimeoutEvent = 2;
  static constexpr size_t kFifoSize = 16;

  // A character in the receive FIFO with the LSR error bits that came with it.
  struct Received {
    uint8_t byte = 0;
    uint8_t errors = 0;

    template <typename Visitor, typename Self>
    static void Walk(Visitor& visitor, Self& self) {
      visitor.Field("byte", self.byte);
      visitor.Field("errors", self.errors);
    }
  };

  uint64_t TransmitCycles() const { return events_.hz() / kTransmitHz; }
  uint64_t ReceiveCycles() const { return events_.hz() / kReceiveHz; }

  bool fifos_enabled() const;
  bool loopback() const;
  bool divisor_access() const;
  // How many characters the receiver or the transmitter can hold now.
  size_t Depth() const { return fifos_enabled() ? kFifoSize : 1; }
  size_t Trigger() const;

  uint8_t ReadByte();
  uint8_t ReadIdentification();
  uint8_t ReadLineStatus();
  uint8_t LineStatus() const;
  uint8_t ReadModemStatus();
  void WriteTransmitter(uint8_t byte);
  void WriteEnables(uint8_t value);
  void WriteFifoControl(uint8_t value);
  void WriteLineControl(uint8_t value);
  void WriteModemControl(uint8_t value);

  // The interrupt that IIR reports: its code, bit 0 set for none.
  uint8_t Identification() const;
  void UpdateOutput();
  // Moves a byte into the transmit shift register when that is empty.
  void StartTransmit();
  void FinishTransmit();
  // Puts a character into the receive FIFO, or counts an overrun.
  void PushReceived(Received character);
  void RestartTimeout();
  // Puts a character on the line, if that has room.
  void Arrive(Received character);
  // Whether the sender may send a byte now.
  bool CanReceive() const;
  // Schedules the next byte from the line when it can be received.
  void PaceReceive();
  void ClearReceiver();
  void ClearTransmitter();
  uint8_t ModemInputs() const;

  const int index_;
  EventPort events_;
  ConsoleSink* sink_;
  IrqLine output_;

  uint8_t ier_ = 0;
  uint8_t fcr_ = 0;
  uint8_t lcr_ = 0;
  uint8_t mcr_ = 0;
  uint8_t scratch_ = 0;
  uint8_t divisor_low_ = 0;
  uint8_t divisor_high_ = 0;
  uint8_t modem_deltas_ = 0;  // MSR <3:0>
  uint8_t line_errors_ = 0;   // LSR <4:1>
  bool transmit_interrupt_ = false;
  bool timeout_interrupt_ = false;

  std::deque<Received> receive_fifo_;
  uint8_t last_received_ = 0;  // what an empty receiver reads as
  std::deque<uint8_t> transmit_fifo_;
  bool shifting_ = false;
  uint8_t shift_register_ = 0;
  std::deque<Received> line_;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_UART16550_H_
