// The replayer by itself, between a log that a test makes up and events that it tells.

#include "timeline/replayer.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/codec.h"
#include "replaylog/log_testing.h"

namespace isochron::timeline {
namespace {

using machine::Input;
using machine::InputPoint;
using machine::RunEnd;
using replaylog::CheckpointEvent;
using replaylog::EndEvent;
using replaylog::Event;
using replaylog::InputEvent;
using replaylog::InterruptEvent;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kHz = 600'000'000;
constexpr auto kStopPoint = machine::InputSource::Occasion::kStopPoint;

// A log in memory, which may break off, go wrong at its end, or still be in the making.
class FakeSource final : public replaylog::EventSource {
 public:
  explicit FakeSource(std::vector<Event> events) : events_(events.begin(), events.end()) {
    for (size_t i = 0; i < events_.size(); ++i) events_[i].number = i;
  }

  absl::StatusOr<bool> Next(Event& event) override {
    if (events_.empty()) {
      if (!fault.ok()) return fault;
      return false;
    }
    event = std::move(events_.front());
    events_.pop_front();
    ++taken;
    return true;
  }
  bool NothingBefore(uint64_t cycle) override { return known_to.value_or(0) >= cycle; }

  absl::Status fault;
  std::optional<uint64_t> known_to;  // nothing that has not been taken lies before
  int taken = 0;

 private:
  std::deque<Event> events_;
};

Event Interrupt(uint64_t cycle, uint64_t pending = 1) {
  return {0, cycle, 0, InterruptEvent{pending}};
}
Event Typed(uint64_t cycle, const std::string& bytes) {
  return {0, cycle, 0, InputEvent{Input::Console(bytes)}};
}
Event Stop(uint64_t cycle) {
  return {0, cycle, 0, InputEvent{Input::Stop(machine::StopCause::kQuit)}};
}
Event End(uint64_t cycle) { return {0, cycle, 0, EndEvent{RunEnd::Kind::kPowerOff, 7, {1, 2}}}; }

// Has the event of a log happen; a run of output byte by byte.
void Happen(Replayer& replayer, const Event& event) {
  const auto tell = [&](const auto& body) {
    using Body = std::decay_t<decltype(body)>;
    if constexpr (std::is_same_v<Body, replaylog::OutputRun>) {
      uint64_t cycle = event.cycle;
      for (size_t i = 0; i < body.bytes.size(); ++i) {
        if (i > 0) cycle += body.deltas[i - 1];
        const auto byte = static_cast<uint8_t>(body.bytes[i]);
        replayer.On({cycle, event.cpu, machine::OutputEvent{body.uart, byte}});
      }
    } else if constexpr (!std::is_same_v<Body, replaylog::UnknownEvent>) {
      replayer.On({event.cycle, event.cpu, body});
    }
  };
  std::visit(tell, event.body);
}

std::vector<std::string> Polled(Replayer& replayer, uint64_t cycle) {
  std::vector<Input> inputs;
  InputPoint point;
  point.cycle = cycle;
  replayer.Poll(point, inputs);
  std::vector<std::string> texts;
  for (const Input& input : inputs) {
    texts.push_back(input.kind == machine::InputKind::kStop ? "stop" : input.bytes);
  }
  return texts;
}

bool Stops(Replayer& replayer, uint64_t cycle) {
  InputPoint point;
  point.cycle = cycle;
  return replayer.TakeStop(point, kStopPoint).has_value();
}

// A copy of what has been recorded so far is one.
TEST(Replayer, APartialLogMayBeKnownToTellAllUpToACycle) {
  const auto make = [](FakeSource& source) {
    Replayer replayer(source, kHz);
    replayer.SetKnownTo(1000);
    Happen(replayer, Interrupt(10));
    return replayer;
  };
  FakeSource source({Interrupt(10)});
  Replayer replayer = make(source);
  EXPECT_THAT(Polled(replayer, 500), IsEmpty());
  EXPECT_FALSE(Stops(replayer, 700));
  EXPECT_EQ(replayer.NextStop(700, 900), 900u);
  EXPECT_EQ(replayer.NextStop(700, 5000), 1000u);
  EXPECT_TRUE(Stops(replayer, 1000));
  EXPECT_THAT(Polled(replayer, 1000), ElementsAre("stop"));
  EXPECT_EQ(replayer.NextStop(1000, 5000), 5000u);
  Happen(replayer, Interrupt(1001));
  EXPECT_TRUE(replayer.status().ok()) << "what comes behind it nobody knows";

  FakeSource other({Interrupt(10)});
  Replayer early = make(other);
  Happen(early, Interrupt(999));
  EXPECT_TRUE(absl::IsDataLoss(early.status())) << "of that the recording does not tell";
}

TEST(Replayer, AgreesWithARunThatIsItsLog) {
  const std::vector<Event> events = replaylog::SmallEvents();
  FakeSource source(events);
  Replayer replayer(source, kHz);
  for (const Event& event : events) {
    EXPECT_FALSE(replayer.reached_end());
    Happen(replayer, event);
    ASSERT_TRUE(replayer.status().ok()) << replayer.status();
  }
  EXPECT_TRUE(replayer.reached_end());
  ASSERT_TRUE(replayer.end().has_value());
  EXPECT_EQ(*replayer.end(), events.back());
  EXPECT_EQ(replayer.events_compared(), events.size());
  EXPECT_FALSE(replayer.divergence().has_value());
}

TEST(Replayer, GivesInputsAtTheirCycleInOrder) {
  FakeSource source({Typed(100, "a"), Typed(100, "b"), Interrupt(150), Typed(200, "c"), End(300)});
  Replayer replayer(source, kHz);
  EXPECT_THAT(Polled(replayer, 50), IsEmpty());
  EXPECT_THAT(Polled(replayer, 100), ElementsAre("a", "b"));
  Happen(replayer, Typed(100, "a"));
  Happen(replayer, Typed(100, "b"));
  EXPECT_THAT(Polled(replayer, 200), IsEmpty()) << "the interrupt before it has not happened";
  Happen(replayer, Interrupt(150));
  EXPECT_THAT(Polled(replayer, 200), ElementsAre("c"));
  EXPECT_TRUE(replayer.status().ok());
}

TEST(Replayer, GivesWhatADebuggerDidBehindAllElse) {
  const Event write = {0, 100, 2, InputEvent{Input::WriteRegister(2, 0, 5)}};
  const Event checkpoint = {0, 100, 0, CheckpointEvent{7, {1, 2}}};
  FakeSource source({Typed(100, "a"), checkpoint, write, Stop(100), End(100)});
  Replayer replayer(source, kHz);
  EXPECT_EQ(replayer.NextStop(0, 500), 100u);
  EXPECT_THAT(Polled(replayer, 100), ElementsAre("a"));
  EXPECT_EQ(replayer.TakeDebugged({100}), std::nullopt);
  Happen(replayer, Typed(100, "a"));
  EXPECT_FALSE(Stops(replayer, 100));
  EXPECT_EQ(replayer.TakeDebugged({100}), std::nullopt) << "the checkpoint comes first";
  Happen(replayer, checkpoint);
  EXPECT_EQ(replayer.TakeDebugged({99}), std::nullopt);
  const std::optional<Input> taken = replayer.TakeDebugged({100});
  EXPECT_EQ(taken, Input::WriteRegister(2, 0, 5));
  EXPECT_EQ(taken->cpu, 2);
  Happen(replayer, write);
  EXPECT_EQ(replayer.TakeDebugged({100}), Input::Stop(machine::StopCause::kQuit));
  Happen(replayer, Stop(100));
  Happen(replayer, End(100));
  EXPECT_TRUE(replayer.status().ok()) << replayer.status();
}

TEST(Replayer, TakesAnyNumberOfWritesAndNoneAtAnInputPoint) {
  std::vector<Event> events;
  for (size_t i = 0; i < 2 * replaylog::kMaxInputsPerCycle; ++i) {
    events.push_back({0, 100, 0, InputEvent{Input::WriteMemory(0, i, "x")}});
  }
  FakeSource source(events);
  Replayer replayer(source, kHz);
  EXPECT_EQ(replayer.NextStop(0, 500), 100u);
  EXPECT_THAT(Polled(replayer, 100), IsEmpty());
  for (const Event& event : events) {
    ASSERT_NE(replayer.TakeDebugged({100}), std::nullopt);
    Happen(replayer, event);
  }
  EXPECT_EQ(replayer.TakeDebugged({100}), std::nullopt);
  EXPECT_TRUE(replayer.status().ok()) << replayer.status();
}

TEST(Replayer, SkipsWitnessesThatItDoesNotKnow) {
  FakeSource source({{0, 10, 0, replaylog::UnknownEvent{99, "?"}}, Interrupt(20), End(30)});
  Replayer replayer(source, kHz);
  Happen(replayer, Interrupt(20));
  Happen(replayer, End(30));
  EXPECT_TRUE(replayer.status().ok()) << replayer.status();
  EXPECT_EQ(replayer.events_compared(), 2u);
}

// A log of an interrupt, the output "abc" and a checkpoint, and what happens instead.
struct Difference {
  const char* name;
  Event happens;     // behind what agrees
  size_t agree;      // events
  size_t bytes = 0;  // and bytes of output
};
const Event kOutput = replaylog::OutputAt(200, "abc", 10);
const Event kCheckpoint = {0, 300, 0, CheckpointEvent{5, {1, 1}}};

class ReplayerDifference : public ::testing::TestWithParam<Difference> {};

TEST_P(ReplayerDifference, IsFoundWhereItIs) {
  const std::vector<Event> events = {Interrupt(100), kOutput, kCheckpoint, End(400)};
  FakeSource source(events);
  Replayer replayer(source, kHz);
  const Difference& difference = GetParam();
  for (size_t i = 0; i < difference.agree; ++i) Happen(replayer, events[i]);
  if (difference.bytes != 0) {
    Happen(replayer, replaylog::OutputAt(200, std::string("abc").substr(0, difference.bytes), 10));
  }
  ASSERT_TRUE(replayer.status().ok());
  Happen(replayer, difference.happens);
  EXPECT_EQ(replayer.status().code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(replayer.divergence().has_value());
  const Divergence& found = *replayer.divergence();
  EXPECT_EQ(found.actual.body, difference.happens.body);
  EXPECT_EQ(found.bytes_equal, difference.bytes);
  EXPECT_EQ(found.before.size(), difference.agree);
  if (difference.agree == events.size()) {
    EXPECT_FALSE(found.expected.has_value());
  } else {
    ASSERT_TRUE(found.expected.has_value());
    EXPECT_EQ(found.expected->body, events[difference.agree].body);
    EXPECT_EQ(found.actual.number, difference.agree);
  }
  // What comes behind it changes nothing.
  Happen(replayer, End(400));
  EXPECT_EQ(replayer.divergence()->actual.body, difference.happens.body);
  EXPECT_EQ(replayer.events_compared(), difference.agree);
}

INSTANTIATE_TEST_SUITE_P(
    All, ReplayerDifference,
    ::testing::Values(Difference{"Cycle", Interrupt(101), 0},
                      Difference{"Value", Interrupt(100, 2), 0},
                      Difference{"Kind", {0, 100, 0, CheckpointEvent{5, {1, 1}}}, 0},
                      Difference{"Cpu", {0, 100, 1, InterruptEvent{1}}, 0},
                      Difference{"Byte", replaylog::OutputAt(200, "x", 10), 1},
                      Difference{"Uart", {0, 200, 0, replaylog::OutputRun{1, "a", {}}}, 1},
                      Difference{"SecondByte", replaylog::OutputAt(210, "x", 10), 1, 1},
                      Difference{"CycleOfAByte", replaylog::OutputAt(219, "c", 10), 1, 2},
                      Difference{"OutputEndsEarly", kCheckpoint, 1, 2},
                      Difference{"OutputGoesOn", replaylog::OutputAt(230, "d", 10), 2},
                      Difference{"Digest", {0, 300, 0, CheckpointEvent{5, {1, 2}}}, 2},
                      Difference{"End", {0, 400, 0, EndEvent{RunEnd::Kind::kFatal, 7, {1, 2}}}, 3},
                      Difference{"BehindTheEnd", Interrupt(500), 4}),
    [](const auto& info) { return info.param.name; });

TEST(Replayer, KnowsTheNextStopOfItsLog) {
  FakeSource source({Interrupt(100), Typed(150, "a"), Stop(170), End(170)});
  Replayer replayer(source, kHz);
  EXPECT_EQ(replayer.NextStop(0, 50), 50u);
  EXPECT_EQ(replayer.NextStop(0, 160), 160u);
  EXPECT_EQ(replayer.NextStop(0, 1'000), 170u);
  EXPECT_EQ(replayer.NextStop(171, 1'000), 1'000u) << "where the run has been it cannot stop";
  EXPECT_TRUE(replayer.status().ok());
}

TEST(Replayer, TakesAStopAtItsCycleAlone) {
  FakeSource source({Typed(100, "a"), Stop(170), End(170)});
  Replayer replayer(source, kHz);
  EXPECT_FALSE(Stops(replayer, 100)) << "bytes are taken at input points";
  Happen(replayer, Typed(100, "a"));
  EXPECT_FALSE(Stops(replayer, 169));
  EXPECT_TRUE(Stops(replayer, 170));
}

// Where a recording was killed the replay stops, and says that it has seen all of it.
TEST(Replayer, StopsWhereAPartialLogBreaksOff) {
  for (const bool at_input_point : {true, false}) {
    FakeSource source({Interrupt(100)});
    Replayer replayer(source, kHz);
    EXPECT_FALSE(replayer.reached_end());
    Happen(replayer, Interrupt(100));
    if (at_input_point) {
      EXPECT_THAT(Polled(replayer, 200), ElementsAre("stop"));
    } else {
      EXPECT_TRUE(Stops(replayer, 200));
    }
    EXPECT_TRUE(replayer.reached_end());
    EXPECT_FALSE(replayer.end().has_value());
    Happen(replayer, Stop(200));
    Happen(replayer, End(200));
    EXPECT_TRUE(replayer.status().ok()) << replayer.status();
  }
}

TEST(Replayer, RefusesMoreInputsThanAMachineTakes) {
  const std::vector<Event> most(replaylog::kMaxInputsPerCycle, Typed(100, "a"));
  std::vector<Event> more = most;
  more.push_back(Typed(100, "a"));
  for (const bool ahead : {true, false}) {
    FakeSource fits(most);
    Replayer sound(fits, kHz);
    FakeSource too_many(more);
    Replayer refused(too_many, kHz);
    for (Replayer* replayer : {&sound, &refused}) {
      ahead ? void(replayer->NextStop(0, 1'000)) : void(Polled(*replayer, 100));
    }
    EXPECT_TRUE(sound.status().ok()) << sound.status();
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(Replayer, SaysWhatItsSourceSays) {
  FakeSource source({Interrupt(100)});
  source.fault = absl::DataLossError("a frame is damaged");
  Replayer replayer(source, kHz);
  Happen(replayer, Interrupt(100));
  EXPECT_TRUE(replayer.status().ok());
  Happen(replayer, Interrupt(200));
  EXPECT_EQ(replayer.status(), source.fault);
  EXPECT_FALSE(replayer.divergence().has_value());
  EXPECT_FALSE(replayer.reached_end());
}

// A log that is still in the making is read no farther than the run has come.
TEST(Replayer, WaitsForNoEventThatIsFarAway) {
  FakeSource source({Interrupt(100), Typed(5'000, "a"), End(6'000)});
  source.known_to = 100;
  Replayer replayer(source, kHz);
  EXPECT_THAT(Polled(replayer, 50), IsEmpty());
  EXPECT_FALSE(Stops(replayer, 60));
  EXPECT_EQ(replayer.NextStop(60, 90), 90u);
  EXPECT_EQ(source.taken, 0);
  Happen(replayer, Interrupt(100));
  source.known_to = 5'000;
  EXPECT_THAT(Polled(replayer, 4'000), IsEmpty());
  EXPECT_EQ(replayer.NextStop(4'000, 4'500), 4'500u);
  EXPECT_EQ(source.taken, 1);
  EXPECT_THAT(Polled(replayer, 5'000), ElementsAre("a"));
}

TEST(ReplayerTest, FramesThatWereSentAreCompared) {
  const auto sent = [](std::string frame, size_t whole) {
    return machine::Event{500, 0, machine::FrameEvent::Of(frame, whole)};
  };
  const std::string frame(60, 'f');
  for (const size_t whole : {size_t{20}, machine::kMaxFrame}) {
    FakeSource source({{0, 500, 0, machine::FrameEvent::Of(frame, whole)}});
    Replayer replayer(source, kHz);
    replayer.On(sent(frame, whole));
    EXPECT_TRUE(replayer.status().ok());
    EXPECT_EQ(replayer.events_compared(), 1u);

    FakeSource same({{0, 500, 0, machine::FrameEvent::Of(frame, whole)}});
    Replayer other(same, kHz);
    other.On(sent(std::string(59, 'f') + "g", whole));
    EXPECT_TRUE(absl::IsAborted(other.status())) << whole;
  }
}

TEST(ReplayerTest, FramesThatArrivedAreGivenAtTheirInputPoint) {
  FakeSource source({{0, 500, 0, InputEvent{Input::Frame("fourteen-bytes")}},
                     {0, 500, 0, InputEvent{Input::Frame("fourteen-bytes")}}});
  Replayer replayer(source, kHz);
  std::vector<Input> inputs;
  replayer.Poll({500}, inputs);
  ASSERT_GE(inputs.size(), 2u);  // and the stop with which a partial log ends
  EXPECT_EQ(inputs[0], Input::Frame("fourteen-bytes"));
  EXPECT_EQ(inputs[1], inputs[0]);
}

}  // namespace
}  // namespace isochron::timeline
