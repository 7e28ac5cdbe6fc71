// The clock chip of the ISA bridge.

#ifndef ISOCHRON_MACHINE_DEVICES_MC146818_H_
#define ISOCHRON_MACHINE_DEVICES_MC146818_H_

#include <array>
#include <cstdint>

#include "alpha/state_visitor.h"
#include "machine/bus/device.h"
#include "machine/bus/event_queue.h"

namespace isochron::machine {

// An MC146818 with the 128 bytes and the century register of its successors (Motorola
// MC146818A data sheet; Dallas DS12885 for the divider settings). Offsets 0 and 1: ports 0x70
// (address) and 0x71 (data).
//
// The time base is 32.768 kHz derived from the cycle counter. Time stands in the registers and
// is counted up once a second, as the chip does it, so whatever a guest writes there is kept.
class Rtc final : public RegisterDevice {
 public:
  // `base_seconds`: what the clock shows at cycle 0, in seconds since 1970-01-01 (UTC); years
  // 1970 to 9999. At a later Reset it shows that plus the guest seconds that have passed.
  //
  // `interrupt` is asserted while an enabled flag is set in register C. Each enabled event
  // also gives a new rising edge when the line is high already, because on this board it is
  // the interval timer of the Cchip and operating systems do not read register C for it.
  Rtc(EventQueue& events, IrqLine interrupt, int64_t base_seconds)
      : events_(events, *this), interrupt_(interrupt), base_seconds_(base_seconds) {}

  void Reset() override;
  uint64_t Read(const Access& access) override;
  void Write(const Access& access, uint64_t value) override;
  void OnEvent(int kind) override;
  void VisitState(alpha::StateVisitor& visitor) const override;
  void RestoreState(alpha::StateReader& reader) override;

  // Registers of the time and control area.
  static constexpr int kSeconds = 0x00, kSecondsAlarm = 0x01, kMinutes = 0x02, kMinutesAlarm = 0x03,
                       kHours = 0x04, kHoursAlarm = 0x05, kDayOfWeek = 0x06, kDayOfMonth = 0x07,
                       kMonth = 0x08, kYear = 0x09, kRegA = 0x0a, kRegB = 0x0b, kRegC = 0x0c,
                       kRegD = 0x0d, kCentury = 0x32;

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // Event kinds.
  static constexpr int kUpdate = 0;
  static constexpr int kPeriodic = 1;

  uint8_t ReadRegister();
  void WriteRegister(uint8_t value);
  void WriteRegA(uint8_t value);
  void WriteRegB(uint8_t value);
  uint8_t TakeRegC();

  // Whether the divider chain counts.
  bool Running() const { return (ram_[kRegA] & 0x70) == 0x20; }
  // Pulses of 32.768 kHz between two periodic events; 0 for none.
  uint64_t PeriodTicks() const;
  // The cycle of the first periodic event after `cycle`, or kNever.
  uint64_t NextPeriodic(uint64_t cycle) const;
  bool UpdateInProgress() const;

  // Writes a time of day into the registers in the mode that register B gives.
  void SetTime(int64_t seconds_since_1970);
  void CountUp();
  bool AlarmMatches() const;
  uint8_t DecodeTime(uint8_t value) const;
  uint8_t EncodeTime(uint8_t value) const;
  uint8_t DecodeHour(uint8_t value) const;
  uint8_t EncodeHour(uint8_t hour) const;
  // Adds one to a register that runs from `first` to `last`; true when it starts again.
  bool Step(int reg, uint8_t first, uint8_t last);

  // Sets flags in register C and drives the line.
  void Raise(uint8_t flags);
  // Sets PF when a period has ended since it was last read.
  void CatchUpPeriodic();
  void SchedulePeriodic();
  bool Asserted() const { return (ram_[kRegC] & ram_[kRegB] & 0x70) != 0; }

  EventPort events_;
  IrqLine interrupt_;
  int64_t base_seconds_;

  uint8_t address_ = 0;
  // Registers A, B and C are stored without UIP and IRQF, which are computed.
  std::array<uint8_t, 128> ram_{};
  uint64_t chain_start_ = 0;    // the cycle at which the divider chain was zero
  uint64_t next_update_ = 0;    // the cycle at which the next second shows; kNever: stopped
  uint64_t periodic_seen_ = 0;  // periodic events up to this cycle are in PF or were read
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DEVICES_MC146818_H_
