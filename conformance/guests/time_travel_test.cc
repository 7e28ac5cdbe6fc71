// Going through recordings of guests: wherever one goes, and from wherever, the machine is as it
// was when it came there the first time, on every engine.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "conformance/guests/guest_recording.h"
#include "conformance/guests/guest_run.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "timeline/snapshot.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using machine::Machine;
using machine::StopCondition;
using timeline::Arrival;
using timeline::Timeline;

// A boundary of a run and what the machine was like there.
struct Boundary {
  uint64_t cycle = 0;
  uint64_t instructions = 0;
  uint64_t pc = 0;
  machine::Digest state;

  friend bool operator==(const Boundary&, const Boundary&) = default;
};

void PrintTo(const Boundary& boundary, std::ostream* out) {
  *out << absl::StrCat("cycle ", boundary.cycle, ", instruction ", boundary.instructions, ", PC ",
                       absl::Hex(boundary.pc), ", state ", boundary.state.ToString());
}

Boundary BoundaryOf(const Machine& machine) {
  const alpha::Cpu& cpu = machine.cpu();
  return {cpu.cycle, cpu.instructions, cpu.pc, machine.StateDigest()};
}

struct Case {
  std::string guest;
  std::string engine;
};

class TimelineOfGuest : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr uint64_t kInterval = 1'500'000;  // between snapshots

  explicit TimelineOfGuest() : recording_(GetParam().guest), end_(recording_.end()) {}

  std::unique_ptr<Timeline> Open(bool with_file, const Timeline::Options& options = {
                                                     uint64_t{256} << 20, kInterval}) {
    auto log = replaylog::LogReader::Open(recording_.path());
    EXPECT_TRUE(log.ok()) << log.status();
    std::unique_ptr<timeline::SnapshotReader> snapshots;
    if (with_file) {
      auto reader = timeline::SnapshotReader::Open(recording_.snapshot_path(), (*log)->header());
      EXPECT_TRUE(reader.ok()) << reader.status();
      snapshots = *std::move(reader);
    }
    auto timeline = Timeline::Create(*std::move(log), std::move(snapshots),
                                     recording_.Make(GetParam().engine), options);
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    return *std::move(timeline);
  }

  uint64_t Random(uint64_t below) { return random_() % below; }

  GuestRecording recording_;
  const uint64_t end_;
  std::mt19937_64 random_{20261128};
};

void ExpectThere(const absl::StatusOr<Arrival>& arrival) {
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kThere);
}

TEST_P(TimelineOfGuest, RandomSeeksLeadToTheStateOfAStraightRun) {
  std::vector<uint64_t> cycles(335);
  for (uint64_t& cycle : cycles) cycle = Random(end_);
  std::vector<uint64_t> sorted = cycles;
  std::sort(sorted.begin(), sorted.end());
  std::map<uint64_t, Boundary> expected;
  const std::unique_ptr<Machine> straight = recording_.StraightRun();
  for (const uint64_t cycle : sorted) {
    ASSERT_FALSE(straight->RunUntil(StopCondition::AtCycle(cycle)).has_value());
    expected[cycle] = BoundaryOf(*straight);
  }
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/true);
  for (const uint64_t cycle : cycles) {
    SCOPED_TRACE(absl::StrCat("to ", cycle, " from ", timeline->machine().cpu().cycle));
    ExpectThere(timeline->GoToCycle(cycle));
    ASSERT_EQ(BoundaryOf(timeline->machine()), expected[cycle]);
  }
}

TEST_P(TimelineOfGuest, StepsBackVisitTheSamePlaces) {
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/false);
  for (int round = 0; round < 6; ++round) {
    ExpectThere(timeline->GoToCycle(Random(end_ - 100'000)));
    ExpectThere(timeline->StepForward());
    std::vector<Boundary> places = {BoundaryOf(timeline->machine())};
    for (int i = 0; i < 60; ++i) {
      ExpectThere(timeline->StepForward(i % 7 == 0 ? 100 : 1));
      places.push_back(BoundaryOf(timeline->machine()));
    }
    for (size_t i = places.size() - 1; i-- > 0;) {
      SCOPED_TRACE(absl::StrCat("round ", round, ", step ", i));
      ExpectThere(timeline->StepBackward(i % 7 == 0 ? 100 : 1));
      ASSERT_EQ(BoundaryOf(timeline->machine()), places[i]);
    }
    const uint64_t instructions = places[places.size() / 2].instructions;
    ExpectThere(timeline->GoToInstruction(instructions));
    EXPECT_EQ(BoundaryOf(timeline->machine()), places[places.size() / 2]);
  }
}

TEST_P(TimelineOfGuest, BackwardsLeadsToTheLastPlaceOfACondition) {
  // What a straight run meets from some place on.
  const std::unique_ptr<Machine> straight = recording_.StraightRun();
  const uint64_t from = end_ / 2;
  ASSERT_FALSE(straight->RunUntil(StopCondition::AtCycle(from)).has_value());
  std::vector<uint64_t> pcs;
  for (int i = 0; i < 4; ++i) {
    straight->RunUntil(
        StopCondition::AtInstruction(straight->cpu().instructions + 1 + Random(999)));
    pcs.push_back(straight->cpu().pc);
  }
  StopCondition condition = StopCondition::AtPcs(pcs);
  condition.cycle = std::min(from + 2'000'000, end_ - 1);
  std::vector<Boundary> hits;
  while (hits.size() < 3000 && !straight->RunUntil(condition).has_value() &&
         straight->stopped_by().pc) {
    hits.push_back(BoundaryOf(*straight));
  }
  ASSERT_FALSE(hits.empty());
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/false);
  for (int i = 0; i < 12; ++i) {
    const Boundary& expected = hits[Random(hits.size())];
    ExpectThere(timeline->GoToCycle(expected.cycle + 1));
    ExpectThere(timeline->RunBackward(StopCondition::AtPcs(pcs)));
    ASSERT_EQ(BoundaryOf(timeline->machine()), expected);
  }
}

TEST_P(TimelineOfGuest, BackwardsLeadsInFrontOfTheLastStore) {
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/true);
  ExpectThere(timeline->GoToCycle(end_ / 2));
  StopCondition any;
  any.ranges = {
      {alpha::StopRange::Space::kPhysical, 0, GuestRecording::Config().memory_bytes, false, true}};
  ExpectThere(timeline->RunForward(any));
  // The word that was stored last is watched.
  const alpha::MemoryReference store = *timeline->reference();
  StopCondition watch = any;
  watch.ranges[0].begin = store.pa;
  watch.ranges[0].size = store.size;
  const Boundary behind = BoundaryOf(timeline->machine());
  const auto word = [&] { return timeline->machine().memory().Load<uint8_t>(store.pa); };
  const uint8_t stored = word();

  ExpectThere(timeline->RunBackward(watch));
  EXPECT_EQ(timeline->machine().cpu().pc, store.pc);
  EXPECT_LT(timeline->machine().cpu().cycle, behind.cycle);
  ExpectThere(timeline->StepForward());
  EXPECT_EQ(BoundaryOf(timeline->machine()), behind);
  EXPECT_EQ(word(), stored);
  // From in front of it there is another one, or none since power-on.
  ExpectThere(timeline->StepBackward());
  const absl::StatusOr<Arrival> earlier = timeline->RunBackward(watch);
  ASSERT_TRUE(earlier.ok()) << earlier.status();
  if (*earlier == Arrival::kThere) {
    ExpectThere(timeline->RunForward(watch));
    EXPECT_LT(timeline->machine().cpu().cycle, behind.cycle);
    ExpectThere(timeline->RunForward(watch));
    EXPECT_EQ(BoundaryOf(timeline->machine()), behind);
  } else {
    EXPECT_EQ(timeline->machine().cpu().cycle, 0);
  }
}

// Going back, one comes to what lies behind an instruction before one comes to its reference.
TEST_P(TimelineOfGuest, BackwardsABreakpointBehindAStoreComesFirst) {
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/false);
  ExpectThere(timeline->GoToCycle(end_ / 2));
  StopCondition any;
  any.ranges = {
      {alpha::StopRange::Space::kPhysical, 0, GuestRecording::Config().memory_bytes, false, true}};
  ExpectThere(timeline->RunForward(any));
  const Boundary behind = BoundaryOf(timeline->machine());
  StopCondition both = any;
  both.ranges[0].begin = timeline->reference()->pa;
  both.ranges[0].size = timeline->reference()->size;
  both.pcs = {behind.pc};
  ExpectThere(timeline->GoToCycle(behind.cycle + 1));
  ExpectThere(timeline->RunBackward(both));
  EXPECT_EQ(BoundaryOf(timeline->machine()), behind);
  EXPECT_FALSE(timeline->reference().has_value());
  ExpectThere(timeline->RunBackward(both));
  EXPECT_TRUE(timeline->reference().has_value());
  EXPECT_LT(timeline->machine().cpu().cycle, behind.cycle);
}

// A file of snapshots that is damaged is told of, and going elsewhere does without.
TEST_P(TimelineOfGuest, GoesOnWithoutDamagedSnapshots) {
  const uint64_t place = end_ - end_ / 8;
  std::string bytes = replaylog::ReadBytes(recording_.snapshot_path());
  for (size_t i = bytes.size() / 2; i < bytes.size(); i += 64) bytes[i] ^= 0x55;
  // The indexes between the snapshots stay as they are.
  const std::string whole = replaylog::ReadBytes(recording_.snapshot_path());
  const auto reader = timeline::SnapshotReader::Open(recording_.snapshot_path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (const timeline::SnapshotInfo& snapshot : (*reader)->snapshots()) {
    bytes.replace(snapshot.offset - 40, 40, whole, snapshot.offset - 40, 40);
  }
  replaylog::WriteBytes(recording_.snapshot_path(), bytes);
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/true);
  const size_t snapshots = (*reader)->snapshots().size();
  size_t errors = 0;
  absl::StatusOr<Arrival> arrival;
  while (!(arrival = timeline->GoToCycle(place)).ok()) {
    EXPECT_TRUE(absl::IsDataLoss(arrival.status())) << arrival.status();
    ASSERT_LE(++errors, snapshots);
  }
  EXPECT_GT(errors, 0);
  ExpectThere(arrival);
  const std::unique_ptr<Timeline> straight = Open(/*with_file=*/false);
  ExpectThere(straight->GoToCycle(place));
  EXPECT_EQ(BoundaryOf(timeline->machine()), BoundaryOf(straight->machine()));
}

TEST_P(TimelineOfGuest, HasABeginningAndAnEnd) {
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/true);
  const Boundary begin = BoundaryOf(timeline->machine());
  absl::StatusOr<Arrival> arrival = timeline->StepBackward();
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kBegin);
  arrival = timeline->GoToEnd();
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kEnd);
  const Boundary end = BoundaryOf(timeline->machine());
  EXPECT_EQ(end.cycle, end_);
  ASSERT_TRUE(timeline->end().has_value());
  EXPECT_EQ(timeline->end()->cycle, end_);
  arrival = timeline->StepForward();
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kEnd);

  arrival = timeline->RunBackward(StopCondition::AtPcs({0x7ffffff0}));  // no code is there
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kBegin);
  EXPECT_EQ(BoundaryOf(timeline->machine()), begin);
  arrival = timeline->GoToCycle(end_ + 12345);
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kEnd);
  EXPECT_EQ(BoundaryOf(timeline->machine()), end);
  ExpectThere(timeline->StepBackward());
  EXPECT_LT(timeline->machine().cpu().cycle, end_);
}

TEST_P(TimelineOfGuest, GoesToEvents) {
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/false);
  ASSERT_TRUE(timeline->GoToEnd().ok());
  const uint64_t events = timeline->end()->event;
  ASSERT_GT(events, 10);
  EXPECT_TRUE(absl::IsOutOfRange(timeline->GoToEvent(events).status()));
  for (int i = 0; i < 10; ++i) {
    const uint64_t number = Random(events - 1);
    SCOPED_TRACE(number);
    ExpectThere(timeline->GoToEvent(number));
    EXPECT_GT(timeline->position().event, number);
    const uint64_t here = timeline->machine().cpu().cycle;
    ExpectThere(timeline->StepBackward(2));
    EXPECT_LT(timeline->machine().cpu().cycle, here);
    EXPECT_LE(timeline->position().event, number + 1);
  }
}

// However little room there is, every place is there.
TEST_P(TimelineOfGuest, KeepsWithinItsBytes) {
  constexpr uint64_t kBytes = uint64_t{16} << 20;
  const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/false, {kBytes, kInterval});
  ASSERT_TRUE(timeline->GoToEnd().ok());
  const uint64_t behind = end_ - end_ / 8;
  ExpectThere(timeline->GoToCycle(behind));
  const Boundary expected = BoundaryOf(timeline->machine());
  for (int i = 0; i < 20; ++i) ExpectThere(timeline->GoToCycle(Random(end_)));
  EXPECT_LE(timeline->memory_snapshots().bytes(), kBytes);
  ExpectThere(timeline->GoToCycle(behind));
  EXPECT_EQ(BoundaryOf(timeline->machine()), expected);
}

// What takes long gets snapshots, however few its cycles, and what is run again no more of them.
TEST_P(TimelineOfGuest, SnapshotsComeByTheTimeThatRunningTakes) {
  absl::Time now;
  absl::Duration tick = absl::Milliseconds(30);
  const std::unique_ptr<Timeline> timeline =
      Open(/*with_file=*/false, {.snapshot_bytes = uint64_t{256} << 20,
                                 .snapshot_interval = uint64_t{1} << 40,
                                 .snapshot_time = absl::Milliseconds(50),
                                 .longest_snapshot_times = 1,
                                 .host_time = [&] { return now += tick; }});
  const auto go = [&] {
    for (uint64_t cycle = 1000; cycle <= 6000; cycle += 1000) {
      ExpectThere(timeline->RunForward(machine::StopCondition::AtCycle(cycle)));
    }
  };
  go();
  // Of power-on, and before each third run, two ticks behind the last.
  EXPECT_EQ(timeline->memory_snapshots().count(), 3u);
  tick = absl::ZeroDuration();
  ExpectThere(timeline->GoToCycle(0));
  tick = absl::Milliseconds(30);
  go();
  EXPECT_EQ(timeline->memory_snapshots().count(), 3u);
}

// Another guest leaves the log: the timeline says so, and serves what lies before.
TEST_P(TimelineOfGuest, TellsWhereTheRunLeavesItsLog) {
  auto log = replaylog::LogReader::Open(recording_.path());
  ASSERT_TRUE(log.ok()) << log.status();
  const std::string other = GetParam().guest == "timers" ? "uart" : "timers";
  auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", other, ".elf"),
                             GuestRecording::Config(), GetParam().engine);
  ASSERT_TRUE(machine.ok()) << machine.status();
  auto timeline = Timeline::Create(*std::move(log), nullptr, *std::move(machine),
                                   {uint64_t{64} << 20, kInterval});
  ASSERT_TRUE(timeline.ok()) << timeline.status();
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsAborted((*timeline)->GoToEnd().status()));
    EXPECT_TRUE((*timeline)->divergence().has_value());
    EXPECT_TRUE(absl::IsAborted((*timeline)->StepForward().status()));
    ExpectThere((*timeline)->GoToCycle(1000));
  }
}

// A clock that stands still but where it is told that something takes time.
class FakeClock {
 public:
  // Of a run between two looks at it, and of a snapshot.
  FakeClock(absl::Duration run, absl::Duration snapshot) : run_(run), snapshot_(snapshot) {}

  void Watch(const Timeline& timeline) { timeline_ = &timeline; }
  absl::Time Now() {
    const size_t snapshots = timeline_ == nullptr ? 0 : timeline_->memory_snapshots().count();
    now_ += std::exchange(snapshots_, snapshots) != snapshots ? snapshot_ : run_;
    return now_;
  }

 private:
  const absl::Duration run_;
  const absl::Duration snapshot_;
  const Timeline* timeline_ = nullptr;
  absl::Time now_;
  size_t snapshots_ = 0;
};

TEST_P(TimelineOfGuest, SnapshotsThatTakeLongAreFewerButNoneIsTooFarAway) {
  std::vector<size_t> counts, early;
  constexpr uint64_t kStep = 10'000;
  for (const absl::Duration cost : {absl::ZeroDuration(), absl::Microseconds(700),
                                    absl::Milliseconds(2), absl::Milliseconds(50)}) {
    FakeClock clock(absl::Milliseconds(10), cost);
    Timeline::Options options{uint64_t{256} << 20, kInterval};
    options.host_time = [&clock] { return clock.Now(); };
    const std::unique_ptr<Timeline> timeline = Open(/*with_file=*/false, options);
    clock.Watch(*timeline);
    for (uint64_t cycle = 0; cycle < 400 * kStep; cycle += kStep) {
      if (cycle == 50 * kStep) early.push_back(timeline->memory_snapshots().count());
      ASSERT_TRUE(timeline->RunForward(StopCondition::AtCycle(cycle)).ok());
    }
    counts.push_back(timeline->memory_snapshots().count());
  }
  EXPECT_GT(counts[0], 400u * 10 / 70 * 2 / 3);
  EXPECT_EQ(counts[1], counts[0]) << "a hundredth of the time";
  EXPECT_LT(counts[2], counts[1] * 2 / 3);
  EXPECT_EQ(early[2], early[0]) << "in the beginning they may take more";
  EXPECT_LT(early[3], early[0]) << "but not so much";
  EXPECT_LT(counts[3], counts[2]);
  EXPECT_GT(counts[3], counts[0] / 5) << "seeks are bounded";
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* guest : {"uart", "timers", "mmu"}) {
    cases.push_back({guest, "ref"});
#ifdef ISOCHRON_JIT
    cases.push_back({guest, "jit"});
#endif
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Guests, TimelineOfGuest, ::testing::ValuesIn(Cases()),
                         [](const ::testing::TestParamInfo<Case>& info) {
                           return absl::StrCat(info.param.guest, "_", info.param.engine);
                         });

}  // namespace
}  // namespace isochron::conformance
