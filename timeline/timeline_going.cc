// Going to places of a run.

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>

#include "machine/events/event.h"
#include "timeline/timeline.h"

namespace isochron::timeline {
namespace {

using machine::StopCondition;

// Where Approach() takes snapshots: so far before the place, in cycles or instructions. Then a step
// back runs the least of these again, and a thousand of them the next.
constexpr std::array<uint64_t, 4> kApproach = {uint64_t{1} << 23, uint64_t{1} << 19,
                                               uint64_t{1} << 15, uint64_t{1} << 11};

// No instruction takes so many cycles, whatever it refers to.
constexpr uint64_t kLongestInstruction = uint64_t{1} << 10;

}  // namespace

StopCondition Timeline::AtRetired(int cpu, uint64_t instructions) {
  return cpu == kAnyCpu ? StopCondition::AtInstruction(instructions)
                        : StopCondition::AtInstructionOf(cpu, instructions);
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

const SnapshotInfo* Timeline::FileSnapshot(uint64_t cycle) const {
  if (file_snapshots_ == nullptr) return nullptr;
  const std::vector<SnapshotInfo>& all = file_snapshots_->snapshots();
  const SnapshotInfo* snapshot = file_snapshots_->FindAtOrBefore(cycle);
  while (snapshot != nullptr && unusable_[static_cast<size_t>(snapshot - all.data())]) {
    snapshot = snapshot == all.data() ? nullptr : snapshot - 1;
  }
  return snapshot;
}

Timeline::Start Timeline::BestStart(const MemorySnapshots::Snapshot* in_memory,
                                    uint64_t file_cycle) const {
  const SnapshotInfo* const in_file = FileSnapshot(file_cycle);
  // Restoring from the file takes longer than from memory.
  const bool farther =
      in_file == nullptr || in_file->cycle <= in_memory->cycle() + options_.snapshot_interval;
  if (farther) return {in_memory, nullptr, in_memory->moment()};
  return {in_memory, in_file, in_file->cycle * per_cycle_};
}

Timeline::Start Timeline::StartForCycle(uint64_t cycle) const {
  if (per_cycle_ == 1) return StartForMoment(cycle);
  // That of the file is of the boundary itself, where there is one of this cycle.
  const auto before = [cycle](const MemorySnapshots::Snapshot& one) { return one.cycle() < cycle; };
  return BestStart(snapshots_.FindLast(before), cycle);
}

absl::Status Timeline::StartFrom(const std::function<Start()>& find) {
  if (absl::Status status = LeavePresent(); !status.ok()) return status;
  for (;;) {
    const Start start = find();
    if (start.in_file == nullptr) return Restore(*start.in_memory);
    run_end_.reset();
    const absl::StatusOr<bool> restored = RestoreFromFile(*start.in_file);
    left_log_ = restored.status();
    if (restored.ok() && *restored) return absl::OkStatus();
    // It does not belong to the log, or is damaged: the next time others do.
    unusable_[static_cast<size_t>(start.in_file - file_snapshots_->snapshots().data())] = true;
    if (!restored.ok()) return restored.status();
  }
}

absl::Status Timeline::StartOrStay(bool ahead, const std::function<Start()>& find) {
  const uint64_t near = machine_.moment() + kSlice * per_cycle_;
  return ahead && find().moment <= near ? absl::OkStatus() : StartFrom(find);
}

absl::StatusOr<Arrival> Timeline::GoToMoment(uint64_t moment) {
  const uint64_t here = machine_.moment();
  const bool known_end = end_.has_value() && moment >= end_->moment;
  if (moment == here && left_log_.ok() && !known_end) return Arrival::kThere;
  if (live_ && moment >= known_to_moment()) {
    const absl::StatusOr<Arrival> present = GoToPresent();
    const bool done = !present.ok() || *present == Arrival::kEnd || moment == machine_.moment();
    return done ? present : RunOn(StopCondition::AtMoment(moment));
  }
  const bool ahead = moment >= here && left_log_.ok();
  const absl::Status status = StartOrStay(ahead, [=, this] { return StartForMoment(moment); });
  if (!status.ok()) return status;
  const uint64_t left = moment - std::min(moment, machine_.moment());
  return Approach(left / per_cycle_, [this, moment](uint64_t before) {
    return StopCondition::AtMoment(moment - before * per_cycle_);
  });
}

bool Timeline::StandsAtCycle(uint64_t cycle) const {
  return machine_.now() == cycle && machine_.takes_injections();
}

absl::StatusOr<Arrival> Timeline::GoToCycle(uint64_t cycle) {
  if (per_cycle_ == 1) return GoToMoment(cycle);
  const bool known_end = end_.has_value() && cycle >= end_->cycle;
  if (StandsAtCycle(cycle) && left_log_.ok() && !known_end) return Arrival::kThere;
  if (live_ && cycle > known_to()) {
    const absl::StatusOr<Arrival> present = GoToPresent();
    if (!present.ok() || *present == Arrival::kEnd) return present;
    return RunOn(StopCondition::AtCycle(cycle));
  }
  const bool ahead = cycle > machine_.now() && left_log_.ok();
  const absl::Status status = StartOrStay(ahead, [=, this] { return StartForCycle(cycle); });
  if (!status.ok()) return status;
  return Approach(cycle - std::min(cycle, machine_.now()),
                  [cycle](uint64_t before) { return StopCondition::AtCycle(cycle - before); });
}

absl::StatusOr<Arrival> Timeline::GoToRoundEnd() {
  while (!machine_.takes_injections() && !run_end_.has_value()) {
    const uint64_t next = machine_.inside_round() ? machine_.now() : machine_.now() + 1;
    absl::StatusOr<Arrival> arrival = RunOn(StopCondition::AtCycle(next));
    if (!arrival.ok() || *arrival != Arrival::kThere) return arrival;
  }
  return run_end_.has_value() ? Arrival::kEnd : Arrival::kThere;
}

absl::StatusOr<Arrival> Timeline::Undisturbed(const std::function<absl::StatusOr<Arrival>()>& go) {
  std::function<bool()> interrupt = std::exchange(interrupt_, nullptr);
  absl::StatusOr<Arrival> arrival = go();
  interrupt_ = std::move(interrupt);
  return arrival;
}

absl::Status Timeline::ComeBack(uint64_t moment) {
  return Undisturbed([=, this] { return GoToMoment(moment); }).status();
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

const SnapshotInfo* Timeline::FileSnapshotBetween(uint64_t low, uint64_t high) const {
  if (file_snapshots_ == nullptr) return nullptr;
  const std::vector<SnapshotInfo>& all = file_snapshots_->snapshots();
  std::vector<const SnapshotInfo*> between;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!unusable_[i] && all[i].cycle > low && all[i].cycle < high) between.push_back(&all[i]);
  }
  return between.empty() ? nullptr : between[between.size() / 2];
}

absl::StatusOr<Arrival> Timeline::StartBeforeInstruction(uint64_t instructions, int cpu) {
  const auto fewer = [=](const MemorySnapshots::Snapshot& one) {
    return one.instructions(cpu) < instructions;
  };
  bool ahead = Retired(cpu) < instructions && left_log_.ok();
  const MemorySnapshots::Snapshot* const nearest = snapshots_.FindLast(fewer);
  const MemorySnapshots::Snapshot* const behind = snapshots_.FindBehind(nearest->moment());
  // How many a CPU had retired at those of the file is known once the machine stands there.
  uint64_t low = ahead ? std::max(machine_.now(), nearest->cycle()) : nearest->cycle();
  uint64_t high = behind != nullptr ? behind->cycle() : machine::kNever;
  const auto middle = [&]() -> const SnapshotInfo* {
    return FileSnapshotBetween(low + options_.snapshot_interval, high);
  };
  const auto fewer_in_file = [&] { return BestStart(snapshots_.FindLast(fewer), low); };
  for (; middle() != nullptr; ahead = false) {
    if (interrupt_ && interrupt_()) return Arrival::kInterrupted;
    if (ahead) snapshots_.Take(PlaceHere());
    const absl::Status status = StartFrom([&] {
      return Start{snapshots_.FindLast(fewer), middle(), 0};
    });
    if (!status.ok()) return status;
    if (Retired(cpu) < instructions) {
      low = std::max(low, machine_.now());
    } else {
      high = machine_.now();
    }
  }
  const absl::Status status = StartOrStay(ahead, fewer_in_file);
  if (!status.ok()) return status;
  return Arrival::kThere;
}

absl::StatusOr<Arrival> Timeline::GoToInstruction(uint64_t instructions, int cpu) {
  if (instructions == 0) return GoToMoment(0);
  const StopCondition there = AtRetired(cpu, instructions);
  if (live_ && (in_past() ? present_->Retired(cpu) : Retired(cpu)) < instructions) {
    const absl::StatusOr<Arrival> present = GoToPresent();
    if (!present.ok() || *present == Arrival::kEnd) return present;
    return RunOn(there);
  }
  if (absl::Status status = LeavePresent(); !status.ok()) return status;
  if (cpu != kAnyCpu) {
    const absl::StatusOr<Arrival> start = StartBeforeInstruction(instructions, cpu);
    if (!start.ok() || *start != Arrival::kThere) return start;
  } else {
    const absl::StatusOr<uint64_t> close = CycleBeforeInstruction(instructions);
    if (!close.ok()) return close.status();
    const auto fewer = [=](const MemorySnapshots::Snapshot& one) {
      return one.instructions() < instructions;
    };
    const absl::Status status = StartOrStay(Retired(cpu) < instructions && left_log_.ok(), [&] {
      return BestStart(snapshots_.FindLast(fewer), *close);
    });
    if (!status.ok()) return status;
  }
  return Approach(instructions - Retired(cpu),
                  [=](uint64_t before) { return AtRetired(cpu, instructions - before); });
}

absl::StatusOr<Arrival> Timeline::GoToCycleOf(int cpu, uint64_t cycle) {
  if (live_ && cycle > known_to()) {
    const absl::StatusOr<Arrival> present = GoToPresent();
    if (!present.ok() || *present == Arrival::kEnd) return present;
  }
  const auto before = [=](const MemorySnapshots::Snapshot& one) { return one.cycle(cpu) < cycle; };
  // Machine time, which those of the file are found by, is that of the CPU which is farthest.
  const absl::Status status =
      StartOrStay(left_log_.ok() && machine_.cpu(cpu).cycle < cycle, [=, this] {
        return BestStart(snapshots_.FindLast(before), cycle - std::min<uint64_t>(cycle, 1));
      });
  if (!status.ok()) return status;
  absl::StatusOr<Arrival> arrival =
      Approach(cycle - std::min(cycle, machine_.cpu(cpu).cycle),
               [=](uint64_t distance) { return StopCondition::AtCycleOf(cpu, cycle - distance); });
  while (arrival.ok() && *arrival == Arrival::kThere && machine_.next_cpu() != cpu) {
    if (interrupt_ && interrupt_()) return Arrival::kInterrupted;
    arrival = RunOn(StopCondition::AtMoment(machine_.moment() + 1));
  }
  return arrival;
}

absl::StatusOr<Arrival> Timeline::GoToEvent(uint64_t number) {
  const absl::StatusOr<replaylog::Event> event = ReadEvent(number);
  if (!event.ok()) return event.status();
  if (std::holds_alternative<replaylog::EndEvent>(event->body)) {
    return live_ ? GoToPresent() : GoToEnd();
  }
  if (per_cycle_ != 1) return GoBehindEvent(number, event->last_cycle());
  // An interrupt is entered behind the boundary that its event names.
  const bool entered = std::holds_alternative<replaylog::InterruptEvent>(event->body);
  return GoToCycle(event->last_cycle() + (entered ? 1 : 0));
}

absl::StatusOr<Arrival> Timeline::GoBehindEvent(uint64_t number, uint64_t cycle) {
  const auto find = [&] {
    const auto before = [&](const MemorySnapshots::Snapshot& one) {
      return one.place().event <= number && one.cycle() < cycle;
    };
    return BestStart(snapshots_.FindLast(before), cycle - std::min<uint64_t>(cycle, 1));
  };
  const bool ahead = left_log_.ok() && PlaceHere().event <= number;
  if (absl::Status status = StartOrStay(ahead, find); !status.ok()) return status;
  // Rounds that are surely before it need not be stopped in.
  const uint64_t rounds = 4 * (header_.config.quantum + header_.config.input_interval);
  absl::StatusOr<Arrival> arrival = Arrival::kThere;
  if (cycle > machine_.now() + rounds) arrival = RunOn(StopCondition::AtCycle(cycle - rounds));
  StopCondition any;
  any.events = ~uint32_t{0};
  while (arrival.ok() && *arrival == Arrival::kThere && PlaceHere().event <= number) {
    arrival = RunOn(any);
  }
  return arrival;
}

absl::StatusOr<Arrival> Timeline::GoToBoundaryBefore(uint64_t moment, uint64_t instructions,
                                                     bool executed) {
  absl::StatusOr<Arrival> arrival =
      GoToInstruction(instructions - std::min<uint64_t>(instructions, 1));
  uint64_t last = machine_.moment();
  bool is_close = false;
  while (arrival.ok() && *arrival == Arrival::kThere && machine_.moment() < moment) {
    last = machine_.moment();
    StopCondition next = StopCondition::AtMoment(last + 1);
    const bool passes = AllWait() && !is_close;
    if (passes) {
      next = StopCondition::AtEvent<machine::InterruptEvent>();
      next.moment = moment;
    }
    arrival = RunOn(next);
    const bool there = arrival.ok() && *arrival == Arrival::kThere;
    if (passes && there && machine_.moment() >= moment && executed) {
      // One was waked without an interrupt, an instruction before.
      is_close = true;
      const uint64_t close = std::min(moment, kLongestInstruction * per_cycle_);
      arrival = GoToMoment(std::max(last, moment - close));
    }
  }
  if (!arrival.ok() || *arrival == Arrival::kInterrupted) return arrival;
  return GoToMoment(last);
}

bool Timeline::AllWait() const {
  for (int cpu = 0; cpu < machine_.cpu_count(); ++cpu) {
    if (!machine_.waiting(cpu)) return false;
  }
  return true;
}

absl::StatusOr<Arrival> Timeline::StepForward(uint64_t instructions, int cpu) {
  const uint64_t left = std::numeric_limits<uint64_t>::max() - Retired(cpu);
  return RunOn(AtRetired(cpu, Retired(cpu) + std::min(instructions, left)));
}

absl::StatusOr<Arrival> Timeline::StepBackward(uint64_t instructions, int cpu) {
  if (instructions == 0) return Arrival::kThere;
  if (absl::Status status = CheckHistory(); !status.ok()) return status;
  const uint64_t here = machine_.moment();
  const uint64_t retired = Retired(cpu);
  if (!first_boundary_.has_value() || first_boundary_->cpu != cpu ||
      first_boundary_->instructions != retired) {
    if (retired == 0) {
      first_boundary_ = {cpu, 0, 0};
    } else {
      const absl::StatusOr<Arrival> arrival = GoToInstruction(retired, cpu);
      if (!arrival.ok() || *arrival == Arrival::kInterrupted) return arrival;
      first_boundary_ = {cpu, retired, machine_.moment()};
    }
  }
  const uint64_t on_the_way = first_boundary_->moment == here ? 0 : 1;
  if (instructions > retired + on_the_way) {
    const absl::StatusOr<Arrival> arrival = GoToMoment(0);
    return arrival.ok() && *arrival == Arrival::kThere ? Arrival::kBegin : arrival;
  }
  return GoToInstruction(retired + on_the_way - instructions, cpu);
}

}  // namespace isochron::timeline
