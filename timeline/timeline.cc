#include "timeline/timeline.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "machine/events/event.h"
#include "timeline/seek.h"

namespace isochron::timeline {
namespace {

using machine::StopCondition;

// A run goes on for so many times what the last snapshot took before there is another one.
constexpr int64_t kCostShare = 100;

// Snapshots may take so much more than their share in all before they become fewer: where a run
// begins most pages change, and it is short.
constexpr absl::Duration kCredit = absl::Milliseconds(30);

absl::Status ReadFrom(replaylog::SeekableSource& events, uint64_t number,
                      const std::function<bool(replaylog::Event&)>& take) {
  absl::Status status = events.SeekToEvent(number);
  replaylog::Event event;
  absl::StatusOr<bool> more = true;
  while (status.ok() && *more) {
    status = (more = events.Next(event)).status();
    if (status.ok() && *more) *more = take(event);
  }
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Timeline>> Timeline::Create(
    std::unique_ptr<replaylog::LogReader> log, std::unique_ptr<SnapshotReader> snapshots,
    std::unique_ptr<machine::Machine> machine, const Options& options) {
  std::unique_ptr<Timeline> timeline(
      new Timeline(std::move(log), std::move(snapshots), std::move(machine), options));
  if (absl::Status status = timeline->FollowLog({}); !status.ok()) return status;
  timeline->snapshots_.Take({});
  return timeline;
}

Timeline::Timeline(std::unique_ptr<replaylog::LogReader> log,
                   std::unique_ptr<SnapshotReader> file_snapshots,
                   std::unique_ptr<machine::Machine> machine, const Options& options)
    : log_(std::move(log)),
      file_snapshots_(std::move(file_snapshots)),
      unusable_(file_snapshots_ != nullptr ? file_snapshots_->snapshots().size() : 0),
      owned_(std::move(machine)),
      machine_(*owned_),
      header_(log_->header()),
      per_cycle_(machine::MomentsPerCycle(header_.config.cpus)),
      options_(options),
      snapshots_(machine_, options.snapshot_bytes) {}

absl::Status Timeline::FollowLog(const Replayer::Place& place) {
  if (absl::Status status = log_->SeekToEvent(place.event); !status.ok()) return status;
  Attach(replayer_.emplace(*log_, log_->header().config.clock_hz, place));
  return absl::OkStatus();
}

void Timeline::Attach(Replayer& replayer) {
  if (!live_) replayer.SetKnownTo(options_.known_to);
  machine_.SetObserver(&replayer);
  machine_.SetInputSource(&replayer);
}

absl::Status Timeline::ReadPast(const std::function<void(const replaylog::Event&)>& take) {
  if (live_) return absl::FailedPreconditionError("the run is live already");
  if (!left_log_.ok()) return left_log_;
  const Replayer::Place place = replayer_->place();
  return ReadEvents([&](replaylog::Event& event) {
    if (event.number > place.event) return false;
    if (event.number == place.event) {
      auto* const output = std::get_if<replaylog::OutputRun>(&event.body);
      if (output == nullptr || place.output_seen == 0) return false;
      output->bytes.resize(place.output_seen);
      output->deltas.resize(place.output_seen - 1);
    }
    take(event);
    return true;
  });
}

absl::StatusOr<replaylog::Event> Timeline::ReadEvent(uint64_t number) {
  std::optional<replaylog::Event> found;
  const absl::Status status = ReadEventsFrom(number, [&found](replaylog::Event& event) {
    found = std::move(event);
    return false;
  });
  if (!status.ok()) return status;
  if (!found.has_value()) {
    return absl::OutOfRangeError(
        absl::StrCat(live_ ? "the run" : "the log", " has no event ", number, live_ ? " yet" : ""));
  }
  return *std::move(found);
}

absl::Status Timeline::ReadEventsFrom(uint64_t number,
                                      const std::function<bool(replaylog::Event&)>& take) {
  if (absl::Status status = CheckHistory(); !status.ok()) return status;
  if (live_) return ReadFrom(*history_->NewReader(), number, take);
  const Replayer::Place place = replayer_->place();
  const absl::Status status = ReadFrom(*log_, number, take);
  const absl::Status back = GoOnFrom(place);
  return status.ok() ? back : status;
}

absl::StatusOr<Arrival> Timeline::Ended(machine::RunEnd end) {
  if (end.kind == machine::RunEnd::Kind::kObserver && live_ && !present_.has_value()) {
    left_log_ = absl::UnavailableError(end.message);
    run_end_ = std::move(end);
    return left_log_;
  }
  if (end.kind == machine::RunEnd::Kind::kObserver) {
    left_log_ = replayer_->status().ok() ? absl::InternalError(end.message) : replayer_->status();
    divergence_ = replayer_->divergence();
    return left_log_;
  }
  end_ = position();
  run_end_ = std::move(end);
  return Arrival::kEnd;
}

uint64_t Timeline::TakeDueSnapshot() {
  if (!CheckHistory().ok()) return machine::kNever;
  const uint64_t here = machine_.moment();
  // There is always that of power-on.
  const uint64_t last = snapshots_.FindAtOrBefore(here)->moment();
  if (last != passed_snapshot_) {
    passed_snapshot_ = last;
    ran_since_ = absl::ZeroDuration();
  }
  if (!options_.host_time) {
    const uint64_t interval = options_.snapshot_interval * per_cycle_;
    if (last + interval > here) return last + interval;
    snapshots_.Take(PlaceHere());
    return here + interval;
  }
  const absl::Duration longest = options_.snapshot_time * options_.longest_snapshot_times;
  const bool is_dear = snapshots_overspent_ + snapshot_cost_ > kCredit;
  const absl::Duration time =
      is_dear ? std::clamp(snapshot_cost_ * kCostShare, options_.snapshot_time, longest)
              : options_.snapshot_time;
  if (ran_since_ < time) return machine::kNever;
  const absl::Time began = HostTime();
  snapshots_.Take(PlaceHere());
  snapshot_cost_ = HostTime() - began;
  snapshots_overspent_ = std::max(absl::ZeroDuration(),
                                  snapshots_overspent_ + snapshot_cost_ - ran_since_ / kCostShare);
  passed_snapshot_ = here;
  ran_since_ = absl::ZeroDuration();
  return machine::kNever;
}

absl::StatusOr<Arrival> Timeline::RunOn(const StopCondition& condition) {
  StopCondition part = condition;
  for (;;) {
    if (!left_log_.ok()) return left_log_;
    if (run_end_.has_value()) return Arrival::kEnd;
    const uint64_t here = machine_.moment();
    const uint64_t until = present_.has_value() ? present_->at.moment : machine::kNever;
    part.moment =
        std::min({condition.moment, here + kSlice * per_cycle_, TakeDueSnapshot(), until});
    const absl::Time began = HostTime();
    std::optional<machine::RunEnd> end = machine_.RunUntil(part);
    ran_since_ += HostTime() - began;
    DropUseless();
    const bool in_order = end.has_value() && end->kind != machine::RunEnd::Kind::kObserver;
    const bool come_back = !end.has_value() && machine_.moment() >= until;
    if (present_.has_value() && (in_order || come_back)) {
      if (absl::Status status = ReturnToPresent(); !status.ok()) return status;
      if (run_end_.has_value()) continue;
    } else if (end.has_value()) {
      return Ended(*std::move(end));
    }
    machine::StopReasons met = machine_.stopped_by();
    met.moment = machine_.moment() >= condition.moment;
    const bool of_one = condition.counts.size() == 1 && condition.instructions == machine::kNever;
    if (met.instructions && machine_.moment() != here && (of_one || condition.counts.empty())) {
      const int counted = of_one ? condition.counts.front().cpu : kAnyCpu;
      first_boundary_ = {counted, Retired(counted), machine_.moment()};
    }
    if (met.any()) return Arrival::kThere;
    if (interrupt_ && interrupt_()) return Arrival::kInterrupted;
  }
}

absl::Status Timeline::GoOnFrom(const Replayer::Place& place) {
  if (!left_log_.ok()) return absl::OkStatus();
  left_log_ = FollowLog(place);
  return left_log_;
}

absl::Status Timeline::Restore(const MemorySnapshots::Snapshot& snapshot) {
  run_end_.reset();
  left_log_ = snapshots_.Restore(snapshot);
  if (left_log_.ok()) left_log_ = Follow(snapshot.place(), snapshot.device_time());
  return left_log_;
}

absl::StatusOr<bool> Timeline::RestoreFromFile(const SnapshotInfo& snapshot) {
  const absl::StatusOr<bool> belongs = SeekToSnapshot(*log_, snapshot);
  if (!belongs.ok() || !*belongs) return belongs;
  if (absl::Status status = file_snapshots_->Restore(snapshot, machine_); !status.ok()) {
    return status;
  }
  Attach(replayer_.emplace(*log_, log_->header().config.clock_hz));
  snapshots_.Take(replayer_->place());
  return true;
}

}  // namespace isochron::timeline
