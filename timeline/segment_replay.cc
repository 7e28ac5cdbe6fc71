#include "timeline/segment_replay.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hostio/thread.h"
#include "machine/stop_condition.h"
#include "replaylog/event_history.h"
#include "replaylog/log_reader.h"
#include "timeline/seek.h"
#include "timeline/snapshot.h"

namespace isochron::timeline {
namespace {

// What one machine is to run, and what came of it.
struct Segment {
  std::optional<SnapshotInfo> start;  // nothing: power-on
  uint64_t until = machine::kNever;   // the cycle of the next snapshot
  absl::Status status;
  uint64_t events_compared = 0;
  uint64_t cycle = 0;
  uint64_t pc = 0;
  uint32_t cpu = 0;
  std::optional<Divergence> divergence;
  std::optional<machine::RunEnd> end;

  bool failed() const { return !status.ok() || divergence.has_value(); }
};

// How many segments for so many machines. Each gets several, so that none waits long for the others
// at the end; many would cost more for restoring than they save.
size_t SegmentsFor(int jobs) { return jobs == 1 ? 1 : 8 * static_cast<size_t>(jobs); }

std::vector<Segment> CutAt(const std::vector<const SnapshotInfo*>& snapshots, size_t wanted) {
  const size_t stride = (snapshots.size() + wanted) / wanted;
  std::vector<Segment> segments(1);
  for (size_t i = stride; i <= snapshots.size(); i += stride) {
    segments.back().until = snapshots[i - 1]->cycle;
    segments.emplace_back().start = *snapshots[i - 1];
  }
  return segments;
}

// The one segment that has these bounds.
absl::StatusOr<std::vector<Segment>> CutOut(const std::vector<const SnapshotInfo*>& snapshots,
                                            const SegmentBounds& bounds) {
  std::vector<Segment> segments(1);
  segments.front().until = bounds.until;
  if (bounds.from == 0) return segments;
  const auto start =
      std::find_if(snapshots.begin(), snapshots.end(),
                   [&](const SnapshotInfo* snapshot) { return snapshot->cycle == bounds.from; });
  if (start == snapshots.end()) {
    return absl::NotFoundError(
        absl::StrCat("the log has no snapshot at cycle ", bounds.from, " to begin at"));
  }
  segments.front().start = **start;
  return segments;
}

// Runs segments, one after the other, with one machine.
class Worker {
 public:
  static absl::StatusOr<Worker> Create(const SegmentReplayOptions& options,
                                       const MachineMaker& make) {
    Worker worker;
    absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
        replaylog::LogReader::Open(options.log_path);
    if (!log.ok()) return log.status();
    worker.log_ = *std::move(log);
    absl::StatusOr<std::unique_ptr<SnapshotReader>> snapshots =
        SnapshotReader::Open(options.snapshot_path, worker.log_->header());
    if (!snapshots.ok()) return snapshots.status();
    worker.snapshots_ = *std::move(snapshots);
    absl::StatusOr<std::unique_ptr<machine::Machine>> machine = make();
    if (!machine.ok()) return machine.status();
    worker.machine_ = *std::move(machine);
    return worker;
  }

  // Of the segment at power-on it must be the first that this worker runs.
  void Run(Segment& segment) {
    segment.status = Start(segment);
    if (!segment.status.ok()) return;
    Replayer replayer(*log_, machine_->config().clock_hz);
    machine_->SetObserver(&replayer);
    machine_->SetInputSource(&replayer);
    std::optional<machine::RunEnd> end =
        machine_->RunUntil(machine::StopCondition::AtCycle(segment.until));
    machine_->SetObserver(nullptr);
    machine_->SetInputSource(nullptr);

    segment.events_compared = replayer.events_compared();
    segment.cycle = machine_->now();
    segment.cpu = machine_->acting_cpu();
    segment.pc = machine_->cpu(static_cast<int>(segment.cpu)).pc;
    segment.divergence = replayer.divergence();
    if (segment.failed()) return;
    segment.status = replayer.status();
    if (!end.has_value() || !segment.status.ok()) return;
    if (end->kind == machine::RunEnd::Kind::kObserver) {
      segment.status = absl::InternalError(end->message);
    } else if (replayer.end().has_value()) {
      segment.end = std::move(end);
    }
  }

 private:
  // Puts machine and log to where the segment begins.
  absl::Status Start(const Segment& segment) {
    if (!segment.start.has_value()) return log_->SeekToEvent(0);
    if (absl::Status status = snapshots_->Restore(*segment.start, *machine_); !status.ok()) {
      return status;
    }
    const absl::StatusOr<bool> found = SeekToSnapshot(*log_, *segment.start);
    if (!found.ok()) return found.status();
    return *found ? absl::OkStatus()
                  : absl::DataLossError(
                        absl::StrCat(log_->source().name(), ": has changed while it was replayed"));
  }

  std::unique_ptr<replaylog::LogReader> log_;
  std::unique_ptr<SnapshotReader> snapshots_;
  std::unique_ptr<machine::Machine> machine_;
};

// Hands the segments out, in order, and stops behind the first that fails.
class Pool {
 public:
  Pool(std::vector<Segment>& segments, const SegmentReplayOptions& options,
       const MachineMaker& make)
      : segments_(segments), options_(options), make_(make) {}

  // The first error that kept a worker from beginning.
  absl::Status Run() {
    std::vector<std::thread> threads;
    const size_t workers = std::min<size_t>(static_cast<size_t>(options_.jobs), segments_.size());
    for (size_t i = 1; i < workers; ++i) {
      absl::StatusOr<std::thread> thread = hostio::StartThread([this] { Work(); });
      if (!thread.ok()) break;  // fewer do it, too
      threads.push_back(*std::move(thread));
    }
    Work();
    for (std::thread& thread : threads) thread.join();
    return status_;
  }

 private:
  void Work() {
    absl::StatusOr<Worker> worker = Worker::Create(options_, make_);
    if (!worker.ok()) {
      const std::scoped_lock lock(mutex_);
      if (status_.ok()) status_ = worker.status();
      next_ = segments_.size();
      return;
    }
    while (Segment* const segment = Take()) {
      worker->Run(*segment);
      const std::scoped_lock lock(mutex_);
      if (segment->failed()) next_ = segments_.size();
    }
  }

  Segment* Take() {
    const std::scoped_lock lock(mutex_);
    return next_ < segments_.size() ? &segments_[next_++] : nullptr;
  }

  std::vector<Segment>& segments_;
  const SegmentReplayOptions& options_;
  const MachineMaker& make_;
  std::mutex mutex_;
  size_t next_ = 0;
  absl::Status status_;
};

// A log with the snapshots that belong to it.
struct OpenedFiles {
  static absl::StatusOr<OpenedFiles> Open(const SegmentReplayOptions& options) {
    OpenedFiles files;
    absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
        replaylog::LogReader::Open(options.log_path);
    if (!log.ok()) return log.status();
    files.log = *std::move(log);
    absl::StatusOr<std::unique_ptr<SnapshotReader>> snapshots =
        SnapshotReader::Open(options.snapshot_path, files.log->header());
    if (!snapshots.ok()) return snapshots.status();
    files.snapshots = *std::move(snapshots);
    absl::StatusOr<std::vector<const SnapshotInfo*>> cuts =
        SnapshotsOf(*files.log, files.snapshots->snapshots());
    if (!cuts.ok()) return cuts.status();
    files.cuts = *std::move(cuts);
    return files;
  }

  std::unique_ptr<replaylog::LogReader> log;
  std::unique_ptr<SnapshotReader> snapshots;
  std::vector<const SnapshotInfo*> cuts;  // among `snapshots`
};

// A replay from the beginning remembers more than one from the last snapshot.
absl::Status FillInWhatCameBefore(replaylog::LogReader& log, Divergence& divergence) {
  constexpr uint64_t kUnknown = 64;  // events of unknown types that may be among them
  const uint64_t number = divergence.actual.number;
  if (absl::Status status = log.SeekToEvent(number - std::min(number, kUnknown)); !status.ok()) {
    return status;
  }
  replaylog::EventHistory history;
  replaylog::Event event;
  absl::StatusOr<bool> more;
  while ((more = log.Next(event)).ok() && *more && event.number < number) {
    if (!std::holds_alternative<replaylog::UnknownEvent>(event.body)) history.Add(event);
  }
  divergence.before = history.events();
  return more.status();
}

}  // namespace

absl::StatusOr<std::vector<SegmentBounds>> ListSegments(const SegmentReplayOptions& options,
                                                        size_t at_most) {
  const absl::StatusOr<OpenedFiles> files = OpenedFiles::Open(options);
  if (!files.ok()) return files.status();
  std::vector<SegmentBounds> bounds;
  for (const Segment& segment : CutAt(files->cuts, at_most)) {
    bounds.push_back({segment.start.has_value() ? segment.start->cycle : 0, segment.until});
  }
  return bounds;
}

absl::StatusOr<SegmentReplayOutcome> ReplaySegments(const SegmentReplayOptions& options,
                                                    const MachineMaker& make) {
  const absl::StatusOr<OpenedFiles> files = OpenedFiles::Open(options);
  if (!files.ok()) return files.status();
  absl::StatusOr<std::vector<Segment>> cut = options.only.has_value()
                                                 ? CutOut(files->cuts, *options.only)
                                                 : CutAt(files->cuts, SegmentsFor(options.jobs));
  if (!cut.ok()) return cut.status();
  std::vector<Segment>& segments = *cut;
  if (absl::Status status = Pool(segments, options, make).Run(); !status.ok()) return status;

  // Whatever was handed out before a segment that failed has been run to its end.
  SegmentReplayOutcome outcome;
  outcome.segments = segments.size();
  for (Segment& segment : segments) {
    if (!segment.status.ok()) return segment.status;
    outcome.events_compared += segment.events_compared;
    outcome.cycle = segment.cycle;
    outcome.pc = segment.pc;
    outcome.cpu = segment.cpu;
    outcome.divergence = std::move(segment.divergence);
    outcome.end = std::move(segment.end);
    if (outcome.divergence.has_value()) break;
  }
  if (outcome.divergence.has_value()) {
    absl::Status status = FillInWhatCameBefore(*files->log, *outcome.divergence);
    if (!status.ok()) return status;
  }
  return outcome;
}

}  // namespace isochron::timeline
