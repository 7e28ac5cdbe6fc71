// The interval timer of the ISA bridge, with port 0x61.

#ifndef ISOCHRON_MACHINE_DEVICES_I8254_H_
#define ISOCHRON_MACHINE_DEVICES_I8254_H_

#include <array>
#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"

namespace isochron::machine {

// One counter of an 8254 (Intel 8254 data sheet, order number 231164). Time is a number of
// clock pulses; nothing happens pulse by pulse: every state is computed from the pulse at
// which the count was loaded. Calls come with pulses that never decrease.
class PitCounter {
 public:
  static constexpr uint64_t kNoEdge = kNever;

  explicit PitCounter(bool gate) : gate_(gate) {}

  // Loads what became due up to `tick`. Every other function expects this to be done.
  void Sync(uint64_t tick);

  // A control word for this counter: `access` 1 low, 2 high, 3 low then high byte.
  void SetMode(uint64_t tick, int access, int mode, bool bcd);
  void WriteByte(uint64_t tick, uint8_t value);
  uint8_t ReadByte(uint64_t tick);
  void LatchCount(uint64_t tick);
  void LatchStatus(uint64_t tick);
  void SetGate(uint64_t tick, bool level);

  bool Output(uint64_t tick) const;
  // The next pulse after `tick` at which the output may change, or kNoEdge.
  uint64_t NextEdge(uint64_t tick) const;

  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  bool IsPeriodic() const { return mode_ == 2 || mode_ == 3; }
  bool IsTriggered() const { return mode_ == 1 || mode_ == 5; }
  uint32_t Modulus() const { return bcd_ ? 10000 : 0x10000; }
  // The count register as a number of pulses: 0 stands for the modulus.
  uint32_t LoadedCount() const;
  uint64_t Elapsed(uint64_t tick) const { return paused_ ? held_elapsed_ : tick - start_; }
  // Mode 3: whether the output is high, `phase` pulses into a period, and where that half ends.
  bool HighHalf(uint64_t phase, uint64_t& half_start, uint64_t& half_end) const;
  uint32_t Value(uint64_t tick) const;
  uint16_t ReadableCount(uint64_t tick) const;
  void CountWritten(uint64_t tick);
  // Stops counting: the counting element keeps what it shows.
  void Stop(uint64_t tick);

  uint8_t mode_ = 0;
  uint8_t access_ = 3;
  bool bcd_ = false;
  bool gate_;
  uint16_t register_ = 0;  // CR
  uint8_t first_byte_ = 0;
  bool second_write_ = false;
  bool second_read_ = false;
  bool null_count_ = true;
  bool count_latched_ = false;
  uint16_t latched_count_ = 0;
  bool status_latched_ = false;
  uint8_t latched_status_ = 0;

  bool running_ = false;      // a count is in the counting element
  uint32_t count_ = 0x10000;  // its initial value, in pulses
  uint64_t start_ = 0;        // the pulse that loaded it
  bool starts_low_ = false;   // mode 3: that pulse began a low half
  bool paused_ = false;       // the gate holds the count
  uint64_t held_elapsed_ = 0;
  uint32_t held_value_ = 0;  // shown while not running
  bool load_pending_ = false;
  uint64_t load_at_ = 0;
};

// The 8254 with clock 1.193182 MHz. Offsets 0 to 3: ports 0x40 to 0x43; offset 4: port 0x61.
// Counter 0 drives an interrupt line, counter 1 the refresh, counter 2 the speaker.
class Pit final : public RegisterDevice {
 public:
  static constexpr uint64_t kClockHz = 1193182;

  Pit(EventQueue& events, IrqLine output) : events_(events, *this), output_(output) {}

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  static constexpr int kEdge = 0;  // event kind

  // Pulses of the clock since cycle 0.
  uint64_t Tick() const { return CyclesToTicks(events_.now(), kClockHz, events_.hz()); }
  void WriteControl(uint64_t tick, uint8_t value);
  uint8_t ReadPort61(uint64_t tick) const;
  // Drives counter 0's line and schedules its next edge.
  void UpdateOutput(uint64_t tick);

  EventPort events_;
  IrqLine output_;
  std::array<PitCounter, 3> counters_{PitCounter(true), PitCounter(true), PitCounter(false)};
  uint8_t port61_ = 0;  // bits <3:0>
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_I8254_H_
