// Guest time as people write it.

#ifndef ISOCHRON_MACHINE_EVENTS_GUEST_TIME_H_
#define ISOCHRON_MACHINE_EVENTS_GUEST_TIME_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace isochron::machine {

// A point or span of guest time: a number of cycles, or seconds, of which only a clock makes
// cycles.
class GuestTime {
 public:
  // Up to this many seconds can be written.
  static constexpr uint64_t kMaxSeconds = 1'000'000'000;

  static GuestTime OfCycles(uint64_t cycles) { return GuestTime(cycles, false); }
  // At most kMaxSeconds.
  static GuestTime OfNanoseconds(uint64_t nanoseconds) { return GuestTime(nanoseconds, true); }

  // On a machine whose clock has so many cycles a second, at most 10G; rounded up.
  uint64_t Cycles(uint64_t clock_hz) const;
  bool is_zero() const { return count_ == 0; }

  bool operator==(const GuestTime&) const = default;

 private:
  GuestTime(uint64_t count, bool is_nanoseconds) : count_(count), is_nanoseconds_(is_nanoseconds) {}

  uint64_t count_;
  bool is_nanoseconds_;
};

// "2G", "1.5G" and "100" are cycles, as hostio::ParseCycles() has them; "20s", "1.5s", "10ms",
// "5us" and "7ns" seconds. InvalidArgument with a message that quotes the text.
absl::StatusOr<GuestTime> ParseGuestTime(std::string_view text);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_GUEST_TIME_H_
