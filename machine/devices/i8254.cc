#include "machine/devices/i8254.h"

#include <algorithm>

#include "machine/events/planted_breaks.h"

namespace isochron::machine {
namespace {

uint32_t FromBcd(uint16_t bcd) {
  return (bcd >> 12 & 15) * 1000 + (bcd >> 8 & 15) * 100 + (bcd >> 4 & 15) * 10 + (bcd & 15);
}

uint16_t ToBcd(uint32_t value) {
  return static_cast<uint16_t>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 |
                               value / 10 % 10 << 4 | value % 10);
}

// Port 0x61: the refresh request toggles about every 15 microseconds.
constexpr uint64_t kRefreshTicks = 18;

constexpr uint8_t kGate2 = 0x01;
constexpr uint8_t kPort61Writable = 0x0f;
constexpr uint8_t kRefresh = 0x10;
constexpr uint8_t kOutput2 = 0x20;

}  // namespace

uint32_t PitCounter::LoadedCount() const {
  const uint32_t value = bcd_ ? FromBcd(register_) % 10000 : register_;
  return value == 0 ? Modulus() : value;
}

void PitCounter::Sync(uint64_t tick) {
  if (!load_pending_ || tick < load_at_) return;
  if (mode_ == 3 && running_) {
    uint64_t half_start, half_end;
    // The load ended a half: what follows is the other one.
    starts_low_ = HighHalf((load_at_ - 1 - start_) % count_, half_start, half_end);
  } else {
    starts_low_ = false;
  }
  count_ = LoadedCount();
  start_ = load_at_;
  running_ = true;
  load_pending_ = false;
  null_count_ = false;
  paused_ = !gate_ && !IsTriggered();
  held_elapsed_ = 0;
}

void PitCounter::Stop(uint64_t tick) {
  held_value_ = Value(tick);
  running_ = false;
  paused_ = false;
  load_pending_ = false;
}

void PitCounter::SetMode(uint64_t tick, int access, int mode, bool bcd) {
  Stop(tick);
  access_ = static_cast<uint8_t>(access);
  mode_ = static_cast<uint8_t>(mode > 5 ? mode - 4 : mode);  // 6 and 7 are 2 and 3
  bcd_ = bcd;
  register_ = 0;
  second_write_ = false;
  second_read_ = false;
  count_latched_ = false;
  status_latched_ = false;
  null_count_ = true;
}

void PitCounter::WriteByte(uint64_t tick, uint8_t value) {
  if (access_ == 1) {
    register_ = value;
  } else if (access_ == 2) {
    register_ = static_cast<uint16_t>(value << 8);
  } else if (!second_write_) {
    first_byte_ = value;
    second_write_ = true;
    if (mode_ == 0) Stop(tick);
    return;
  } else {
    register_ = static_cast<uint16_t>(value << 8 | first_byte_);
    second_write_ = false;
  }
  CountWritten(tick);
}

void PitCounter::CountWritten(uint64_t tick) {
  null_count_ = true;
  if (IsTriggered()) return;  // waits for the gate
  if (mode_ == 0) Stop(tick);
  if (!IsPeriodic() || !running_) {
    load_pending_ = true;
    load_at_ = tick + 1;
    return;
  }
  if (paused_ || load_pending_) return;  // the rising gate or the pending load will take it
  const uint64_t elapsed = tick - start_;
  uint64_t half_start = 0;
  uint64_t end = count_;
  if (mode_ == 3) HighHalf(elapsed % count_, half_start, end);
  load_pending_ = true;
  load_at_ = start_ + elapsed / count_ * count_ + end;
}

bool PitCounter::HighHalf(uint64_t phase, uint64_t& half_start, uint64_t& half_end) const {
  const uint64_t first = starts_low_ ? count_ / 2 : (count_ + 1) / 2;
  const bool in_first = phase < first;
  half_start = in_first ? 0 : first;
  half_end = in_first ? first : count_;
  return in_first != starts_low_;
}

bool PitCounter::Output(uint64_t tick) const {
  if (!running_) return mode_ != 0;
  const uint64_t elapsed = Elapsed(tick);
  uint64_t half_start, half_end;
  switch (mode_) {
    case 0:
    case 1: return elapsed >= count_;
    case 2: return paused_ || elapsed % count_ != count_ - 1;
    case 3: return paused_ || HighHalf(elapsed % count_, half_start, half_end);
    default: return elapsed != count_;
  }
}

uint64_t PitCounter::NextEdge(uint64_t tick) const {
  uint64_t edge = load_pending_ ? load_at_ : kNoEdge;
  if (!running_ || paused_) return edge;
  if (IsPeriodic() && count_ == 1) return edge;  // illegal: the output stands still
  const uint64_t elapsed = tick - start_;
  const uint64_t period_start = tick - elapsed % count_;
  uint64_t half_start, half_end;
  switch (mode_) {
    case 2: {
      const uint64_t low = period_start + count_ - 1;
      edge = std::min(edge, tick < low ? low : low + 1);
      break;
    }
    case 3:
      HighHalf(elapsed % count_, half_start, half_end);
      edge = std::min(edge, period_start + half_end);
      break;
    default:
      if (elapsed < count_) {
        edge = std::min(edge, start_ + count_);
      } else if (elapsed == count_ && mode_ >= 4) {
        edge = std::min(edge, tick + 1);
      }
  }
  return edge;
}

uint32_t PitCounter::Value(uint64_t tick) const {
  if (!running_) return held_value_;
  const uint64_t elapsed = Elapsed(tick);
  switch (mode_) {
    case 2: return static_cast<uint32_t>(count_ - elapsed % count_) % Modulus();
    case 3: {
      uint64_t half_start, half_end;
      const uint64_t phase = elapsed % count_;
      HighHalf(phase, half_start, half_end);
      const uint64_t first = count_ - count_ % 2;  // an odd count is loaded less one
      return static_cast<uint32_t>(first - 2 * (phase - half_start)) % Modulus();
    }
    default: return static_cast<uint32_t>((Modulus() + count_ - elapsed % Modulus()) % Modulus());
  }
}

uint16_t PitCounter::ReadableCount(uint64_t tick) const {
  const uint32_t value = Value(tick);
  return bcd_ ? ToBcd(value % 10000) : static_cast<uint16_t>(value);
}

void PitCounter::LatchCount(uint64_t tick) {
  if (count_latched_) return;
  count_latched_ = true;
  latched_count_ = ReadableCount(tick);
}

void PitCounter::LatchStatus(uint64_t tick) {
  if (status_latched_) return;
  status_latched_ = true;
  latched_status_ = static_cast<uint8_t>((Output(tick) ? 0x80 : 0) | (null_count_ ? 0x40 : 0) |
                                         access_ << 4 | mode_ << 1 | (bcd_ ? 1 : 0));
}

uint8_t PitCounter::ReadByte(uint64_t tick) {
  if (status_latched_) {
    status_latched_ = false;
    return latched_status_;
  }
  const uint16_t value = count_latched_ ? latched_count_ : ReadableCount(tick);
  const bool high = access_ == 2 || (access_ == 3 && second_read_);
  if (access_ == 3) second_read_ = !second_read_;
  if (access_ != 3 || high) count_latched_ = false;
  return static_cast<uint8_t>(high ? value >> 8 : value);
}

void PitCounter::SetGate(uint64_t tick, bool level) {
  if (level == gate_) return;
  gate_ = level;
  if (IsTriggered()) {
    if (level) {
      load_pending_ = true;
      load_at_ = tick + 1;
    }
    return;
  }
  if (!level) {
    if (running_) {
      held_elapsed_ = Elapsed(tick);
      paused_ = true;
      // A reload at the end of this period will not come; the rising gate reloads.
      if (IsPeriodic()) load_pending_ = false;
    }
    return;
  }
  if (IsPeriodic()) {
    if (running_) {
      held_value_ = Value(tick);
      running_ = false;  // the output is high until the load
      paused_ = false;
      load_pending_ = true;
      load_at_ = tick + 1;
    }
    return;
  }
  if (paused_) {
    start_ = tick - held_elapsed_;
    paused_ = false;
  }
}

template <typename Visitor, typename Self>
void PitCounter::Walk(Visitor& visitor, Self& self) {
  visitor.Field("mode", self.mode_);
  visitor.Field("access", self.access_);
  visitor.Field("bcd", self.bcd_);
  visitor.Field("gate", self.gate_);
  visitor.Field("register", self.register_);
  visitor.Field("first_byte", self.first_byte_);
  visitor.Field("second_write", self.second_write_);
  visitor.Field("second_read", self.second_read_);
  visitor.Field("null_count", self.null_count_);
  visitor.Field("count_latched", self.count_latched_);
  visitor.Field("latched_count", self.latched_count_);
  visitor.Field("status_latched", self.status_latched_);
  visitor.Field("latched_status", self.latched_status_);
  visitor.Field("running", self.running_);
  visitor.Field("count", self.count_);
  visitor.Field("start", self.start_);
  visitor.Field("starts_low", self.starts_low_);
  visitor.Field("paused", self.paused_);
  visitor.Field("held_elapsed", self.held_elapsed_);
  visitor.Field("held_value", self.held_value_);
  visitor.Field("load_pending", self.load_pending_);
  visitor.Field("load_at", self.load_at_);
}

void PitCounter::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void PitCounter::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  if (count_ == 0 || count_ > 0x10000 || mode_ > 5) {
    reader.Fail("8254 state out of range");
    count_ = 0x10000;
    mode_ = 0;
  }
}

void Pit::Reset() {
  counters_ = {PitCounter(true), PitCounter(true), PitCounter(false)};
  port61_ = 0;
  UpdateOutput(Tick());
}

uint64_t Pit::Read(const Access& access) {
  const uint64_t tick = Tick();
  for (PitCounter& counter : counters_) counter.Sync(tick);
  if (access.offset < 3) return counters_[access.offset].ReadByte(tick);
  return access.offset == 4 ? ReadPort61(tick) : 0xff;
}

void Pit::Write(const Access& access, uint64_t value) {
  const uint64_t tick = Tick();
  const uint8_t byte = static_cast<uint8_t>(value);
  for (PitCounter& counter : counters_) counter.Sync(tick);
  if (access.offset < 3) {
    counters_[access.offset].WriteByte(tick, byte);
  } else if (access.offset == 3) {
    WriteControl(tick, byte);
  } else if (access.offset == 4) {
    port61_ = byte & kPort61Writable;
    counters_[2].SetGate(tick, (byte & kGate2) != 0);
  }
  UpdateOutput(tick);
}

void Pit::WriteControl(uint64_t tick, uint8_t value) {
  const int select = value >> 6;
  const int access = value >> 4 & 3;
  if (select < 3) {
    if (access == 0) {
      counters_[select].LatchCount(tick);
    } else {
      counters_[select].SetMode(tick, access, value >> 1 & 7, (value & 1) != 0);
    }
    return;
  }
  for (int i = 0; i < 3; ++i) {  // read-back
    if ((value >> (i + 1) & 1) == 0) continue;
    if ((value & 0x20) == 0) counters_[i].LatchCount(tick);
    if ((value & 0x10) == 0) counters_[i].LatchStatus(tick);
  }
}

uint8_t Pit::ReadPort61(uint64_t tick) const {
  return static_cast<uint8_t>(port61_ | (tick / kRefreshTicks % 2 != 0 ? kRefresh : 0) |
                              (counters_[2].Output(tick) ? kOutput2 : 0));
}

void Pit::OnEvent(int) {
  const uint64_t tick = Tick();
  counters_[0].Sync(tick);
  UpdateOutput(tick);
}

void Pit::UpdateOutput(uint64_t tick) {
  output_.Set(counters_[0].Output(tick));
  const uint64_t edge = counters_[0].NextEdge(tick);
  if (edge == PitCounter::kNoEdge) {
    events_.Cancel(kEdge);
  } else {
    events_.Schedule(kEdge,
                     TicksToCycles(edge, kClockHz, events_.hz()) + PlantedCount(Break::kTimerTime));
  }
}

template <typename Visitor, typename Self>
void Pit::Walk(Visitor& visitor, Self& self) {
  visitor.Section("i8254");
  visitor.Field("counter", self.counters_);
  visitor.Field("port61", self.port61_);
}

void Pit::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void Pit::RestoreState(alpha::StateReader& reader) { Walk(reader, *this); }

}  // namespace isochron::machine
