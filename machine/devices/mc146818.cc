#include "machine/devices/mc146818.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kCrystalHz = 32768;

// Register A.
constexpr uint8_t kUip = 0x80;
constexpr uint8_t kDividerRuns = 0x20;
// Register B.
constexpr uint8_t kSet = 0x80;
constexpr uint8_t kPie = 0x40;
constexpr uint8_t kUie = 0x10;
constexpr uint8_t kBinary = 0x04;
constexpr uint8_t k24Hours = 0x02;
// Register C; PF, AF and UF stand where register B has their enables.
constexpr uint8_t kIrqf = 0x80;
constexpr uint8_t kPf = 0x40;
constexpr uint8_t kAf = 0x20;
constexpr uint8_t kUf = 0x10;
// Register D: RAM and time are valid.
constexpr uint8_t kVrt = 0x80;
// Hours in 12-hour mode.
constexpr uint8_t kPm = 0x80;
// An alarm register from here on matches everything.
constexpr uint8_t kAlarmAny = 0xc0;

// UIP is set 244 microseconds before an update cycle, which takes 1984 microseconds with the
// 32.768 kHz time base (MC146818A data sheet, table 5).
constexpr uint64_t kUipMicroseconds = 244 + 1984;

struct Date {
  int64_t year;
  int month;  // 1 to 12
  int day;    // 1 to 31
};

// The date of a day, counted from 1970-01-01, in the Gregorian calendar. Years start in March
// here, which puts the leap day last.
Date DateOfDay(int64_t day) {
  const int64_t shifted = day + 719468;  // days since 0000-03-01
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int shifted_month = static_cast<int>((5 * day_of_year + 2) / 153);
  const int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

// The chip knows no centuries: every fourth year is a leap year.
uint8_t DaysInMonth(uint8_t month, uint8_t year) {
  if (month == 2) return year % 4 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

}  // namespace

void Rtc::Reset() {
  address_ = 0;
  ram_.fill(0);
  // As the console leaves it: 1024 Hz, and the mode that NetBSD takes for granted.
  ram_[kRegA] = kDividerRuns | 6;
  ram_[kRegB] = kBinary | k24Hours;
  const uint64_t elapsed = events_.now() / events_.hz();
  SetTime(base_seconds_ + static_cast<int64_t>(elapsed));
  chain_start_ = elapsed * events_.hz();
  next_update_ = chain_start_ + events_.hz();
  periodic_seen_ = events_.now();
  events_.Schedule(kUpdate, next_update_);
  SchedulePeriodic();
  interrupt_.Set(false);
}

uint64_t Rtc::Read(const Access& access) {
  return access.offset == 1 ? ReadRegister() : 0xff;  // the address register is write-only
}

void Rtc::Write(const Access& access, uint64_t value) {
  if (access.offset == 0) {
    address_ = value & 0x7f;  // bit 7 masks NMI, which an Alpha does not have
  } else if (access.offset == 1) {
    WriteRegister(static_cast<uint8_t>(value));
  }
}

uint8_t Rtc::ReadRegister() {
  switch (address_) {
    case kRegA: return static_cast<uint8_t>(ram_[kRegA] | (UpdateInProgress() ? kUip : 0));
    case kRegC: return TakeRegC();
    case kRegD: return kVrt;
    default: return ram_[address_];
  }
}

void Rtc::WriteRegister(uint8_t value) {
  switch (address_) {
    case kRegA: return WriteRegA(value);
    case kRegB: return WriteRegB(value);
    case kRegC:
    case kRegD: return;
    default: ram_[address_] = value;
  }
}

void Rtc::WriteRegA(uint8_t value) {
  CatchUpPeriodic();
  const bool ran = Running();
  ram_[kRegA] = value & 0x7f;
  if (Running() && !ran) {
    // The first update comes half a second after the chain starts.
    chain_start_ = events_.now();
    next_update_ = chain_start_ + events_.hz() / 2;
    events_.Schedule(kUpdate, next_update_);
  } else if (!Running() && ran) {
    next_update_ = kNever;
    events_.Cancel(kUpdate);
  }
  SchedulePeriodic();
}

void Rtc::WriteRegB(uint8_t value) {
  CatchUpPeriodic();
  if ((value & kSet) != 0) value &= ~kUie;  // MC146818A, register B: SET clears UIE
  const bool was_asserted = Asserted();
  ram_[kRegB] = value;
  if (Asserted() != was_asserted) interrupt_.Set(Asserted());
  SchedulePeriodic();
}

uint8_t Rtc::TakeRegC() {
  CatchUpPeriodic();
  const uint8_t value = static_cast<uint8_t>(ram_[kRegC] | (Asserted() ? kIrqf : 0));
  ram_[kRegC] = 0;
  interrupt_.Set(false);
  return value;
}

uint64_t Rtc::PeriodTicks() const {
  const int rate = ram_[kRegA] & 15;
  if (rate == 0) return 0;
  return uint64_t{1} << (rate < 3 ? rate + 6 : rate - 1);
}

uint64_t Rtc::NextPeriodic(uint64_t cycle) const {
  const uint64_t period = PeriodTicks();
  if (period == 0 || !Running()) return kNever;
  const uint64_t ticks = CyclesToTicks(cycle - chain_start_, kCrystalHz, events_.hz());
  return chain_start_ + TicksToCycles((ticks / period + 1) * period, kCrystalHz, events_.hz());
}

void Rtc::CatchUpPeriodic() {
  if (NextPeriodic(periodic_seen_) <= events_.now()) ram_[kRegC] |= kPf;
  periodic_seen_ = events_.now();
}

void Rtc::SchedulePeriodic() {
  const uint64_t next = (ram_[kRegB] & kPie) != 0 ? NextPeriodic(events_.now()) : kNever;
  if (next == kNever) {
    events_.Cancel(kPeriodic);
  } else {
    events_.Schedule(kPeriodic, next);
  }
}

bool Rtc::UpdateInProgress() const {
  if (next_update_ == kNever || (ram_[kRegB] & kSet) != 0) return false;
  const uint64_t length = events_.hz() * kUipMicroseconds / 1000000;
  return events_.now() < next_update_ && events_.now() + length >= next_update_;
}

void Rtc::OnEvent(int kind) {
  if (kind == kPeriodic) {
    periodic_seen_ = events_.now();
    Raise(kPf);
    SchedulePeriodic();
    return;
  }
  next_update_ += events_.hz();
  events_.Schedule(kUpdate, next_update_);
  if ((ram_[kRegB] & kSet) != 0) return;
  CountUp();
  Raise(static_cast<uint8_t>(kUf | (AlarmMatches() ? kAf : 0)));
}

void Rtc::Raise(uint8_t flags) {
  ram_[kRegC] |= flags;
  if ((flags & ram_[kRegB]) == 0) return;
  interrupt_.Set(false);
  interrupt_.Set(true);
}

void Rtc::SetTime(int64_t seconds_since_1970) {
  const int64_t days = seconds_since_1970 / 86400;
  const int64_t second = seconds_since_1970 % 86400;
  const Date date = DateOfDay(days);
  const auto encode = [this](int64_t value) { return EncodeTime(static_cast<uint8_t>(value)); };
  ram_[kSeconds] = encode(second % 60);
  ram_[kMinutes] = encode(second / 60 % 60);
  ram_[kHours] = EncodeHour(static_cast<uint8_t>(second / 3600));
  ram_[kDayOfWeek] = encode((days + 4) % 7 + 1);  // 1 is Sunday; 1970 began on a Thursday
  ram_[kDayOfMonth] = encode(date.day);
  ram_[kMonth] = encode(date.month);
  ram_[kYear] = encode(date.year % 100);
  ram_[kCentury] = encode(date.year / 100);
}

bool Rtc::Step(int reg, uint8_t first, uint8_t last) {
  const uint8_t value = DecodeTime(ram_[reg]);
  const bool wraps = value >= last;
  ram_[reg] = EncodeTime(wraps ? first : static_cast<uint8_t>(value + 1));
  return wraps;
}

void Rtc::CountUp() {
  if (!Step(kSeconds, 0, 59) || !Step(kMinutes, 0, 59)) return;
  const uint8_t hour = DecodeHour(ram_[kHours]);
  ram_[kHours] = EncodeHour(hour >= 23 ? 0 : static_cast<uint8_t>(hour + 1));
  if (hour < 23) return;
  Step(kDayOfWeek, 1, 7);
  const uint8_t days = DaysInMonth(DecodeTime(ram_[kMonth]), DecodeTime(ram_[kYear]));
  if (!Step(kDayOfMonth, 1, days) || !Step(kMonth, 1, 12) || !Step(kYear, 0, 99)) return;
  Step(kCentury, 0, 99);
}

bool Rtc::AlarmMatches() const {
  const auto matches = [this](int alarm, int time) {
    return ram_[alarm] >= kAlarmAny || ram_[alarm] == ram_[time];
  };
  return matches(kSecondsAlarm, kSeconds) && matches(kMinutesAlarm, kMinutes) &&
         matches(kHoursAlarm, kHours);
}

uint8_t Rtc::DecodeTime(uint8_t value) const {
  if ((ram_[kRegB] & kBinary) != 0) return value;
  return static_cast<uint8_t>((value >> 4) * 10 + (value & 15));
}

uint8_t Rtc::EncodeTime(uint8_t value) const {
  if ((ram_[kRegB] & kBinary) != 0) return value;
  return static_cast<uint8_t>(value / 10 % 10 << 4 | value % 10);
}

uint8_t Rtc::DecodeHour(uint8_t value) const {
  if ((ram_[kRegB] & k24Hours) != 0) return DecodeTime(value);
  const int hour = DecodeTime(value & ~kPm) % 12;  // 12 stands for 0
  return static_cast<uint8_t>(hour + ((value & kPm) != 0 ? 12 : 0));
}

uint8_t Rtc::EncodeHour(uint8_t hour) const {
  if ((ram_[kRegB] & k24Hours) != 0) return EncodeTime(hour);
  const uint8_t twelve = EncodeTime(static_cast<uint8_t>(hour % 12 == 0 ? 12 : hour % 12));
  return static_cast<uint8_t>(twelve | (hour >= 12 ? kPm : 0));
}

template <typename Visitor, typename Self>
void Rtc::Walk(Visitor& visitor, Self& self) {
  visitor.Section("mc146818");
  visitor.Field("address", self.address_);
  visitor.Field("ram", self.ram_);
  visitor.Field("chain_start", self.chain_start_);
  visitor.Field("next_update", self.next_update_);
  visitor.Field("periodic_seen", self.periodic_seen_);
}

void Rtc::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void Rtc::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  address_ &= 0x7f;
  if (chain_start_ > events_.now() || periodic_seen_ > events_.now()) {
    reader.Fail("the clock of the MC146818 starts in the future");
  }
  if (next_update_ != events_.DueCycle(kUpdate)) {
    reader.Fail("the next update of the MC146818 is not the one that is due");
  }
}

}  // namespace isochron::machine
