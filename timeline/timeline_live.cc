// A run that is being made, and its past.

#include <utility>

#include "timeline/timeline.h"

namespace isochron::timeline {
namespace {

// The part of what there is for going back that is for events; the rest is for snapshots.
constexpr uint64_t kHistoryShare = 4;

Timeline::Options WithoutHistory(Timeline::Options options) {
  options.snapshot_bytes -= options.snapshot_bytes / kHistoryShare;
  return options;
}

}  // namespace

Timeline::Timeline(machine::Machine& machine, replaylog::LogHeader header, const Options& options)
    : machine_(machine),
      header_(std::move(header)),
      per_cycle_(machine::MomentsPerCycle(header_.config.cpus)),
      options_(WithoutHistory(options)),
      snapshots_(machine_, options_.snapshot_bytes),
      history_(std::in_place, options.snapshot_bytes / kHistoryShare) {}

std::unique_ptr<Timeline> Timeline::CreateLive(machine::Machine& machine,
                                               replaylog::LogHeader header,
                                               const Options& options) {
  std::unique_ptr<Timeline> timeline(new Timeline(machine, std::move(header), options));
  timeline->GoLive(machine.input_source(), machine.observer());
  timeline->snapshots_.Take({});
  return timeline;
}

Timeline::~Timeline() {
  machine_.SetObserver(owned_ == nullptr ? observer_ : nullptr);
  machine_.SetInputSource(owned_ == nullptr ? present_inputs_.source : nullptr);
  if (!present_.has_value()) return;
  machine_.SetConsoleSink(present_->console);
  machine_.SetFrameSink(present_->frames);
}

void Timeline::GoLive(machine::InputSource* inputs, machine::Observer* observer) {
  live_ = true;
  present_inputs_.source = inputs;
  observer_ = observer;
  if (observer != nullptr) observers_.Add(observer);
  observers_.Add(&*history_);
  past_events_ = history_->NewReader();
  machine_.SetObserver(&observers_);
  AskSource();
  replayer_.reset();
}

uint64_t Timeline::known_to() const {
  if (!live_) return machine::kNever;
  return in_past() ? present_->at.cycle : machine_.now();
}

uint64_t Timeline::known_to_moment() const {
  if (!live_) return machine::kNever;
  return in_past() ? present_->at.moment : machine_.moment();
}

absl::Status Timeline::CheckHistory() const { return live_ ? history_->error() : absl::OkStatus(); }

void Timeline::SetConsoleSink(machine::ConsoleSink* sink) {
  if (in_past()) {
    present_->console = sink;
  } else {
    machine_.SetConsoleSink(sink);
  }
}

Replayer::Place Timeline::PlaceHere() {
  return replayer_.has_value() ? replayer_->place() : Replayer::Place{history_->events(), 0, 0};
}

absl::Status Timeline::Follow(const Replayer::Place& place, uint64_t cycle) {
  if (!live_) return FollowLog(place);
  const absl::StatusOr<Replayer::Place> now = history_->PlaceNow(place, cycle);
  if (!now.ok()) return now.status();
  if (absl::Status status = past_events_->SeekToEvent(now->event); !status.ok()) return status;
  Attach(replayer_.emplace(*past_events_, header_.config.clock_hz, *now));
  return absl::OkStatus();
}

void Timeline::DropUseless() {
  if (!CheckHistory().ok() && snapshots_.count() != 0) snapshots_.Clear();
}

absl::Status Timeline::LeavePresent() {
  if (!live_ || in_past()) return absl::OkStatus();
  if (absl::Status status = CheckHistory(); !status.ok()) return status;
  // There may be one of before a debugger wrote here, or of before the end.
  snapshots_.TakeAgain(PlaceHere());
  snapshots_.Keep(machine_.moment());
  std::vector<uint64_t> retired;
  for (int cpu = 0; cpu < machine_.cpu_count(); ++cpu) retired.push_back(Retired(cpu));
  present_ = Present{.at = position(),
                     .cpu_instructions = std::move(retired),
                     .console = machine_.console_sink(),
                     .frames = machine_.frame_sink(),
                     .run_end = run_end_,
                     .left = left_log_,
                     .idle = IdleCycles()};
  machine_.SetConsoleSink(nullptr);
  machine_.SetFrameSink(nullptr);
  machine_.SetObserver(nullptr);
  machine_.SetInputSource(nullptr);
  return absl::OkStatus();
}

absl::Status Timeline::ReturnToPresent() {
  const Present present = *std::exchange(present_, std::nullopt);
  absl::Status status = snapshots_.Restore(*snapshots_.FindAtOrBefore(present.at.moment));
  snapshots_.Keep(std::nullopt);
  replayer_.reset();
  machine_.SetConsoleSink(present.console);
  machine_.SetFrameSink(present.frames);
  machine_.SetObserver(&observers_);
  AskSource();
  present_inputs_.idle_elsewhere += IdleCycles() - present.idle;
  // A request to stop that came meanwhile has been asked for in vain.
  machine_.LookForStop();
  run_end_ = present.run_end;
  left_log_ = status.ok() ? present.left : status;
  lost_ = status;
  return status;
}

absl::StatusOr<Arrival> Timeline::GoToPresent() {
  if (in_past()) {
    if (absl::Status status = ReturnToPresent(); !status.ok()) return status;
  }
  if (!lost_.ok()) return lost_;
  return run_end_.has_value() ? Arrival::kEnd : Arrival::kThere;
}

absl::Status Timeline::Branch(machine::InputSource* inputs, machine::Observer* observer) {
  if (live_) return absl::FailedPreconditionError("the run is live already");
  if (!left_log_.ok()) return left_log_;
  if (run_end_.has_value()) {
    return absl::FailedPreconditionError("the recording ends here: there is no machine to go on");
  }
  history_.emplace(options_.snapshot_bytes / kHistoryShare);
  snapshots_.SetMaxBytes(WithoutHistory(options_).snapshot_bytes);
  absl::Status status =
      ReadPast([this](const replaylog::Event& event) { history_->Append(event); });
  if (!status.ok()) return status;
  GoLive(inputs, observer);
  // What lies behind is of another future.
  snapshots_.DropBehind(machine_.moment());
  unusable_.assign(unusable_.size(), true);
  milestones_ = {{0, 0}};
  milestones_to_ = 0;
  end_.reset();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<machine::RunEnd>> Timeline::Inject(machine::Input input) {
  if (!live_) return absl::FailedPreconditionError("a recording cannot be changed");
  if (in_past()) return absl::FailedPreconditionError("the past of a run cannot be changed");
  if (!lost_.ok()) return lost_;
  if (run_end_.has_value()) return absl::FailedPreconditionError("the run has ended");
  if (!machine_.takes_injections()) {
    if (input.kind != machine::InputKind::kStop) {
      return absl::FailedPreconditionError(
          "nothing can be written inside a round of several CPUs: monitor goto round leads to its "
          "end, where it can");
    }
    // It stops at the next boundary that a log can tell of, which is not far.
    const absl::StatusOr<Arrival> round = Undisturbed([this] { return GoToRoundEnd(); });
    if (!round.ok()) return round.status();
    if (run_end_.has_value()) return run_end_;
  }
  std::optional<machine::RunEnd> end = machine_.Inject(std::move(input));
  DropUseless();
  const MemorySnapshots::Snapshot* const last = snapshots_.FindAtOrBefore(machine_.moment());
  if (last != nullptr && last->moment() == machine_.moment()) snapshots_.TakeAgain(PlaceHere());
  if (!end.has_value()) return end;
  const absl::StatusOr<Arrival> ended = Ended(*end);
  if (!ended.ok()) return ended.status();
  return end;
}

}  // namespace isochron::timeline
