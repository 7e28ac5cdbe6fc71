// Keeps a guest that waits for a person at real time.

#ifndef ISOCHRON_CLI_HOST_PACER_H_
#define ISOCHRON_CLI_HOST_PACER_H_

#include <chrono>
#include <cstdint>
#include <functional>

#include "machine/events/input.h"

namespace isochron::cli {

// The host's clock, or a test's.
class HostClock {
 public:
  virtual ~HostClock() = default;
  // Monotonic.
  virtual std::chrono::nanoseconds Now() = 0;
  // Blocks for `limit`, or less when there is input for the guest.
  virtual void WaitForInput(std::chrono::nanoseconds limit) = 0;
};

// Blocks the sequencer at input points so that idle guest time passes no faster than wall
// time. It only delays: what the guest does and when, in cycles, does not depend on it.
//
// The lead is guest time minus wall time. Idle guest time adds to it; busy guest time adds at
// most the wall time it took, so a busy guest may run as fast as it can without having to
// wait for that later. Wall time that a busy guest fell behind is forgotten: idle time
// afterwards is not rushed through to catch up. An idle guest sleeps when it leads by
// kMaxLead, until it leads no more or input comes; the host wakes about 100 times a second for it.
// Input that comes faster than the guest can sleep between (a file from the network) would let it
// lead by seconds and stand still for as long when it ends: what is more than kMaxLead is
// forgotten.
class Pacer final : public machine::InputSource {
 public:
  static constexpr std::chrono::nanoseconds kMaxLead = std::chrono::milliseconds(10);
  // What an idle guest may make up for when the host wakes it too late.
  static constexpr std::chrono::nanoseconds kMaxLag = std::chrono::milliseconds(100);

  // `clock_hz`: cycles in a guest second. `clock` must outlive the pacer. `start`: where in the
  // run pacing begins. `always`: a busy guest is held back like an idle one.
  Pacer(uint64_t clock_hz, HostClock& clock, const machine::InputPoint& start = {},
        bool always = false);

  // Adds no input.
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;

  std::chrono::nanoseconds lead() const { return lead_; }

 private:
  std::chrono::nanoseconds GuestTime(uint64_t cycles) const;

  uint64_t clock_hz_;
  HostClock& clock_;
  const bool always_;
  machine::InputPoint last_point_;
  std::chrono::nanoseconds last_wall_;
  std::chrono::nanoseconds lead_{0};
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_PACER_H_
