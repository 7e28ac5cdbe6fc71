// Going to a place in a log: with the snapshots of its run, from one of them.

#ifndef ISOCHRON_TIMELINE_SEEK_H_
#define ISOCHRON_TIMELINE_SEEK_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "replaylog/event_stream.h"
#include "replaylog/log_reader.h"
#include "timeline/snapshot.h"

namespace isochron::timeline {

// Of these snapshots, which are in ascending order, those that belong to the log, which is read
// from its beginning.
absl::StatusOr<std::vector<const SnapshotInfo*>> SnapshotsOf(
    replaylog::LogReader& log, std::span<const SnapshotInfo> snapshots);

// Gives `take` the events from where the log is up to the checkpoint at which the snapshot was
// taken, and that. False when there is none like it. Errors are those of the log.
absl::StatusOr<bool> ReadToSnapshot(replaylog::LogReader& log, const SnapshotInfo& snapshot,
                                    const std::function<void(const replaylog::Event&)>& take);

// Puts the log behind the checkpoint at which the snapshot was taken. False when it has none like
// it.
absl::StatusOr<bool> SeekToSnapshot(replaylog::LogReader& log, const SnapshotInfo& snapshot);

// The last snapshot at or before `cycle` that belongs to the log, which stands behind its
// checkpoint then; nullptr when there is none. It costs no more than reading the log once, however
// many snapshots there are.
absl::StatusOr<const SnapshotInfo*> SeekToLastSnapshot(replaylog::LogReader& log,
                                                       const SnapshotReader& snapshots,
                                                       uint64_t cycle);

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_SEEK_H_
