#include "timeline/timeline.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "machine/events/event.h"
#include "timeline/seek.h"

namespace isochron::timeline {
namespace {

using machine::StopCondition;

// How far a run goes until it is asked whether to be interrupted, in cycles: some tens of
// milliseconds of host time.
constexpr uint64_t kSlice = uint64_t{1} << 24;

// Where Approach() takes snapshots: so far before the place, in cycles or instructions. Then a step
// back runs the least of these again, and a thousand of them the next.
constexpr std::array<uint64_t, 4> kApproach = {uint64_t{1} << 23, uint64_t{1} << 19,
                                               uint64_t{1} << 15, uint64_t{1} << 11};

// A run goes on for so many times what the last snapshot took before there is another one.
constexpr int64_t kCostShare = 100;

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

absl::Status Timeline::ReadPast(const std::function<void(replaylog::Event)>& take) {
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
    take(std::move(event));
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
  const uint64_t here = cpu().cycle;
  // There is always that of power-on.
  const uint64_t last = snapshots_.FindAtOrBefore(here)->cycle();
  if (last != passed_snapshot_) {
    passed_snapshot_ = last;
    ran_since_ = absl::ZeroDuration();
  }
  if (!options_.host_time) {
    const uint64_t due = last + options_.snapshot_interval;
    if (due > here) return due;
    snapshots_.Take(PlaceHere());
    return here + options_.snapshot_interval;
  }
  const absl::Duration time = std::clamp(snapshot_cost_ * kCostShare, options_.snapshot_time,
                                         options_.snapshot_time * options_.longest_snapshot_times);
  if (ran_since_ < time) return machine::kNever;
  const absl::Time began = HostTime();
  snapshots_.Take(PlaceHere());
  snapshot_cost_ = HostTime() - began;
  passed_snapshot_ = here;
  ran_since_ = absl::ZeroDuration();
  return machine::kNever;
}

absl::StatusOr<Arrival> Timeline::RunOn(const StopCondition& condition) {
  StopCondition part = condition;
  for (;;) {
    if (!left_log_.ok()) return left_log_;
    if (run_end_.has_value()) return Arrival::kEnd;
    const uint64_t here = cpu().cycle;
    const uint64_t until = present_.has_value() ? present_->cycle : machine::kNever;
    part.cycle = std::min({condition.cycle, here + kSlice, TakeDueSnapshot(), until});
    const absl::Time began = HostTime();
    std::optional<machine::RunEnd> end = machine_.RunUntil(part);
    ran_since_ += HostTime() - began;
    DropUseless();
    const bool in_order = end.has_value() && end->kind != machine::RunEnd::Kind::kObserver;
    if (present_.has_value() && (in_order || (!end.has_value() && cpu().cycle >= until))) {
      if (absl::Status status = ReturnToPresent(); !status.ok()) return status;
      if (run_end_.has_value()) continue;
    } else if (end.has_value()) {
      return Ended(*std::move(end));
    }
    machine::StopReasons met = machine_.stopped_by();
    met.cycle = cpu().cycle >= condition.cycle;
    if (met.instructions && cpu().cycle != here) {
      first_boundary_ = {cpu().instructions, cpu().cycle};
    }
    if (met.any()) return Arrival::kThere;
    if (interrupt_ && interrupt_()) return Arrival::kInterrupted;
  }
}

absl::StatusOr<Arrival> Timeline::Approach(uint64_t left,
                                           const std::function<StopCondition(uint64_t)>& at) {
  for (const uint64_t distance : kApproach) {
    if (left <= distance) continue;
    absl::StatusOr<Arrival> arrival = RunOn(at(distance));
    if (!arrival.ok() || *arrival != Arrival::kThere) return arrival;
    snapshots_.Take(PlaceHere());
    left = distance;
  }
  return RunOn(at(0));
}

absl::Status Timeline::GoOnFrom(const Replayer::Place& place) {
  if (!left_log_.ok()) return absl::OkStatus();
  left_log_ = FollowLog(place);
  return left_log_;
}

absl::Status Timeline::Restore(const MemorySnapshots::Snapshot& snapshot) {
  run_end_.reset();
  left_log_ = snapshots_.Restore(snapshot);
  if (left_log_.ok()) left_log_ = Follow(snapshot.place(), snapshot.cycle());
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

const SnapshotInfo* Timeline::FileSnapshot(uint64_t cycle) const {
  if (file_snapshots_ == nullptr) return nullptr;
  const std::vector<SnapshotInfo>& all = file_snapshots_->snapshots();
  const SnapshotInfo* snapshot = file_snapshots_->FindAtOrBefore(cycle);
  while (snapshot != nullptr && unusable_[static_cast<size_t>(snapshot - all.data())]) {
    snapshot = snapshot == all.data() ? nullptr : snapshot - 1;
  }
  return snapshot;
}

uint64_t Timeline::NearestStart(uint64_t cycle) const {
  const uint64_t in_memory = snapshots_.FindAtOrBefore(cycle)->cycle();
  const SnapshotInfo* const in_file = FileSnapshot(cycle);
  // Restoring from the file takes longer than from memory.
  const bool farther =
      in_file == nullptr || in_file->cycle <= in_memory + options_.snapshot_interval;
  return farther ? in_memory : in_file->cycle;
}

absl::Status Timeline::StartAtOrBefore(uint64_t cycle) {
  if (absl::Status status = LeavePresent(); !status.ok()) return status;
  for (;;) {
    const uint64_t start = NearestStart(cycle);
    const MemorySnapshots::Snapshot* const in_memory = snapshots_.FindAtOrBefore(start);
    if (in_memory->cycle() == start) return Restore(*in_memory);
    const SnapshotInfo* const in_file = FileSnapshot(start);
    run_end_.reset();
    const absl::StatusOr<bool> restored = RestoreFromFile(*in_file);
    left_log_ = restored.status();
    if (restored.ok() && *restored) return absl::OkStatus();
    // It does not belong to the log, or is damaged: the next time others do.
    unusable_[static_cast<size_t>(in_file - file_snapshots_->snapshots().data())] = true;
    if (!restored.ok()) return restored.status();
  }
}

absl::StatusOr<Arrival> Timeline::GoToCycle(uint64_t cycle) {
  const uint64_t here = cpu().cycle;
  const bool known_end = end_.has_value() && cycle >= end_->cycle;
  if (cycle == here && left_log_.ok() && !known_end) return Arrival::kThere;
  if (live_ && cycle >= known_to()) {
    const absl::StatusOr<Arrival> present = GoToPresent();
    if (!present.ok() || *present == Arrival::kEnd || cycle == cpu().cycle) return present;
    return RunOn(StopCondition::AtCycle(cycle));
  }
  if (cycle < here || NearestStart(cycle) > here + kSlice || !left_log_.ok()) {
    if (absl::Status status = StartAtOrBefore(cycle); !status.ok()) return status;
  }
  return Approach(cycle - std::min(cycle, cpu().cycle),
                  [cycle](uint64_t before) { return StopCondition::AtCycle(cycle - before); });
}

absl::Status Timeline::ComeBack(uint64_t cycle) {
  std::function<bool()> interrupt = std::exchange(interrupt_, nullptr);
  const absl::Status status = GoToCycle(cycle).status();
  interrupt_ = std::move(interrupt);
  return status;
}

absl::StatusOr<uint64_t> Timeline::CycleBeforeInstruction(uint64_t instructions) {
  const uint64_t known = live_ ? history_->events() : std::numeric_limits<uint64_t>::max();
  if (milestones_to_ < known) {
    const absl::Status status =
        ReadEventsFrom(milestones_to_, [this](const replaylog::Event& event) {
          const auto* checkpoint = std::get_if<replaylog::CheckpointEvent>(&event.body);
          if (checkpoint != nullptr) milestones_.push_back({checkpoint->instructions, event.cycle});
          milestones_to_ = event.number + 1;
          return true;
        });
    if (!status.ok()) return status;
    milestones_to_ = known;
  }
  const auto behind = std::partition_point(
      milestones_.begin() + 1, milestones_.end(),
      [instructions](const Milestone& one) { return one.instructions < instructions; });
  return (behind - 1)->cycle;
}

absl::StatusOr<Arrival> Timeline::GoToInstruction(uint64_t instructions) {
  if (instructions == 0) return GoToCycle(0);
  const uint64_t known = in_past() ? present_->instructions : cpu().instructions;
  if (live_ && instructions > known) {
    const absl::StatusOr<Arrival> present = GoToPresent();
    if (!present.ok() || *present == Arrival::kEnd) return present;
    return RunOn(StopCondition::AtInstruction(instructions));
  }
  if (absl::Status status = LeavePresent(); !status.ok()) return status;
  const absl::StatusOr<uint64_t> close = CycleBeforeInstruction(instructions);
  if (!close.ok()) return close.status();
  const MemorySnapshots::Snapshot& nearest = *snapshots_.FindBeforeInstruction(instructions);
  const uint64_t start = std::max(nearest.cycle(), NearestStart(*close));
  const bool ahead = cpu().instructions < instructions && left_log_.ok();
  if (!ahead || start > cpu().cycle + kSlice) {
    absl::Status status = nearest.cycle() == start ? Restore(nearest) : StartAtOrBefore(*close);
    if (!status.ok()) return status;
  }
  return Approach(instructions - cpu().instructions, [instructions](uint64_t before) {
    return StopCondition::AtInstruction(instructions - before);
  });
}

absl::StatusOr<Arrival> Timeline::GoToEvent(uint64_t number) {
  const absl::StatusOr<replaylog::Event> event = ReadEvent(number);
  if (!event.ok()) return event.status();
  if (std::holds_alternative<replaylog::EndEvent>(event->body)) {
    return live_ ? GoToPresent() : GoToEnd();
  }
  // An interrupt is entered behind the boundary that its event names.
  const bool entered = std::holds_alternative<replaylog::InterruptEvent>(event->body);
  return GoToCycle(event->last_cycle() + (entered ? 1 : 0));
}

absl::StatusOr<Arrival> Timeline::GoToBoundaryBefore(uint64_t cycle, uint64_t instructions) {
  absl::StatusOr<Arrival> arrival =
      GoToInstruction(instructions - std::min<uint64_t>(instructions, 1));
  uint64_t last = cpu().cycle;
  while (arrival.ok() && *arrival == Arrival::kThere && cpu().cycle < cycle) {
    last = cpu().cycle;
    StopCondition next = StopCondition::AtCycle(last + 1);
    if (machine_.waiting()) {
      next = StopCondition::AtEvent<machine::InterruptEvent>();
      next.cycle = cycle;
    }
    arrival = RunOn(next);
  }
  if (!arrival.ok() || *arrival == Arrival::kInterrupted) return arrival;
  return GoToCycle(last);
}

absl::StatusOr<Arrival> Timeline::StepForward(uint64_t instructions) {
  const uint64_t left = std::numeric_limits<uint64_t>::max() - cpu().instructions;
  return RunOn(StopCondition::AtInstruction(cpu().instructions + std::min(instructions, left)));
}

absl::StatusOr<Arrival> Timeline::StepBackward(uint64_t instructions) {
  if (instructions == 0) return Arrival::kThere;
  if (absl::Status status = CheckHistory(); !status.ok()) return status;
  const uint64_t here = cpu().cycle;
  const uint64_t retired = cpu().instructions;
  if (!first_boundary_.has_value() || first_boundary_->instructions != retired) {
    if (retired == 0) {
      first_boundary_ = {0, 0};
    } else {
      const absl::StatusOr<Arrival> arrival = GoToInstruction(retired);
      if (!arrival.ok() || *arrival == Arrival::kInterrupted) return arrival;
      first_boundary_ = {retired, cpu().cycle};
    }
  }
  const uint64_t on_the_way = first_boundary_->cycle == here ? 0 : 1;
  if (instructions > retired + on_the_way) {
    const absl::StatusOr<Arrival> arrival = GoToCycle(0);
    return arrival.ok() && *arrival == Arrival::kThere ? Arrival::kBegin : arrival;
  }
  return GoToInstruction(retired + on_the_way - instructions);
}

}  // namespace isochron::timeline
