// Going about in a recording of several CPUs: each boundary, also inside a round, is there again.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "machine/machine_rounds_testing.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/arrival_testing.h"
#include "timeline/recorder.h"
#include "timeline/snapshot.h"
#include "timeline/timeline.h"

namespace isochron::timeline {
namespace {

using machine::Machine;
using machine::Rig;
using machine::StopCondition;

constexpr uint64_t kQuantum = 3'000;
// The file has a snapshot of every so many checkpoints.
constexpr int kPoints = 2;

struct Case {
  uint32_t cpus;
  std::string schedule;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.cpus << " " << value.schedule; }

// A boundary, and what the machine was like there.
struct Boundary {
  uint64_t moment = 0;
  uint64_t cycle = 0;
  std::optional<int> next;
  std::vector<uint64_t> retired;
  machine::Digest state;

  friend bool operator==(const Boundary&, const Boundary&) = default;
};

void PrintTo(const Boundary& at, std::ostream* out) {
  *out << absl::StrCat("moment ", at.moment, ", cycle ", at.cycle, ", CPU ", at.next.value_or(-1),
                       ", state ", at.state.ToString());
}

Boundary BoundaryOf(const Machine& machine) {
  Boundary at{machine.moment(), machine.now(), machine.next_cpu(), {}, machine.StateDigest()};
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    at.retired.push_back(machine.cpu(cpu).instructions);
  }
  return at;
}

class TimelineOfSeveral : public ::testing::TestWithParam<Case> {
 protected:
  TimelineOfSeveral() {
    const std::unique_ptr<Rig> rig = Make();
    const replaylog::LogHeader header = HeaderOf(rig->machine->config());
    auto writer = replaylog::LogWriter::Create(path_, header);
    auto snapshots = SnapshotWriter::Create(SnapshotPath(path_), header);
    EXPECT_TRUE(writer.ok() && snapshots.ok());
    Recorder recorder(**writer);
    rig->machine->SetObserver(&recorder);
    const auto checkpoint = StopCondition::AtEvent<machine::CheckpointEvent>();
    for (int i = 0; !rig->machine->RunUntil(checkpoint).has_value(); ++i) {
      if (i % kPoints != kPoints - 1) continue;
      EXPECT_TRUE((*snapshots)->Take(*rig->machine).ok());
    }
    end_ = rig->machine->moment();
    end_cycle_ = rig->machine->now();
    EXPECT_TRUE((*writer)->Finish().ok());
    EXPECT_TRUE((*snapshots)->Finish().ok());
  }

  static std::unique_ptr<Rig> Make() {
    return std::make_unique<Rig>(GetParam().cpus, kQuantum, GetParam().schedule);
  }

  std::unique_ptr<Timeline> Open(uint64_t interval = 40'000) {
    auto log = replaylog::LogReader::Open(path_);
    EXPECT_TRUE(log.ok()) << log.status();
    auto snapshots = SnapshotReader::Open(SnapshotPath(path_), (*log)->header());
    EXPECT_TRUE(snapshots.ok()) << snapshots.status();
    Timeline::Options options;
    options.snapshot_interval = interval;
    const std::unique_ptr<Rig> rig = Make();
    rig->machine->SetObserver(nullptr);
    auto timeline =
        Timeline::Create(*std::move(log), *std::move(snapshots), std::move(rig->machine), options);
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    return *std::move(timeline);
  }

  uint64_t Random(uint64_t below) { return random_() % below; }

  const std::string path_ = replaylog::TestPath("log");
  uint64_t end_ = 0;
  uint64_t end_cycle_ = 0;
  std::mt19937_64 random_{20261128};
};

TEST_P(TimelineOfSeveral, RandomSeeksLeadToTheStateOfAStraightRun) {
  std::vector<uint64_t> moments(200);
  for (uint64_t& moment : moments) moment = Random(end_);
  std::vector<uint64_t> sorted = moments;
  std::ranges::sort(sorted);
  std::map<uint64_t, Boundary> expected;
  const std::unique_ptr<Rig> straight = Make();
  size_t inside = 0;
  for (const uint64_t moment : sorted) {
    ASSERT_FALSE(straight->machine->RunUntil(StopCondition::AtMoment(moment)).has_value());
    expected[moment] = BoundaryOf(*straight->machine);
    inside += straight->machine->inside_round() ? 1 : 0;
  }
  EXPECT_GT(inside, 2u);
  const std::unique_ptr<Timeline> timeline = Open();
  for (const uint64_t moment : moments) {
    SCOPED_TRACE(absl::StrCat("to ", moment, " from ", timeline->machine().moment()));
    ExpectThere(timeline->GoToMoment(moment));
    ASSERT_EQ(BoundaryOf(timeline->machine()), expected[moment]);
  }
  const absl::StatusOr<Arrival> end = timeline->GoToEnd();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, Arrival::kEnd);
}

TEST_P(TimelineOfSeveral, ACycleIsAPlaceBetweenRounds) {
  const std::unique_ptr<Timeline> timeline = Open();
  for (int i = 0; i < 60; ++i) {
    const uint64_t cycle = Random(end_cycle_);
    SCOPED_TRACE(absl::StrCat("to ", cycle, " from ", timeline->machine().moment()));
    ExpectThere(timeline->GoToCycle(cycle));
    EXPECT_FALSE(timeline->machine().inside_round());
    const Boundary there = BoundaryOf(timeline->machine());
    EXPECT_GE(there.cycle, cycle);
    if (i % 3 == 0) {
      const std::unique_ptr<Rig> straight = Make();
      ASSERT_FALSE(straight->machine->RunUntil(StopCondition::AtCycle(cycle)).has_value());
      ASSERT_EQ(BoundaryOf(*straight->machine), there);
    }
    // From a little farther on, too, and from its own cycle.
    ExpectThere(timeline->GoToMoment(there.moment + 1 + Random(90)));
    ExpectThere(timeline->GoToCycle(there.cycle));
    ASSERT_EQ(BoundaryOf(timeline->machine()), there);
  }
}

TEST_P(TimelineOfSeveral, StepsBackVisitTheSamePlaces) {
  const std::unique_ptr<Timeline> timeline = Open();
  for (int round = 0; round < 12; ++round) {
    // Of all CPUs, or of one.
    const int cpu = round % 3 == 0 ? Timeline::kAnyCpu : static_cast<int>(Random(GetParam().cpus));
    ExpectThere(timeline->GoToMoment(end_ / 10 + Random(end_ / 2)));
    ExpectThere(timeline->StepForward(1, cpu));
    std::vector<Boundary> places = {BoundaryOf(timeline->machine())};
    for (int i = 0; i < 40; ++i) {
      ExpectThere(timeline->StepForward(i % 7 == 0 ? 100 : 1, cpu));
      places.push_back(BoundaryOf(timeline->machine()));
      if (cpu == Timeline::kAnyCpu) continue;
      const auto index = static_cast<size_t>(cpu);
      const uint64_t before = places[places.size() - 2].retired[index];
      ASSERT_EQ(places.back().retired[index] - before, i % 7 == 0 ? 100u : 1u);
    }
    for (size_t i = places.size() - 1; i-- > 0;) {
      SCOPED_TRACE(absl::StrCat("round ", round, ", step ", i, ", CPU ", cpu));
      ExpectThere(timeline->StepBackward(i % 7 == 0 ? 100 : 1, cpu));
      ASSERT_EQ(BoundaryOf(timeline->machine()), places[i]);
    }
    if (cpu == Timeline::kAnyCpu) continue;
    const Boundary& middle = places[places.size() / 2];
    ExpectThere(timeline->GoToInstruction(middle.retired[static_cast<size_t>(cpu)], cpu));
    EXPECT_EQ(BoundaryOf(timeline->machine()), middle);
  }
}

// An event is there at the boundary behind it, and not at the one before.
TEST_P(TimelineOfSeveral, AnEventIsAPlace) {
  const std::unique_ptr<Timeline> timeline = Open();
  ASSERT_EQ(*timeline->GoToEnd(), Arrival::kEnd);
  const uint64_t events = timeline->position().event;
  ASSERT_GT(events, 300u);
  for (int i = 0; i < 60; ++i) {
    const uint64_t number = Random(events - 1);
    SCOPED_TRACE(absl::StrCat("to event ", number, " from ", timeline->machine().moment()));
    ExpectThere(timeline->GoToEvent(number));
    EXPECT_GT(timeline->position().event, number);
    const uint64_t moment = timeline->machine().moment();
    for (const uint64_t back : {uint64_t{1}, 40 + Random(40)}) {
      ExpectThere(timeline->GoToMoment(moment - std::min(moment, back)));
      if (timeline->machine().moment() == moment) continue;
      ASSERT_LT(timeline->machine().moment(), moment);
      ASSERT_LE(timeline->position().event, number);
    }
    ExpectThere(timeline->GoToEvent(number));
    EXPECT_EQ(timeline->machine().moment(), moment);
  }
}

TEST_P(TimelineOfSeveral, BackwardsLeadsToTheLastInterrupt) {
  const std::unique_ptr<Timeline> timeline = Open();
  const auto interrupts = StopCondition::AtEvent<machine::InterruptEvent>();
  for (int i = 0; i < 20; ++i) {
    ExpectThere(timeline->GoToMoment(end_ / 10 + Random(end_ / 2)));
    const uint64_t from = timeline->machine().moment();
    ExpectThere(timeline->RunForward(interrupts));
    const Boundary hit = BoundaryOf(timeline->machine());
    ASSERT_GT(hit.moment, from);
    ExpectThere(timeline->RunForward(interrupts));
    ExpectThere(timeline->RunBackward(interrupts));
    ASSERT_EQ(BoundaryOf(timeline->machine()), hit);
  }
}

// Nothing is between the boundary in front of a reference and the one behind it: nor where a CPU
// has just been waked, without an interrupt, while all stood still.
TEST_P(TimelineOfSeveral, BackwardsLeadsRightInFrontOfAReference) {
  const std::unique_ptr<Timeline> timeline = Open();
  StopCondition stores;
  stores.ranges = {{alpha::StopRange::Space::kPhysical, machine::kShared, 8, false, true}};
  int waked = 0;
  ExpectThere(timeline->GoToMoment(end_ / 10));
  const int hits = GetParam().cpus == 2 ? 800 : 60;
  for (int i = 0; i < hits; ++i) {
    ExpectThere(timeline->RunForward(stores));
    ASSERT_TRUE(timeline->reference().has_value());
    const Boundary behind = BoundaryOf(timeline->machine());
    ExpectThere(timeline->RunBackward(stores));
    const Boundary in_front = BoundaryOf(timeline->machine());
    SCOPED_TRACE(absl::StrCat("from ", behind.moment, " to ", in_front.moment));
    ASSERT_LT(in_front.moment, behind.moment);
    ExpectThere(timeline->GoToMoment(in_front.moment + 1));
    ASSERT_EQ(BoundaryOf(timeline->machine()), behind);
    // A cycle before.
    ExpectThere(timeline->GoToMoment(in_front.moment - 1 - 2 * GetParam().cpus));
    bool all_waited = timeline->machine().moment() < in_front.moment;
    for (uint32_t cpu = 0; cpu < GetParam().cpus; ++cpu) {
      all_waited = all_waited && timeline->machine().waiting(static_cast<int>(cpu));
    }
    waked += all_waited ? 1 : 0;
    ExpectThere(timeline->GoToMoment(behind.moment));
  }
  if (GetParam().cpus == 2) {
    EXPECT_GT(waked, 0);
  }
}

// A place far away is come to from the snapshot of the file that is the last in front of it.
TEST_P(TimelineOfSeveral, PlacesOfOneCpuAreNotFarFromASnapshot) {
  constexpr uint64_t kBetween = kPoints * 20'000;  // cycles from one of them to the next
  for (int i = 0; i < 8; ++i) {
    const auto cpu = static_cast<int>(Random(GetParam().cpus));
    const std::unique_ptr<Timeline> timeline = Open(1'000);
    // From power-on, or a little behind it.
    if (i % 2 == 0) ExpectThere(timeline->GoToMoment(Random(end_ / 8)));
    const std::unique_ptr<Rig> there = Make();
    const uint64_t moment = end_ - 100 - Random(end_ / 4);
    ASSERT_FALSE(there->machine->RunUntil(StopCondition::AtMoment(moment)).has_value());
    const uint64_t count = 1 + there->machine->cpu(cpu).instructions;
    const uint64_t cycle = 1 + there->machine->cpu(cpu).cycle;
    SCOPED_TRACE(absl::StrCat("CPU ", cpu, " to instruction ", count, " or cycle ", cycle, " from ",
                              timeline->machine().moment()));
    const bool by_cycle = i % 4 >= 2;
    const uint64_t steps = machine::FakeEngine::steps;
    ExpectThere(by_cycle ? timeline->GoToCycleOf(cpu, cycle)
                         : timeline->GoToInstruction(count, cpu));
    const uint64_t taken = machine::FakeEngine::steps - steps;
    // Each takes four cycles, on average. To a cycle that is no farther ahead than this run is long
    // it goes from where it stands.
    if (!by_cycle) {
      EXPECT_LT(taken, kBetween * GetParam().cpus / 4);
    }
    const StopCondition straight = by_cycle ? StopCondition::AtCycleOf(cpu, cycle)
                                            : StopCondition::AtInstructionOf(cpu, count);
    ASSERT_FALSE(there->machine->RunUntil(straight).has_value());
    while (by_cycle && there->machine->next_cpu() != cpu) {
      const auto next = StopCondition::AtMoment(there->machine->moment() + 1);
      ASSERT_FALSE(there->machine->RunUntil(next).has_value());
    }
    EXPECT_EQ(BoundaryOf(timeline->machine()), BoundaryOf(*there->machine));
  }
}

// Whoever is in a hurry: the log of a run that ends inside a round would be none.
TEST_P(TimelineOfSeveral, ARequestToStopComesToTheEndOfTheRound) {
  const std::unique_ptr<Rig> rig = Make();
  Timeline::Options options;
  options.snapshot_interval = 1;  // it is asked at each whether to go on
  const std::unique_ptr<Timeline> timeline =
      Timeline::CreateLive(*rig->machine, HeaderOf(rig->machine->config()), options);
  ExpectThere(timeline->GoToCycle(kQuantum / 2));
  ExpectThere(timeline->StepForward());
  ASSERT_TRUE(rig->machine->inside_round());
  timeline->SetInterrupt([] { return true; });
  const auto end = timeline->Inject(machine::Input::Stop(machine::StopCause::kQuit));
  ASSERT_TRUE(end.ok()) << end.status();
  ASSERT_TRUE(end->has_value());
  EXPECT_EQ((*end)->kind, machine::RunEnd::Kind::kStopped);
  EXPECT_FALSE(rig->machine->inside_round());
}

INSTANTIATE_TEST_SUITE_P(Schedules, TimelineOfSeveral,
                         ::testing::Values(Case{2, "fixed"}, Case{4, "fixed"},
                                           Case{3, "random:7:1-90"}, Case{4, "random:2"},
                                           Case{3, "pct:3:40:40000"},
                                           Case{3, "switches:0:0-2,900:2-1,5000:1-0,5000:1-2"}));

}  // namespace
}  // namespace isochron::timeline
