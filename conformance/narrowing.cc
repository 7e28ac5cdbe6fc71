#include "conformance/narrowing.h"

#include <algorithm>
#include <utility>

namespace isochron::conformance {
namespace {

// Intervals above this are halved with the base moved along: the engines are stopped a few times
// more, far apart. Below it probes cost next to nothing and leave the history alone.
constexpr uint64_t kAdvanceCycles = uint64_t{1} << 20;
// How far back a region may have begun.
constexpr uint64_t kRegionCycles = 2048;
// How many boundaries are shown when nobody knows where it began.
constexpr size_t kUnknownRegion = 32;

// The boundaries at most kRegionCycles before `low`, up to `high`.
std::vector<Boundary> StepsBefore(Twins& twins, uint64_t base, uint64_t low, uint64_t high) {
  const uint64_t reach = std::min(low - base, kRegionCycles);
  return twins.Step(low - reach, high);
}

}  // namespace

Narrowed Narrow(Twins& twins, uint64_t equal, uint64_t different) {
  Narrowed result;
  uint64_t base = equal;
  uint64_t low = equal;
  uint64_t high = different;
  bool seen = false;
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    if (twins.Differ({middle})) {
      seen = true;
      high = middle;
    } else {
      low = middle;
      if (high - base > kAdvanceCycles) twins.Advance(base = low);
    }
  }
  if (!seen && !twins.Differ({high})) return result;
  // The last boundary before `high` is where to look first: an engine that goes step by step
  // differs from there. Then further and further back, to where a region begins.
  std::vector<Boundary> steps = StepsBefore(twins, base, low, high);
  while (!steps.empty() && steps.back().cycle >= high) steps.pop_back();
  result.certainty = Certainty::kRegion;
  result.different = high;
  if (steps.empty()) return result;
  size_t start = steps.size();
  bool found = false;
  while (start != 0 && !found) found = twins.Differ({high, steps[--start].cycle});
  if (!found) start = steps.size() - std::min(steps.size(), kUnknownRegion);
  result.region = steps[start];
  result.trace.assign(steps.begin() + static_cast<std::ptrdiff_t>(start), steps.end());
  result.culprit = steps.back();
  const auto count = static_cast<uint32_t>(result.trace.size());
  if (!found) return result;
  if (count == 1) {
    result.certainty = Certainty::kInstruction;
    return result;
  }
  // The shortest translation that is wrong ends with the culprit.
  for (uint32_t length = 1; length <= count; ++length) {
    const uint64_t end = length < count ? result.trace[length].cycle : high;
    if (!twins.Differ({end, result.region.cycle, length})) continue;
    result.certainty = Certainty::kInstruction;
    result.culprit = result.trace[length - 1];
    result.different = end;
    result.translate = length;
    break;
  }
  return result;
}

}  // namespace isochron::conformance
