#include "timeline/seek.h"

#include <variant>

#include "absl/status/status.h"

namespace isochron::timeline {
namespace {

// Whether the snapshot was taken at the checkpoint that the event is.
bool IsWhereTaken(const SnapshotInfo& snapshot, const replaylog::Event& event) {
  const auto* checkpoint = std::get_if<replaylog::CheckpointEvent>(&event.body);
  return checkpoint != nullptr && event.cycle == snapshot.cycle &&
         checkpoint->state == snapshot.state;
}

}  // namespace

absl::StatusOr<std::vector<const SnapshotInfo*>> SnapshotsOf(
    replaylog::LogReader& log, std::span<const SnapshotInfo> snapshots) {
  if (absl::Status status = log.SeekToEvent(0); !status.ok()) return status;
  std::vector<const SnapshotInfo*> found;
  auto next = snapshots.begin();
  replaylog::Event event;
  while (next != snapshots.end()) {
    const absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more) break;
    while (next != snapshots.end() && next->cycle < event.cycle) ++next;
    if (next != snapshots.end() && IsWhereTaken(*next, event)) found.push_back(&*next++);
  }
  return found;
}

absl::StatusOr<bool> ReadToSnapshot(replaylog::LogReader& log, const SnapshotInfo& snapshot,
                                    const std::function<void(const replaylog::Event&)>& take) {
  replaylog::Event event;
  for (;;) {
    absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more || event.cycle > snapshot.cycle) return false;
    const bool found = IsWhereTaken(snapshot, event);
    take(event);
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
  const SnapshotInfo* const first = snapshots.snapshots().data();
  const absl::StatusOr<std::vector<const SnapshotInfo*>> earlier =
      SnapshotsOf(log, std::span(first, nearest));
  if (!earlier.ok()) return earlier.status();
  if (earlier->empty()) return nullptr;
  fits = SeekToSnapshot(log, *earlier->back());
  if (!fits.ok()) return fits.status();
  return earlier->back();
}

}  // namespace isochron::timeline
