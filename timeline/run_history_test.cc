#include "timeline/run_history.h"

#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "machine/events/event.h"

namespace isochron::timeline {
namespace {

using machine::Input;
using replaylog::OutputRun;

void Byte(RunHistory& history, uint64_t cycle, char byte) {
  history.On({cycle, 0, machine::OutputEvent{0, static_cast<uint8_t>(byte)}});
}

void Checkpoint(RunHistory& history, uint64_t cycle) {
  history.On({cycle, 0, machine::CheckpointEvent{cycle / 2, {cycle, 1}}});
}

std::vector<replaylog::Event> All(const RunHistory& history, uint64_t from = 0) {
  const auto reader = history.NewReader();
  EXPECT_TRUE(reader->SeekToEvent(from).ok());
  std::vector<replaylog::Event> events;
  replaylog::Event event;
  for (auto more = reader->Next(event); more.ok() && *more; more = reader->Next(event)) {
    events.push_back(event);
  }
  EXPECT_TRUE(reader->NothingBefore(~uint64_t{0}));
  return events;
}

TEST(RunHistory, GivesBackWhatHasBeenFromAnywhere) {
  RunHistory history(uint64_t{64} << 20);
  EXPECT_EQ(All(history).size(), 0u);
  constexpr uint64_t kEvents = 20'000;  // several frames
  for (uint64_t i = 0; i < kEvents; ++i) {
    if (i % 3 == 0) {
      Checkpoint(history, 10 * i);
    } else {
      history.On({10 * i, 0, machine::InputEvent{Input::Console(std::to_string(i))}});
    }
  }
  EXPECT_EQ(history.events(), kEvents);
  for (const uint64_t from : {0u, 1u, 2500u, 2501u, 2502u, 13'000u, 19'999u, 20'000u, 99'999u}) {
    const std::vector<replaylog::Event> events = All(history, from);
    ASSERT_EQ(events.size(), kEvents - std::min<uint64_t>(from, kEvents));
    uint64_t number = from;
    for (const replaylog::Event& event : events) {
      ASSERT_EQ(event.number, number);
      ASSERT_EQ(event.cycle, 10 * number++);
    }
  }
}

TEST(RunHistory, OutputThatMayStillGrowIsThere) {
  RunHistory history(1 << 20);
  Checkpoint(history, 5);
  Byte(history, 10, 'a');
  Byte(history, 20, 'b');
  ASSERT_EQ(history.events(), 2u);
  std::vector<replaylog::Event> events = All(history, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<OutputRun>(events[0].body).bytes, "ab");
  Byte(history, 30, 'c');
  ASSERT_EQ(history.events(), 2u);
  EXPECT_EQ(std::get<OutputRun>(All(history, 1)[0].body).bytes, "abc");
  Checkpoint(history, 40);
  events = All(history);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(std::get<OutputRun>(events[1].body).bytes, "abc");
}

TEST(RunHistory, APlaceIsWhereItWasWhenOutputHasGrown) {
  RunHistory history(1 << 20);
  Checkpoint(history, 5);
  Byte(history, 10, 'a');
  Byte(history, 20, 'b');
  const auto place = [&](const Replayer::Place& then, uint64_t cycle) {
    const auto now = history.PlaceNow(then, cycle);
    EXPECT_TRUE(now.ok()) << now.status();
    return std::vector<uint64_t>{now->event, now->output_seen, now->output_cycle};
  };
  using Place = std::vector<uint64_t>;
  EXPECT_EQ(place({2, 0, 0}, 25), (Place{2, 0, 0}));
  EXPECT_EQ(place({1, 1, 10}, 15), (Place{1, 1, 10}));
  EXPECT_EQ(place({1, 2, 20}, 25), (Place{2, 0, 0})) << "all of it has been seen";
  EXPECT_EQ(place({1, 0, 0}, 7), (Place{1, 0, 0}));
  EXPECT_EQ(place({0, 0, 0}, 0), (Place{0, 0, 0}));
  Byte(history, 30, 'c');
  EXPECT_EQ(place({2, 0, 0}, 25), (Place{1, 2, 20})) << "there is more of it now";
  EXPECT_EQ(place({2, 0, 0}, 30), (Place{2, 0, 0}));
  Checkpoint(history, 40);
  EXPECT_EQ(place({2, 0, 0}, 25), (Place{1, 2, 20}));
  EXPECT_EQ(place({2, 0, 0}, 35), (Place{2, 0, 0}));
}

TEST(RunHistory, IsNoneWhenItIsTooLarge) {
  RunHistory history(100);
  for (uint64_t i = 1; i < 100 && history.error().ok(); ++i) Checkpoint(history, i);
  EXPECT_TRUE(absl::IsFailedPrecondition(history.error()));
  EXPECT_NE(history.error().message().find("--snapshot-memory"), std::string::npos);
  EXPECT_LE(history.bytes(), 100u);
  EXPECT_TRUE(history.status().ok()) << "the run goes on";
  Checkpoint(history, 1000);
  EXPECT_FALSE(history.NewReader()->SeekToEvent(0).ok());
}

}  // namespace
}  // namespace isochron::timeline
