#include "replaylog/event_merger.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "replaylog/codec.h"

namespace isochron::replaylog {
namespace {

Event Output(uint64_t cycle, int uart, std::string bytes, std::vector<uint64_t> deltas = {}) {
  Event event;
  event.cycle = cycle;
  event.body = OutputRun{static_cast<uint8_t>(uart), std::move(bytes), std::move(deltas)};
  return event;
}

Event Interrupt(uint64_t cycle) {
  Event event;
  event.cycle = cycle;
  event.body = InterruptEvent{1};
  return event;
}

// All that comes out of these events, in order.
std::vector<Event> Merged(std::vector<Event> events) {
  EventMerger merger;
  std::vector<Event> merged;
  const auto take = [&merged](std::optional<Event> event) {
    if (event) merged.push_back(*std::move(event));
  };
  for (const Event& event : events) {
    EventMerger::Completed completed = merger.Add(event);
    take(std::move(completed.run));
    if (completed.number) merged.push_back({*completed.number, event.cycle, event.cpu, event.body});
  }
  take(merger.Flush());
  EXPECT_EQ(merger.next_number(), merged.size());
  EXPECT_FALSE(merger.Flush());
  for (size_t i = 0; i < merged.size(); ++i) EXPECT_EQ(merged[i].number, i);
  return merged;
}

TEST(EventMerger, BytesOfOneUartBecomeARunWithTheirDistances) {
  const std::vector<Event> merged =
      Merged({Output(10, 0, "a"), Output(15, 0, "b"), Output(15, 0, "c")});
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(merged[0].cycle, 10u);
  EXPECT_EQ(std::get<OutputRun>(merged[0].body), (OutputRun{0, "abc", {5, 0}}));
}

TEST(EventMerger, AnythingElseAndTheOtherUartEndARun) {
  const std::vector<Event> merged =
      Merged({Output(10, 0, "a"), Interrupt(12), Output(14, 0, "b"), Output(16, 1, "c")});
  ASSERT_EQ(merged.size(), 4u);
  EXPECT_EQ(std::get<OutputRun>(merged[0].body).bytes, "a");
  EXPECT_TRUE(std::holds_alternative<InterruptEvent>(merged[1].body));
  EXPECT_EQ(std::get<OutputRun>(merged[2].body).bytes, "b");
  EXPECT_EQ(std::get<OutputRun>(merged[3].body).uart, 1);
}

// What is merged and merged again does not change.
TEST(EventMerger, RunsJoinAsTheirBytesWould) {
  const std::vector<Event> merged = Merged({Output(10, 0, "ab", {3}), Output(20, 0, "cd", {4})});
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(std::get<OutputRun>(merged[0].body), (OutputRun{0, "abcd", {3, 7, 4}}));
  EXPECT_EQ(Merged(merged)[0].body, merged[0].body);
}

TEST(EventMerger, ARunIsNoLongerThanALogAllows) {
  std::vector<Event> events;
  for (uint64_t i = 0; i <= kMaxOutputRun; ++i) events.push_back(Output(i, 0, "x"));
  const std::vector<Event> merged = Merged(std::move(events));
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(std::get<OutputRun>(merged[0].body).bytes.size(), kMaxOutputRun);
  EXPECT_EQ(std::get<OutputRun>(merged[1].body).bytes, "x");
}

}  // namespace
}  // namespace isochron::replaylog
