// Stops of a run that take more than a condition of the machine to be told.

#ifndef ISOCHRON_TIMELINE_STOP_SELECTOR_H_
#define ISOCHRON_TIMELINE_STOP_SELECTOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "alpha/stop_ranges.h"
#include "machine/stop_condition.h"

namespace isochron::timeline {

class Timeline;

// A boundary at which a run is to stop.
struct Selection {
  uint64_t moment = 0;  // Machine::moment()
  // The reference that makes it one. Backwards it is the boundary before who makes it that is
  // meant.
  std::optional<alpha::MemoryReference> reference;
  std::string why;                        // for people, without the end of a line
  std::optional<int> cpu = std::nullopt;  // whose it is, unless it is the machine's
};

// Chooses among boundaries at which a run stops to be looked at. What it chooses depends on nothing
// but the run, so that a search backwards, which goes forwards through one part of the run after
// the other, finds what one forwards does.
class StopSelector {
 public:
  virtual ~StopSelector() = default;

  // The machine stands where a run, or a part of one that is searched, begins. `forward`: it is a
  // run that has perhaps been looked at up to here. It may go elsewhere on a recording, and comes
  // back.
  virtual absl::Status Begin(Timeline& timeline, bool forward) = 0;
  // Where to stop next, from where the machine stands: PCs, ranges, events or a number of
  // instructions.
  virtual machine::StopCondition Candidates(const Timeline& timeline) = 0;
  // The machine has stopped for these reasons, which may be others'. Appends what is to be stopped
  // at: this boundary, or an earlier one. It may go elsewhere on a recording,
  // and comes back. Cancelled when somebody interrupts that.
  virtual absl::Status Select(Timeline& timeline, const machine::StopReasons& met,
                              std::vector<Selection>& selected) = 0;
  // Whether what it has seen is to be followed beyond the end of what is searched.
  virtual bool pending() const { return false; }
  // Whether between these moments, or at the first of them, there may be one that it has not
  // selected: that depends on what lies before the part which was searched last, backwards.
  virtual bool MayHaveMissed(uint64_t /*behind*/, uint64_t /*before*/) const { return false; }
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_STOP_SELECTOR_H_
