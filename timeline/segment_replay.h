// Verifying a log by several machines side by side.

#ifndef ISOCHRON_TIMELINE_SEGMENT_REPLAY_H_
#define ISOCHRON_TIMELINE_SEGMENT_REPLAY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "machine/events/run_end.h"
#include "machine/machine.h"
#include "timeline/replayer.h"

namespace isochron::timeline {

// What lies between two snapshots, in cycles: from power-on when it begins at 0, to where the log
// ends when it ends at machine::kNever.
struct SegmentBounds {
  uint64_t from = 0;
  uint64_t until = 0;
};

struct SegmentReplayOptions {
  std::string log_path;       // a regular file: it is opened several times
  std::string snapshot_path;  // of the snapshots of that log
  int jobs = 1;               // machines that run at a time, 1 and more
  // Replays this alone, one of ListSegments(); the outcome is that of the segment.
  std::optional<SegmentBounds> only = std::nullopt;
};

// What a whole replay comes to, however many machines made it.
struct SegmentReplayOutcome {
  size_t segments = 0;
  uint64_t events_compared = 0;
  // Where the first run that left the log stood, or where the log ends.
  uint64_t cycle = 0;
  uint64_t pc = 0;                       // of the CPU that acted last; bit 0: PALmode
  uint32_t cpu = 0;                      // that CPU
  std::optional<Divergence> divergence;  // the first of the log
  std::optional<machine::RunEnd> end;    // of the run; nothing when the log breaks off
};

// Makes a machine of the log's configuration and images, at power-on. Called from several threads.
using MachineMaker = std::function<absl::StatusOr<std::unique_ptr<machine::Machine>>()>;

// Replays parts of a log that lie between snapshots, from each to the checkpoint at which the next
// was taken, whose digest both have; so all of the log is compared. Snapshots that do not belong to
// the log are left out. The first difference is the one that a replay from the beginning finds;
// what lies behind it need not be run.
//
// Errors are those of log, snapshots and `make`; the first in the order of the log. NotFound when
// `only` begins at no snapshot of the log.
absl::StatusOr<SegmentReplayOutcome> ReplaySegments(const SegmentReplayOptions& options,
                                                    const MachineMaker& make);

// The segments of the log when it is cut at snapshots into `at_most` parts or fewer, in order.
absl::StatusOr<std::vector<SegmentBounds>> ListSegments(const SegmentReplayOptions& options,
                                                        size_t at_most);

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_SEGMENT_REPLAY_H_
