#include "timeline/seek.h"

#include <utility>
#include <variant>

#include "absl/status/status.h"

namespace isochron::timeline {

bool IsWhereTaken(const SnapshotInfo& snapshot, const replaylog::Event& event) {
  const auto* checkpoint = std::get_if<replaylog::CheckpointEvent>(&event.body);
  return checkpoint != nullptr && event.cycle == snapshot.cycle &&
         checkpoint->state == snapshot.state;
}

absl::StatusOr<bool> ReadToSnapshot(replaylog::LogReader& log, const SnapshotInfo& snapshot,
                                    const std::function<void(replaylog::Event)>& take) {
  replaylog::Event event;
  for (;;) {
    absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more || event.cycle > snapshot.cycle) return false;
    const bool found = IsWhereTaken(snapshot, event);
    take(std::move(event));
    if (found) return true;
  }
}

absl::StatusOr<bool> SeekToSnapshot(replaylog::LogReader& log, const SnapshotInfo& snapshot) {
  if (absl::Status status = log.SeekToCycle(snapshot.cycle); !status.ok()) return status;
  return ReadToSnapshot(log, snapshot, [](const replaylog::Event&) {});
}

absl::StatusOr<const SnapshotInfo*> SeekToLastSnapshot(replaylog::LogReader& log,
                                                       const SnapshotReader& snapshots,
                                                       uint64_t cycle) {
  const SnapshotInfo* const nearest = snapshots.FindAtOrBefore(cycle);
  if (nearest == nullptr) return nullptr;
  absl::StatusOr<bool> fits = SeekToSnapshot(log, *nearest);
  if (!fits.ok()) return fits.status();
  if (*fits) return nearest;
  if (absl::Status status = log.SeekToEvent(0); !status.ok()) return status;
  const SnapshotInfo* found = nullptr;
  const SnapshotInfo* next = snapshots.snapshots().data();
  replaylog::Event event;
  while (next < nearest) {
    absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more) break;
    while (next < nearest && next->cycle < event.cycle) ++next;
    if (next < nearest && IsWhereTaken(*next, event)) found = next;
  }
  if (found == nullptr) return nullptr;
  fits = SeekToSnapshot(log, *found);
  if (!fits.ok()) return fits.status();
  return found;
}

}  // namespace isochron::timeline
