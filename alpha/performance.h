// The two performance counters of the EV67 in aggregate mode (HRM section 6.10).
//
// What they count, cycles and retired instructions, is known at every boundary, so a counter that
// runs is a value and the count at which it was that value: nothing is done while it counts. Only
// the boundary at which it overflows has to be met.

#ifndef ISOCHRON_ALPHA_PERFORMANCE_H_
#define ISOCHRON_ALPHA_PERFORMANCE_H_

#include <cstdint>
#include <limits>

#include "alpha/cpu.h"

namespace isochron::alpha {

// What PCTR_CTL reads. `cpu.cycle` and `cpu.instructions` must be exact.
uint64_t ReadPerformanceCounters(const Cpu& cpu);

// Writes PCTR_CTL: both counters and what they count. The same must be exact.
void WritePerformanceCounters(Cpu& cpu, uint64_t value);

// To be called, with the same exact, before anything that lets counters run or stand still
// changes: I_CTL, PCTX<PPCE>.
void HoldPerformanceCounters(Cpu& cpu);

// Whether any counter may run: I_CTL has one enabled, and the system or the process is counted.
inline bool PerformanceCountersRun(const Cpu& cpu) {
  return (cpu.i_ctl & (i_ctl::kPct0Enable | i_ctl::kPct1Enable)) != 0 &&
         ((cpu.i_ctl & i_ctl::kSpce) != 0 || cpu.ppc_enable);
}

// Whether the CPU executes instructions, or stands still while cycles pass (the board's WAIT).
enum class Retiring : bool { kNo, kYes };

// The part of the next function that is for counters that run.
uint64_t LatchOverflowsOfRunning(Cpu& cpu, Retiring retiring);

// Requests the interrupts (ISUM<PC>) of counters that have overflowed, at a boundary. Returns the
// cycle at the latest by which it must be called again, at the first boundary there: nothing can
// overflow before. While none runs that is never.
inline uint64_t LatchOverflows(Cpu& cpu, Retiring retiring = Retiring::kYes) {
  if (!PerformanceCountersRun(cpu)) [[likely]]
    return std::numeric_limits<uint64_t>::max();
  return LatchOverflowsOfRunning(cpu, retiring);
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_PERFORMANCE_H_
