#include "conformance/compare/narrowing.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "alpha/decode.h"
#include "ref/operation.h"

namespace isochron::conformance {
namespace {

// Intervals above this are halved with the base moved along: the engines are stopped a few times
// more, far apart. Below it probes cost next to nothing and leave the history alone.
constexpr uint64_t kAdvanceCycles = uint64_t{1} << 20;
// How far back a region may have begun.
constexpr uint64_t kRegionCycles = 2048;
// How many boundaries are shown when nobody knows where it began.
constexpr size_t kUnknownRegion = 32;

// Where the machines part: they agree at `low` and differ at `high`.
struct Bounds {
  uint64_t base = 0;
  uint64_t low = 0;
  uint64_t high = 0;
};

// Halves down to neighbouring moments. False when the machines never differ.
bool Halve(Twins& twins, Bounds& bounds) {
  bool seen = false;
  while (bounds.high - bounds.low > 1) {
    const uint64_t middle = bounds.low + (bounds.high - bounds.low) / 2;
    if (twins.Differ({middle})) {
      seen = true;
      bounds.high = middle;
    } else {
      bounds.low = middle;
      if (bounds.high - bounds.base > kAdvanceCycles) twins.Advance(bounds.base = middle);
    }
  }
  return seen || twins.Differ({bounds.high});
}

// The boundaries at most kRegionCycles before `low`, up to the last before `high`.
std::vector<Boundary> StepsTo(Twins& twins, const Bounds& bounds) {
  const uint64_t reach =
      std::min(bounds.low - bounds.base, kRegionCycles * twins.MomentsPerCycle());
  std::vector<Boundary> steps = twins.Step(bounds.low - reach, bounds.high);
  while (!steps.empty() && steps.back().moment >= bounds.high) steps.pop_back();
  return steps;
}

bool EndsBlock(const Boundary& at) { return ref::EndsBlock(alpha::Decode(at.word).op); }

// Whether a block may begin at this step.
bool MayBegin(const std::vector<Boundary>& steps, size_t i) {
  return i == 0 || steps[i].cpu != steps[i - 1].cpu || steps[i].pc != steps[i - 1].pc + 4 ||
         EndsBlock(steps[i - 1]);
}

// The last step from which the run to `high` must be left alone for the machines to differ. Within
// a block of the end it may be any: an engine that goes step by step differs from the last one, and
// what leaves a block in its middle makes another begin there. Further back it is the start of a
// block.
std::optional<size_t> FindStart(Twins& twins, const std::vector<Boundary>& steps, uint64_t high) {
  for (size_t i = steps.size(); i-- != 0;) {
    if (i + ref::kMaxBlockLength < steps.size() && !MayBegin(steps, i)) continue;
    if (twins.Differ({high, steps[i].moment})) return i;
  }
  return std::nullopt;
}

// Translates each block of the trace anew, and less of it: the shortest translation that is wrong
// ends with the culprit. Looks right behind it or, when `late`, where the trace ends: one that
// takes too long is not begun when nothing may follow.
bool TranslateBlocks(Twins& twins, Narrowed& result, bool late) {
  const std::vector<Boundary>& trace = result.trace;
  const uint64_t high = result.different;
  for (size_t start = 0; start < trace.size();) {
    size_t last = start;
    while (last + 1 < trace.size() && !MayBegin(trace, last + 1)) ++last;
    for (size_t i = start; i <= last; ++i) {
      const uint64_t end = late || i + 1 == trace.size() ? high : trace[i + 1].moment;
      const Experiment experiment{end, trace[start].moment, static_cast<uint32_t>(i - start + 1),
                                  trace[start].cpu};
      if (!twins.Differ(experiment)) continue;
      result.certainty = Certainty::kInstruction;
      result.culprit = trace[i];
      result.different = end;
      result.experiment = experiment;
      return true;
    }
    start = last + 1;
  }
  return false;
}

}  // namespace

Narrowed Narrow(Twins& twins, uint64_t equal, uint64_t different) {
  Narrowed result;
  if (different <= equal) return result;
  Bounds bounds{equal, equal, different};
  std::vector<Boundary> steps;
  std::optional<size_t> start;
  for (;;) {
    if (!Halve(twins, bounds)) return result;
    steps = StepsTo(twins, bounds);
    start = FindStart(twins, steps, bounds.high);
    if (!start || steps[*start].moment <= bounds.base || !twins.Differ({steps[*start].moment}))
      break;
    // What differs at the start had come and gone: the first time is what is looked for.
    bounds.low = bounds.base;
    bounds.high = steps[*start].moment;
  }
  result.certainty = Certainty::kRegion;
  result.different = bounds.high;
  if (steps.empty()) return result;
  const size_t from = start.value_or(steps.size() - std::min(steps.size(), kUnknownRegion));
  result.region = steps[from];
  result.trace.assign(steps.begin() + static_cast<std::ptrdiff_t>(from), steps.end());
  result.culprit = steps.back();
  result.experiment = {bounds.high, start ? result.region.moment : 0};
  if (start && result.trace.size() == 1) {
    result.certainty = Certainty::kInstruction;
  } else if (!TranslateBlocks(twins, result, false)) {
    TranslateBlocks(twins, result, true);
  }
  return result;
}

const Boundary& StartOf(const Narrowed& found) {
  for (const Boundary& at : found.trace) {
    if (at.moment == found.experiment.stop) return at;
  }
  return found.region;
}

void Settle(Narrowed& found, const std::vector<FieldChange>& changes) {
  std::vector<uint32_t> words;
  std::vector<Boundary> executed;
  const uint64_t start = StartOf(found).moment;
  for (const Boundary& at : found.trace) {
    if (at.moment < start || at.moment >= found.different || at.cpu != found.culprit.cpu) continue;
    executed.push_back(at);
    words.push_back(at.word);
  }
  const std::optional<size_t> likely = LikelyCulprit(words, changes);
  if (!likely || executed[*likely].moment == found.culprit.moment) return;
  found.certainty = Certainty::kRegion;
  found.culprit = executed[*likely];
}

}  // namespace isochron::conformance
