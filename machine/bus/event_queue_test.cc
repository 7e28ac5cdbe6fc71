#include "machine/bus/event_queue.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

constexpr EventSlot kTimer{DeviceId::kPit, 0};
constexpr EventSlot kClock{DeviceId::kRtc, 1};
constexpr EventSlot kLater{DeviceId::kRtc, 2};
constexpr EventSlot kSerial{DeviceId::kUart0, 3};

class EventQueueTest : public ::testing::Test {
 protected:
  // Device and kind of what is due by now, in order.
  std::vector<std::pair<DeviceId, int>> Due() {
    std::vector<std::pair<DeviceId, int>> due;
    EventSlot slot;
    while (queue_.PopDue(slot)) due.emplace_back(slot.device, slot.kind);
    return due;
  }

  alpha::Deadline deadline_{1'000'000};
  EventQueue queue_{1'000, deadline_};
};

TEST_F(EventQueueTest, NothingIsDueInAnEmptyOne) {
  EXPECT_EQ(queue_.next(), kNever);
  queue_.SetNow(kNever - 1);
  EXPECT_TRUE(Due().empty());
}

TEST_F(EventQueueTest, TheOrderIsThatOfCycleDeviceAndKindWhateverCameFirst) {
  std::vector<std::pair<EventSlot, uint64_t>> events = {
      {kSerial, 50}, {kTimer, 70}, {kLater, 60}, {kClock, 60}};
  const auto place = [](const auto& event) { return event.second * 100 + event.first.kind; };
  std::sort(events.begin(), events.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  int orders = 0;
  do {
    queue_.SetNow(0);
    for (const auto& [slot, cycle] : events) queue_.Schedule(slot, cycle);
    EXPECT_EQ(queue_.next(), 50u);
    queue_.SetNow(70);
    const std::vector<std::pair<DeviceId, int>> expected = {
        {DeviceId::kUart0, 3}, {DeviceId::kRtc, 1}, {DeviceId::kRtc, 2}, {DeviceId::kPit, 0}};
    EXPECT_EQ(Due(), expected);
    ++orders;
  } while (std::next_permutation(events.begin(), events.end(), [&](const auto& a, const auto& b) {
    return place(a) < place(b);
  }));
  EXPECT_EQ(orders, 24);
  EXPECT_EQ(queue_.next(), kNever);
}

TEST_F(EventQueueTest, WhatIsNotYetDueStays) {
  queue_.Schedule(kTimer, 10);
  queue_.Schedule(kClock, 11);
  queue_.SetNow(10);
  EXPECT_EQ(Due().size(), 1u);
  EXPECT_EQ(queue_.next(), 11u);
  EXPECT_EQ(queue_.DueCycle(kTimer), kNever);
  EXPECT_EQ(queue_.DueCycle(kClock), 11u);
}

TEST_F(EventQueueTest, ASlotHoldsOneEventAndCancelsIt) {
  queue_.Schedule(kTimer, 10);
  queue_.Schedule(kTimer, 20);
  EXPECT_EQ(queue_.next(), 20u);
  queue_.Schedule(kTimer, 5);
  EXPECT_EQ(queue_.next(), 5u);
  queue_.Cancel(kTimer);
  EXPECT_EQ(queue_.next(), kNever);
  queue_.SetNow(100);
  EXPECT_TRUE(Due().empty());
}

TEST_F(EventQueueTest, SchedulingMovesTheDeadlineNearerAndNeverAway) {
  queue_.Schedule(kTimer, 500);
  EXPECT_EQ(deadline_.cycle, 500u);
  queue_.Schedule(kClock, 700);
  EXPECT_EQ(deadline_.cycle, 500u);
  queue_.Cancel(kTimer);
  EXPECT_EQ(deadline_.cycle, 500u);
  queue_.Schedule(kTimer, 20);
  EXPECT_EQ(deadline_.cycle, 20u);
}

TEST_F(EventQueueTest, ItsStateIsAllOfItAndNoEventMayBeInThePast) {
  queue_.SetNow(40);
  queue_.Schedule(kTimer, 50);
  queue_.Schedule(kSerial, 45);
  alpha::Deadline deadline;
  EventQueue restored(1'000, deadline);
  ASSERT_TRUE(alpha::RestoreFromBytes(alpha::StateBytes(queue_), restored).ok());
  EXPECT_EQ(restored.now(), 40u);
  EXPECT_EQ(restored.next(), 45u);
  EXPECT_EQ(restored.DueCycle(kTimer), 50u);

  queue_.SetNow(46);
  EXPECT_FALSE(alpha::RestoreFromBytes(alpha::StateBytes(queue_), restored).ok());
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
