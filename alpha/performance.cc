#include "alpha/performance.h"

#include <algorithm>

namespace isochron::alpha {
namespace {

constexpr uint64_t kModulus = uint64_t{1} << 20;
constexpr int kShift[] = {28, 6};  // of the counters in PCTR_CTL

constexpr uint64_t kProfileMe = uint64_t{1} << 4;  // SL0
constexpr int kSelectShift = 2;                    // SL1

enum class Source : uint8_t { kNothing, kCycles, kInstructions };

// HRM table 6-11. There are no caches to miss and no replay traps; what ProfileMe mode samples is
// the pipeline, which this machine does not have.
Source SourceOf(const Cpu& cpu, int counter) {
  if ((cpu.pctr_ctl & kProfileMe) != 0) return Source::kNothing;
  const uint64_t select = cpu.pctr_ctl >> kSelectShift & 3;
  if (counter == 0) return (select & 1) != 0 ? Source::kCycles : Source::kInstructions;
  return select == 0 ? Source::kCycles : Source::kNothing;
}

bool Runs(const Cpu& cpu, int counter) {
  const uint64_t enable = counter == 0 ? i_ctl::kPct0Enable : i_ctl::kPct1Enable;
  return (cpu.i_ctl & enable) != 0 && PerformanceCountersRun(cpu) &&
         SourceOf(cpu, counter) != Source::kNothing;
}

uint64_t CountOf(const Cpu& cpu, int counter) {
  return SourceOf(cpu, counter) == Source::kCycles ? cpu.cycle : cpu.instructions;
}

// The counter with what it has counted since `pctr_start`; kModulus or more when it has overflowed.
uint64_t ValueOf(const Cpu& cpu, int counter) {
  const uint64_t value = cpu.pctr_value[counter];
  return Runs(cpu, counter) ? value + CountOf(cpu, counter) - cpu.pctr_start[counter] : value;
}

void SetValue(Cpu& cpu, int counter, uint64_t value) {
  cpu.pctr_value[counter] = static_cast<uint32_t>(value % kModulus);
  cpu.pctr_start[counter] = CountOf(cpu, counter);
}

}  // namespace

uint64_t ReadPerformanceCounters(const Cpu& cpu) {
  uint64_t value = cpu.pctr_ctl;
  for (int i = 0; i < 2; ++i) value |= ValueOf(cpu, i) % kModulus << kShift[i];
  // <63:48> are copies of <47>.
  return static_cast<uint64_t>(static_cast<int64_t>(value << 16) >> 16);
}

void WritePerformanceCounters(Cpu& cpu, uint64_t value) {
  cpu.pctr_ctl = value & (kProfileMe | uint64_t{3} << kSelectShift);
  for (int i = 0; i < 2; ++i) SetValue(cpu, i, value >> kShift[i]);
}

void HoldPerformanceCounters(Cpu& cpu) {
  for (int i = 0; i < 2; ++i) SetValue(cpu, i, ValueOf(cpu, i));
}

uint64_t LatchOverflowsOfRunning(Cpu& cpu, Retiring retiring) {
  uint64_t next = std::numeric_limits<uint64_t>::max();
  for (int i = 0; i < 2; ++i) {
    if (!Runs(cpu, i)) continue;
    if (ValueOf(cpu, i) >= kModulus) {
      SetValue(cpu, i, ValueOf(cpu, i));
      cpu.internal_requests |= uint64_t{1} << (interrupt::kPerformanceShift + i);
    }
    if (retiring == Retiring::kNo && SourceOf(cpu, i) == Source::kInstructions) continue;
    // An instruction takes a cycle at least, so neither source counts faster than cycles.
    next = std::min(next, cpu.cycle + kModulus - ValueOf(cpu, i));
  }
  return next;
}

}  // namespace isochron::alpha
