// Going through recordings of guests of several CPUs, under one schedule and another: wherever one
// goes, each CPU is as it was, on every engine.

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
#include "conformance/guests/guest_recording.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "timeline/arrival_testing.h"
#include "timeline/snapshot.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using machine::Machine;
using machine::StopCondition;
using timeline::Arrival;
using timeline::ExpectThere;
using timeline::Timeline;

struct Case {
  std::string schedule;
  std::string engine;
};

void PrintTo(const Case& value, std::ostream* out) {
  *out << value.schedule << ", " << value.engine;
}

// A boundary, who executes next there, and what the machine is like.
struct Boundary {
  uint64_t moment = 0;
  std::optional<int> next;
  uint64_t pc = 0;  // of that one
  machine::Digest state;

  friend bool operator==(const Boundary&, const Boundary&) = default;
};

void PrintTo(const Boundary& at, std::ostream* out) {
  *out << absl::StrCat("moment ", at.moment, ", CPU ", at.next.value_or(-1), ", PC ",
                       absl::Hex(at.pc), ", state ", at.state.ToString());
}

Boundary BoundaryOf(const Machine& machine) {
  const std::optional<int> next = machine.next_cpu();
  return {machine.moment(), next, next.has_value() ? machine.cpu(*next).pc : 0,
          machine.StateDigest()};
}

class TimelineOfCpus : public ::testing::TestWithParam<Case> {
 protected:
  TimelineOfCpus() : recording_("litmus", Config()) {
    const std::unique_ptr<Machine> straight = recording_.StraightRun();
    straight->Run();
    end_ = straight->moment();
  }

  static machine::MachineConfig Config() {
    machine::MachineConfig config = GuestRecording::Config();
    config.cpus = 4;
    config.quantum = 5'000;
    config.schedule = *machine::ScheduleConfig::Parse(GetParam().schedule);
    config.command_line = "20";
    return config;
  }

  std::unique_ptr<Timeline> Open() {
    auto log = replaylog::LogReader::Open(recording_.path());
    EXPECT_TRUE(log.ok()) << log.status();
    auto snapshots = timeline::SnapshotReader::Open(recording_.snapshot_path(), (*log)->header());
    EXPECT_TRUE(snapshots.ok()) << snapshots.status();
    Timeline::Options options;
    options.snapshot_interval = 300'000;
    auto timeline = Timeline::Create(*std::move(log), *std::move(snapshots),
                                     recording_.Make(GetParam().engine), options);
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    return *std::move(timeline);
  }

  // A run on the interpreter in the middle of what the CPUs do to one another, and before its end.
  std::unique_ptr<Machine> StraightTo(uint64_t moment) {
    std::unique_ptr<Machine> machine = recording_.StraightRun();
    EXPECT_FALSE(machine->RunUntil(StopCondition::AtMoment(moment)).has_value());
    return machine;
  }
  uint64_t Middle() { return end_ / 2 + Random(end_ / 4); }
  uint64_t Random(uint64_t below) { return random_() % below; }

  GuestRecording recording_;
  uint64_t end_ = 0;
  std::mt19937_64 random_{20261128};
};

TEST_P(TimelineOfCpus, RandomSeeksLeadToTheStateOfAStraightRun) {
  std::vector<uint64_t> moments(60);
  for (uint64_t& moment : moments) moment = Random(end_);
  std::vector<uint64_t> sorted = moments;
  std::ranges::sort(sorted);
  std::map<uint64_t, Boundary> expected;
  const std::unique_ptr<Machine> straight = recording_.StraightRun();
  for (const uint64_t moment : sorted) {
    ASSERT_FALSE(straight->RunUntil(StopCondition::AtMoment(moment)).has_value());
    expected[moment] = BoundaryOf(*straight);
  }
  const std::unique_ptr<Timeline> timeline = Open();
  for (const uint64_t moment : moments) {
    SCOPED_TRACE(absl::StrCat("to ", moment, " from ", timeline->machine().moment()));
    ExpectThere(timeline->GoToMoment(moment));
    ASSERT_EQ(BoundaryOf(timeline->machine()), expected[moment]);
  }
}

// Wherever an instruction at one of these PCs is the next that is executed, by whatever CPU: as one
// finds out who looks at each boundary.
TEST_P(TimelineOfCpus, PcsAreStoppedAtWhereTheyAreExecuted) {
  const std::unique_ptr<Machine> straight = StraightTo(Middle());
  const uint64_t begin = straight->moment();
  std::vector<Boundary> boundaries;
  std::vector<uint64_t> pcs;
  for (int i = 0; i < 12'000; ++i) {
    ASSERT_FALSE(straight->RunUntil(StopCondition::AtMoment(straight->moment() + 1)).has_value());
    const std::optional<int> next = straight->next_cpu();
    if (!next.has_value()) continue;
    const uint64_t pc = straight->cpu(*next).pc;
    if (pcs.size() < 3 && Random(2'000) == 0) pcs.push_back(pc);
    boundaries.push_back({straight->moment(), next, pc, {}});
  }
  std::erase_if(boundaries,
                [&](const Boundary& at) { return std::ranges::find(pcs, at.pc) == pcs.end(); });
  ASSERT_FALSE(boundaries.empty());
  const uint64_t end = straight->moment();

  const std::unique_ptr<Timeline> timeline = Open();
  ExpectThere(timeline->GoToMoment(begin));
  StopCondition condition = StopCondition::AtPcs(pcs);
  condition.moment = end;
  std::vector<Boundary> hits;
  for (;;) {
    ExpectThere(timeline->RunForward(condition));
    if (!timeline->met().pc) break;
    hits.push_back(BoundaryOf(timeline->machine()));
    if (timeline->machine().moment() == end) break;
  }
  ASSERT_EQ(hits.size(), boundaries.size());
  for (size_t i = 0; i < hits.size(); ++i) {
    EXPECT_EQ(hits[i].moment, boundaries[i].moment);
    EXPECT_EQ(hits[i].next, boundaries[i].next);
    EXPECT_EQ(hits[i].pc, boundaries[i].pc);
  }
  ExpectThere(timeline->GoToMoment(end + 1));
  for (size_t i = hits.size(); i-- > hits.size() - std::min<size_t>(hits.size(), 12);) {
    ExpectThere(timeline->RunBackward(StopCondition::AtPcs(pcs)));
    ASSERT_EQ(BoundaryOf(timeline->machine()), hits[i]);
  }
}

// Behind a reference forwards, in front of it backwards; and whose it is.
TEST_P(TimelineOfCpus, ReferencesAreOfTheCpuThatHasMadeThem) {
  const std::unique_ptr<Timeline> timeline = Open();
  ExpectThere(timeline->GoToMoment(Middle()));
  StopCondition any;
  any.ranges = {{alpha::StopRange::Space::kPhysical, 0, uint64_t{1} << 30, false, true}};
  // Those of all CPUs, one after the other.
  std::vector<int> makers(4);
  for (int i = 0; i < 60; ++i) {
    const uint64_t before = timeline->machine().moment();
    ExpectThere(timeline->RunForward(any));
    const std::optional<alpha::MemoryReference> made = timeline->reference();
    ASSERT_TRUE(made.has_value() && made->pc.has_value());
    ++makers[made->cpu];
    if (i % 6 != 0) continue;
    const Boundary behind = BoundaryOf(timeline->machine());
    ExpectThere(timeline->RunBackward(any));
    const Boundary in_front = BoundaryOf(timeline->machine());
    EXPECT_GE(in_front.moment, before);
    EXPECT_EQ(in_front.next, static_cast<int>(made->cpu));
    EXPECT_EQ(in_front.pc, *made->pc);
    ExpectThere(timeline->RunForward(StopCondition::AtMoment(in_front.moment + 1)));
    ASSERT_EQ(BoundaryOf(timeline->machine()), behind);
    ExpectThere(timeline->GoToMoment(behind.moment + 1 + Random(20'000)));
  }
  EXPECT_GT(std::ranges::count_if(makers, [](int made) { return made > 0; }), 1);
}

TEST_P(TimelineOfCpus, EachCpuStepsByItself) {
  const std::unique_ptr<Machine> straight = StraightTo(Middle());
  const std::unique_ptr<Timeline> timeline = Open();
  ExpectThere(timeline->GoToMoment(straight->moment()));
  for (int i = 0; i < 12; ++i) {
    const auto cpu = static_cast<int>(Random(4));
    const uint64_t count = i % 4 == 0 ? 50 : 1;
    const uint64_t wanted = straight->cpu(cpu).instructions + count;
    SCOPED_TRACE(absl::StrCat("CPU ", cpu, " to instruction ", wanted));
    ASSERT_FALSE(straight->RunUntil(StopCondition::AtInstructionOf(cpu, wanted)).has_value());
    ExpectThere(timeline->StepForward(count, cpu));
    const Boundary there = BoundaryOf(*straight);
    ASSERT_EQ(BoundaryOf(timeline->machine()), there);
    EXPECT_EQ(straight->cpu(cpu).instructions, wanted);
    ExpectThere(timeline->StepBackward(count, cpu));
    EXPECT_EQ(timeline->machine().cpu(cpu).instructions, wanted - count);
    ExpectThere(timeline->StepForward(count, cpu));
    ASSERT_EQ(BoundaryOf(timeline->machine()), there);
    // The boundary at which it is to execute, that one which a cycle of its own names.
    const uint64_t cycle = straight->cpu(cpu).cycle;
    ExpectThere(timeline->GoToCycleOf(cpu, cycle));
    EXPECT_EQ(timeline->machine().next_cpu(), cpu);
    EXPECT_EQ(timeline->machine().cpu(cpu).cycle, cycle);
    ExpectThere(timeline->GoToMoment(there.moment));
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules, TimelineOfCpus,
                         ::testing::Values(Case{"fixed", "ref"}, Case{"random:5:1-60", "ref"},
#ifdef ISOCHRON_JIT
                                           Case{"fixed", "jit:threshold=1"},
                                           Case{"random:5:1-60", "jit:threshold=1"},
                                           Case{"pct:9:30:2000000", "jit"},
#endif
                                           Case{"pct:9:30:2000000", "ref"}));

}  // namespace
}  // namespace isochron::conformance
