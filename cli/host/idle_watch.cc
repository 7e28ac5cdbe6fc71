#include "cli/host/idle_watch.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "machine/events/digest.h"

namespace isochron::cli {
namespace {

constexpr size_t kRegisters = 31;

uint64_t DigestOf(const alpha::Cpu& cpu) {
  std::array<uint64_t, kRegisters + 1> state;
  std::copy_n(cpu.r.begin(), kRegisters, state.begin());
  state[kRegisters] = cpu.pc;
  return machine::DigestOf(
             std::string_view(reinterpret_cast<const char*>(state.data()), sizeof(state)))
      .low;
}

}  // namespace

machine::InputPoint IdleWatch::Observe(const machine::InputPoint& point, const alpha::Cpu& cpu) {
  const uint64_t digest = DigestOf(cpu);
  Seen& seen = seen_[digest % kRemembered];
  ++number_;
  const bool again =
      seen.digest == digest && seen.number != 0 && number_ - seen.number <= kRemembered;
  seen = {digest, number_};
  if (again) {
    const uint64_t cycles = point.cycle - last_.cycle;
    more_idle_ += cycles - std::min(cycles, point.idle_cycles - last_.idle_cycles);
  }
  last_ = point;
  machine::InputPoint more = point;
  more.idle_cycles += more_idle_;
  return more;
}

}  // namespace isochron::cli
