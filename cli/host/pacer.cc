#include "cli/host/pacer.h"

#include <algorithm>

namespace isochron::cli {

using std::chrono::nanoseconds;

Pacer::Pacer(uint64_t clock_hz, HostClock& clock, const machine::InputPoint& start, bool always)
    : clock_hz_(clock_hz),
      clock_(clock),
      always_(always),
      last_point_(start),
      last_wall_(clock.Now()) {}

nanoseconds Pacer::GuestTime(uint64_t cycles) const {
  return nanoseconds(
      static_cast<int64_t>(static_cast<double>(cycles) * 1e9 / static_cast<double>(clock_hz_)));
}

void Pacer::Poll(const machine::InputPoint& point, std::vector<machine::Input>&) {
  const uint64_t cycles = point.cycle - last_point_.cycle;
  const uint64_t idle_cycles =
      always_ ? cycles : std::min(cycles, point.idle_cycles - last_point_.idle_cycles);
  const bool idle = idle_cycles > cycles / 2;
  last_point_ = point;

  nanoseconds now = clock_.Now();
  const nanoseconds wall = now - last_wall_;
  lead_ += GuestTime(idle_cycles) + std::min(GuestTime(cycles - idle_cycles), wall) - wall;
  const nanoseconds lowest = idle ? -kMaxLag : nanoseconds(0);
  if (lead_ < lowest) lead_ = nanoseconds(0);

  if (idle && lead_ >= kMaxLead) {
    clock_.WaitForInput(lead_);
    const nanoseconds woken = clock_.Now();
    lead_ -= woken - now;
    if (!always_) lead_ = std::min(lead_, kMaxLead);
    now = woken;
  }
  last_wall_ = now;
}

}  // namespace isochron::cli
