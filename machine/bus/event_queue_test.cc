#include "machine/bus/event_queue.h"

#include <algorithm>
#include <compare>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

// Notes what it is told.
struct Source final : EventTarget {
  Source(EventQueue& queue, int name, std::vector<std::pair<int, int>>& told)
      : events(queue, *this), name(name), told(told) {}
  void OnEvent(int kind) override { told.emplace_back(name, kind); }

  EventPort events;
  int name;
  std::vector<std::pair<int, int>>& told;
};

constexpr int kSerial = 0, kClock = 1, kTimer = 2;  // in the order of their making

struct Queue {
  Queue() {
    for (int name : {kSerial, kClock, kTimer}) {
      sources.push_back(std::make_unique<Source>(queue, name, told));
    }
  }
  EventPort& operator[](int name) { return sources[name]->events; }

  alpha::Deadline deadline{1'000'000};
  EventQueue queue{1'000, deadline};
  std::vector<std::pair<int, int>> told;
  std::vector<std::unique_ptr<Source>> sources;
};

class EventQueueTest : public ::testing::Test {
 protected:
  // Source and kind of what is due by now, in order.
  std::vector<std::pair<int, int>> Due() {
    queue_.told.clear();
    while (queue_.queue.HandleNext()) {
    }
    return queue_.told;
  }

  Queue queue_;
};

TEST_F(EventQueueTest, NothingIsDueInAnEmptyOne) {
  EXPECT_EQ(queue_.queue.next(), kNever);
  queue_.queue.SetNow(kNever - 1);
  EXPECT_TRUE(Due().empty());
}

TEST_F(EventQueueTest, TheOrderIsThatOfCycleSourceAndKindWhateverCameFirst) {
  struct Planned {
    uint64_t cycle;
    int source;
    int kind;
    auto operator<=>(const Planned&) const = default;
  };
  std::vector<Planned> events = {
      {50, kTimer, 3}, {60, kSerial, 2}, {60, kClock, 1}, {60, kClock, 2}};
  int orders = 0;
  do {
    queue_.queue.SetNow(0);
    for (const Planned& event : events) queue_[event.source].Schedule(event.kind, event.cycle);
    EXPECT_EQ(queue_.queue.next(), 50u);
    queue_.queue.SetNow(70);
    const std::vector<std::pair<int, int>> expected = {
        {kTimer, 3}, {kSerial, 2}, {kClock, 1}, {kClock, 2}};
    EXPECT_EQ(Due(), expected);
    ++orders;
  } while (std::next_permutation(events.begin(), events.end()));
  EXPECT_EQ(orders, 24);
  EXPECT_EQ(queue_.queue.next(), kNever);
}

TEST_F(EventQueueTest, WhatIsNotYetDueStays) {
  queue_[kTimer].Schedule(0, 10);
  queue_[kClock].Schedule(1, 11);
  queue_.queue.SetNow(10);
  EXPECT_EQ(Due().size(), 1u);
  EXPECT_EQ(queue_.queue.next(), 11u);
  EXPECT_EQ(queue_[kTimer].DueCycle(0), kNever);
  EXPECT_EQ(queue_[kClock].DueCycle(1), 11u);
}

TEST_F(EventQueueTest, ASlotHoldsOneEventAndCancelsIt) {
  EventPort& timer = queue_[kTimer];
  timer.Schedule(0, 10);
  timer.Schedule(0, 20);
  EXPECT_EQ(queue_.queue.next(), 20u);
  timer.Schedule(0, 5);
  EXPECT_EQ(queue_.queue.next(), 5u);
  timer.Cancel(0);
  EXPECT_EQ(queue_.queue.next(), kNever);
  queue_.queue.SetNow(100);
  EXPECT_TRUE(Due().empty());
}

TEST_F(EventQueueTest, SchedulingMovesTheDeadlineNearerAndNeverAway) {
  queue_[kTimer].Schedule(0, 500);
  EXPECT_EQ(queue_.deadline.cycle, 500u);
  queue_[kClock].Schedule(0, 700);
  EXPECT_EQ(queue_.deadline.cycle, 500u);
  queue_[kTimer].Cancel(0);
  EXPECT_EQ(queue_.deadline.cycle, 500u);
  queue_[kTimer].Schedule(0, 20);
  EXPECT_EQ(queue_.deadline.cycle, 20u);
}

TEST_F(EventQueueTest, ItsStateIsAllOfItAndNoEventMayBeInThePast) {
  queue_.queue.SetNow(40);
  queue_[kTimer].Schedule(0, 50);
  queue_[kSerial].Schedule(3, 45);
  Queue restored;
  ASSERT_TRUE(alpha::RestoreFromBytes(alpha::StateBytes(queue_.queue), restored.queue).ok());
  EXPECT_EQ(restored.queue.now(), 40u);
  EXPECT_EQ(restored.queue.next(), 45u);
  EXPECT_EQ(restored[kTimer].DueCycle(0), 50u);

  queue_.queue.SetNow(46);
  EXPECT_FALSE(alpha::RestoreFromBytes(alpha::StateBytes(queue_.queue), restored.queue).ok());
}

TEST_F(EventQueueTest, APlaceWithoutASourceHasNoEvents) {
  EXPECT_EQ(queue_.queue.Add(nullptr), 3);
  Source later(queue_.queue, 9, queue_.told);
  later.events.Schedule(0, 5);
  queue_.queue.SetNow(5);
  EXPECT_EQ(Due(), (std::vector<std::pair<int, int>>{{9, 0}}));
}

TEST(TicksAndCycles, AreInverseAtTheFirstCycleOfATick) {
  for (const uint64_t hz : {1'000ull, 1'193'182ull, 600'000'000ull}) {
    for (const uint64_t ticks : {0ull, 1ull, 2ull, 999ull, 123'456'789ull}) {
      const uint64_t cycle = TicksToCycles(ticks, 1'193'182, hz);
      EXPECT_GE(CyclesToTicks(cycle, 1'193'182, hz), ticks);
      if (cycle == 0) continue;
      EXPECT_LT(CyclesToTicks(cycle - 1, 1'193'182, hz), std::max<uint64_t>(ticks, 1));
    }
  }
  EXPECT_EQ(TicksToCycles(kNever, 1, 600'000'000), kNever);
}

}  // namespace
}  // namespace isochron::machine
