// Going back in a run that is being made: what it costs, and what it leaves alone.

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/guest_testing.h"
#include "machine/machine.h"
#include "replaylog/event.h"
#include "timeline/arrival_testing.h"
#include "timeline/machine_testing.h"
#include "timeline/recorder.h"
#include "timeline/timeline.h"

namespace isochron::timeline {
namespace {

using machine::GuestWork;
using machine::Input;
using machine::Machine;
using machine::MakeGuest;
using machine::StopCondition;

// Keeps events as text, and fails when it is told to.
class Notes final : public machine::Observer {
 public:
  void On(const machine::Event& event) override {
    std::string text = absl::StrCat(event.cycle, " ", event.body.index());
    if (const auto* frame = std::get_if<machine::FrameEvent>(&event.body)) {
      absl::StrAppend(&text, " ", frame->bytes);
    } else if (const auto* input = std::get_if<machine::InputEvent>(&event.body)) {
      absl::StrAppend(&text, " ", input->input.bytes);
    } else if (const auto* checkpoint = std::get_if<machine::CheckpointEvent>(&event.body)) {
      absl::StrAppend(&text, " ", checkpoint->state.ToString());
    }
    events.push_back(std::move(text));
    if (event.cycle >= fails_at) failure = absl::UnavailableError("the disk is full");
  }
  absl::Status status() const override { return failure; }

  std::vector<std::string> events;
  uint64_t fails_at = machine::kNever;
  absl::Status failure;
};

// The other end of the guest's wire and of its console, whom nobody asks twice.
class Peer final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<Input>& inputs) override {
    EXPECT_TRUE(!last_.has_value() || point.cycle > *last_) << "asked of a place in the past";
    last_ = point.cycle;
    const uint64_t number = point.cycle >> 15;
    if (number % 2 == 0) inputs.push_back(Input::Console(absl::StrCat("x", number)));
    for (uint64_t left = number % 3; left > 0; --left) {
      const auto kind = static_cast<char>('a' + (number + left) % 26);
      inputs.push_back(Input::Frame(machine::TestFrame(60 + number * 7 % 1400, kind)));
    }
  }

 private:
  std::optional<uint64_t> last_;
};

machine::MachineConfig NetworkedConfig() {
  machine::MachineConfig config;
  config.network = machine::NetworkConfig();
  config.input_interval = 1 << 15;
  config.checkpoint_interval = 100'000;
  return config;
}

// A guest with a network in the hands of somebody.
struct Networked {
  Networked() {
    machine->SetObserver(&notes);
    machine->SetInputSource(&peer);
    machine->SetFrameSink(&wire);
  }
  GuestWork work;
  Notes notes;
  Peer peer;
  machine::FakeFrameSink wire;
  std::unique_ptr<Machine> machine = MakeGuest(work, NetworkedConfig());
};

// To places in the past, which are as they were, and back.
void TravelFrom(Timeline& timeline, std::mt19937_64& random,
                std::vector<std::pair<uint64_t, machine::Digest>>& places) {
  const Machine& machine = timeline.machine();
  const uint64_t present = machine.cpu().cycle;
  places.emplace_back(present, machine.StateDigest());
  for (int i = 0; i < 3; ++i) {
    const auto& [cycle, state] = places[random() % places.size()];
    ExpectThere(timeline.GoToCycle(cycle));
    ASSERT_EQ(machine.StateDigest(), state) << "at " << cycle << " from " << present;
    if (cycle == 0) continue;
    ASSERT_TRUE(timeline.StepBackward(1 + random() % 5000).ok());
    EXPECT_TRUE(timeline.in_past());
    ASSERT_TRUE(timeline.RunBackward(StopCondition::AtEvent<machine::FrameEvent>()).ok());
  }
  ExpectThere(random() % 2 == 0 ? timeline.GoToPresent()
                                : timeline.RunForward(StopCondition::AtCycle(present)));
  ASSERT_FALSE(timeline.in_past());
  ASSERT_EQ(machine.StateDigest(), places.back().second);
}

void ExpectFramesPassOnce(uint64_t snapshot_bytes) {
  Networked straight;
  constexpr uint64_t kEnd = 5'000'000;
  ASSERT_FALSE(straight.machine->RunUntil(StopCondition::AtCycle(kEnd)).has_value());
  ASSERT_GT(straight.wire.frames.size(), 100u);
  ASSERT_NE(straight.machine->cpu().r[3], 0u) << "it takes frames";

  Networked travelled;
  Timeline::Options options;
  options.snapshot_bytes = snapshot_bytes;
  options.snapshot_interval = 200'000;
  const auto timeline =
      Timeline::CreateLive(*travelled.machine, HeaderOf(travelled.machine->config()), options);
  std::mt19937_64 random(15);
  std::vector<std::pair<uint64_t, machine::Digest>> places;
  for (uint64_t cycle = 0; cycle < kEnd; cycle += random() % 400'000) {
    ExpectThere(timeline->GoToCycle(cycle));
    TravelFrom(*timeline, random, places);
    if (testing::Test::HasFatalFailure()) return;
  }
  ExpectThere(timeline->GoToCycle(kEnd));
  EXPECT_EQ(travelled.wire.frames, straight.wire.frames);
  EXPECT_EQ(travelled.wire.cycles, straight.wire.cycles);
  EXPECT_EQ(travelled.notes.events, straight.notes.events);
  EXPECT_EQ(travelled.machine->StateDigest(), straight.machine->StateDigest());
}

TEST(LiveTimeline, FramesOfThePastAreNotSentAgainAndComeInAsTheyDid) {
  ExpectFramesPassOnce(uint64_t{256} << 20);
}

// So little that the snapshot of the present is one of a few, and the history all but all of it.
TEST(LiveTimeline, FramesPassOnceWithLittleRoom) { ExpectFramesPassOnce(uint64_t{3} << 20); }

TEST(LiveTimeline, AStepOutOfThePresentReadsNoMoreThanWhatIsNew) {
  GuestWork work;
  machine::MachineConfig config;
  config.checkpoint_interval = 4096;
  const auto machine = MakeGuest(work, config);
  const auto timeline = Timeline::CreateLive(*machine, HeaderOf(machine->config()), {});
  ExpectThere(timeline->GoToCycle(uint64_t{4096} * 8000));
  ExpectThere(timeline->StepBackward());
  ASSERT_TRUE(timeline->GoToPresent().ok());
  const uint64_t decoded = timeline->history()->events_decoded();
  ASSERT_GT(timeline->history()->events(), 8000u);
  for (int i = 0; i < 10; ++i) {
    ExpectThere(timeline->StepForward(5000));
    ExpectThere(timeline->StepBackward());
    EXPECT_TRUE(timeline->in_past());
    ASSERT_TRUE(timeline->GoToPresent().ok());
  }
  // A few frames of the history each time, and not all of it.
  EXPECT_LT(timeline->history()->events_decoded() - decoded, 10 * 6000u);
  // What is new is known: the next instruction's place is found from a checkpoint close before.
  const uint64_t before = work.instructions;
  ExpectThere(timeline->GoToInstruction(machine->cpu().instructions - 9000));
  EXPECT_LT(work.instructions - before, uint64_t{1} << 25);
}

TEST(LiveTimeline, IdleTimeOfThePastIsCountedOnce) {
  const auto machine = MakeMachine();  // a branch to itself, which the engine knows to be idle
  struct Watcher final : machine::InputSource {
    void Poll(const machine::InputPoint& point, std::vector<Input>&) override {
      EXPECT_LE(point.idle_cycles, point.cycle);
      idle = point.idle_cycles;
    }
    uint64_t idle = 0;
  } watcher;
  machine->SetInputSource(&watcher);
  const auto timeline = Timeline::CreateLive(*machine, HeaderOf(machine->config()), {});
  ExpectThere(timeline->GoToCycle(30'000'000));
  const auto idle = [&] {
    return machine->engine().stats().spin_cycles_skipped - timeline->idle_elsewhere();
  };
  const uint64_t before = idle();
  ASSERT_GT(before, 10'000'000u);
  for (int i = 0; i < 3; ++i) {
    ExpectThere(timeline->GoToCycle(1'000'000));
    ExpectThere(timeline->GoToCycle(29'000'000));
    ASSERT_TRUE(timeline->GoToPresent().ok());
    EXPECT_EQ(idle(), before);
  }
  ExpectThere(timeline->GoToCycle(60'000'000));
  EXPECT_GT(watcher.idle, 40'000'000u);
  EXPECT_LE(idle(), 60'000'000u);
}

TEST(LiveTimeline, ARunWithoutAHistoryCountsItsEventsAndKeepsNothing) {
  GuestWork work;
  machine::MachineConfig config;
  config.checkpoint_interval = 100'000;
  const auto machine = MakeGuest(work, config);
  Timeline::Options options;
  options.snapshot_bytes = 4096;
  options.snapshot_interval = 50'000;
  const auto timeline = Timeline::CreateLive(*machine, HeaderOf(machine->config()), options);
  ExpectThere(timeline->GoToCycle(500'000));
  ASSERT_TRUE(timeline->CheckHistory().ok());
  ASSERT_GT(timeline->memory_snapshots().bytes(), 0u);
  ExpectThere(timeline->GoToCycle(20'000'000));
  ASSERT_TRUE(absl::IsFailedPrecondition(timeline->CheckHistory()));
  EXPECT_EQ(timeline->memory_snapshots().count(), 0u);
  EXPECT_EQ(timeline->memory_snapshots().bytes(), 0u);
  const uint64_t events = timeline->position().event;
  EXPECT_GT(events, 200u);
  ExpectThere(timeline->GoToCycle(30'000'000));
  EXPECT_GE(timeline->position().event, events + 100);
  EXPECT_TRUE(absl::IsFailedPrecondition(timeline->StepBackward().status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(timeline->GoToCycle(1000).status()));
  EXPECT_TRUE(timeline->Inject(Input::WriteRegister(0, 5, 1)).ok());
  EXPECT_EQ(machine->cpu().cycle, 30'000'000u);
}

TEST(LiveTimeline, AFatalEndIsOneToGoBackFrom) {
  GuestWork work;
  const auto machine = MakeGuest(work);
  Notes notes;
  machine->SetObserver(&notes);
  const auto timeline = Timeline::CreateLive(*machine, HeaderOf(machine->config()), {});
  ExpectThere(timeline->GoToCycle(1'000'000));
  const machine::Digest before = machine->StateDigest();
  ASSERT_TRUE(timeline->Inject(Input::WriteRegister(0, 9, 1)).ok());  // ends the guest
  ASSERT_EQ(*timeline->GoToCycle(2'000'000), Arrival::kEnd);
  ASSERT_EQ(timeline->run_end()->kind, machine::RunEnd::Kind::kFatal);
  const machine::Digest end = machine->StateDigest();
  const size_t events = notes.events.size();
  for (int i = 0; i < 2; ++i) {
    ExpectThere(timeline->GoToCycle(900'000));
    EXPECT_FALSE(timeline->run_end().has_value());
    ExpectThere(timeline->RunForward(StopCondition::AtCycle(950'000)));
    ASSERT_EQ(*timeline->GoToEnd(), Arrival::kEnd);
    EXPECT_EQ(timeline->run_end()->kind, machine::RunEnd::Kind::kFatal);
    EXPECT_EQ(timeline->run_end()->message, "it was told to");
    EXPECT_EQ(machine->StateDigest(), end);
    EXPECT_NE(machine->StateDigest(), before) << "what was written is there";
  }
  EXPECT_EQ(notes.events.size(), events);
}

TEST(LiveTimeline, WhereTheHostCannotGoOnThePastIsStillThere) {
  GuestWork work;
  const auto machine = MakeGuest(work);
  Notes notes;
  machine->SetObserver(&notes);
  const auto timeline = Timeline::CreateLive(*machine, HeaderOf(machine->config()), {});
  ExpectThere(timeline->GoToCycle(500'000));
  const machine::Digest state = machine->StateDigest();
  notes.fails_at = 1'000'000;
  EXPECT_TRUE(absl::IsUnavailable(timeline->GoToCycle(2'000'000).status()));
  ASSERT_EQ(timeline->run_end()->kind, machine::RunEnd::Kind::kObserver);
  const uint64_t present = machine->cpu().cycle;
  ExpectThere(timeline->GoToCycle(500'000));
  EXPECT_EQ(machine->StateDigest(), state);
  ExpectThere(timeline->StepForward());
  // It comes to its present and no farther.
  EXPECT_FALSE(timeline->RunForward({}).ok());
  EXPECT_EQ(machine->cpu().cycle, present);
  EXPECT_FALSE(timeline->in_past());
  EXPECT_EQ(timeline->run_end()->kind, machine::RunEnd::Kind::kObserver);
  EXPECT_FALSE(timeline->Inject(Input::WriteRegister(0, 5, 1)).ok());
}

}  // namespace
}  // namespace isochron::timeline
