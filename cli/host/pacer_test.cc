#include "cli/host/pacer.h"

#include <vector>

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr uint64_t kHz = 1'000'000'000;  // a cycle is a nanosecond
constexpr uint64_t kMillisecond = kHz / 1000;

class FakeClock final : public HostClock {
 public:
  nanoseconds Now() override { return now; }
  void WaitForInput(nanoseconds limit) override {
    ++waits;
    const nanoseconds slept = std::min(limit, input_after) + oversleep;
    now += slept;
  }

  nanoseconds now{0};
  nanoseconds input_after = milliseconds(1'000'000);
  nanoseconds oversleep{0};
  int waits = 0;
};

class PacerTest : public testing::Test {
 protected:
  // The guest runs for `guest_ms`, of them `idle_ms` idle, in `wall` of host time.
  void Run(uint64_t guest_ms, uint64_t idle_ms, nanoseconds wall) {
    point_.cycle += guest_ms * kMillisecond;
    point_.idle_cycles += idle_ms * kMillisecond;
    clock_.now += wall;
    std::vector<machine::Input> inputs;
    pacer_.Poll(point_, inputs);
    EXPECT_TRUE(inputs.empty());
  }
  nanoseconds GuestTime() const { return nanoseconds(point_.cycle); }

  FakeClock clock_;
  Pacer pacer_{kHz, clock_};
  machine::InputPoint point_;
};

TEST_F(PacerTest, AnIdleGuestKeepsPaceWithTheWall) {
  for (int i = 0; i < 10'000; ++i) Run(2, 2, nanoseconds(10'000));
  EXPECT_NEAR((GuestTime() - clock_.now).count(), 0, Pacer::kMaxLead.count());
}

TEST_F(PacerTest, ABusyGuestKeepsPaceWhenAllOfItIsPaced) {
  Pacer pacer(kHz, clock_, {}, /*always=*/true);
  std::vector<machine::Input> inputs;
  for (int i = 0; i < 10'000; ++i) {
    point_.cycle += 2 * kMillisecond;
    clock_.now += nanoseconds(10'000);
    pacer.Poll(point_, inputs);
  }
  EXPECT_NEAR((GuestTime() - clock_.now).count(), 0, Pacer::kMaxLead.count());
}

TEST_F(PacerTest, AnIdleGuestWakesTheHostAHundredTimesASecond) {
  while (clock_.now < std::chrono::seconds(1)) Run(2, 2, nanoseconds(10'000));
  EXPECT_LE(clock_.waits, 100);
  EXPECT_GE(clock_.waits, 80);
}

TEST_F(PacerTest, ABusyGuestIsNeverHeldUp) {
  for (int i = 0; i < 1000; ++i) Run(2, 0, nanoseconds(100'000));
  EXPECT_EQ(clock_.waits, 0);
}

TEST_F(PacerTest, WhatABusyGuestGainedIsNotWaitedFor) {
  for (int i = 0; i < 1000; ++i) Run(2, 0, nanoseconds(100'000));
  const nanoseconds gained = GuestTime() - clock_.now;
  for (int i = 0; i < 1000; ++i) Run(2, 2, nanoseconds(10'000));
  EXPECT_NEAR((GuestTime() - clock_.now - gained).count(), 0, Pacer::kMaxLead.count());
}

TEST_F(PacerTest, IdleTimeDoesNotCatchUpAfterABusyGuest) {
  for (int i = 0; i < 1000; ++i) Run(2, 0, milliseconds(20));
  const nanoseconds lag = clock_.now - GuestTime();
  EXPECT_EQ(lag, milliseconds(18'000));
  for (int i = 0; i < 1000; ++i) Run(2, 2, nanoseconds(10'000));
  EXPECT_NEAR((clock_.now - GuestTime() - lag).count(), 0, Pacer::kMaxLead.count());
}

TEST_F(PacerTest, HalfBusyTimeIsPacedToo) {
  // Turns of 4 ms busy, twice as fast as real time, and 6 ms idle.
  for (int i = 0; i < 1000; ++i) {
    Run(2, 0, milliseconds(1));
    Run(2, 0, milliseconds(1));
    Run(2, 2, nanoseconds(0));
    Run(2, 2, nanoseconds(0));
    Run(2, 2, nanoseconds(0));
  }
  EXPECT_NEAR(static_cast<double>(clock_.now.count()), 8e9, 2e7);
}

TEST_F(PacerTest, ALateWakeUpIsMadeUpFor) {
  clock_.oversleep = milliseconds(5);
  for (int i = 0; i < 1000; ++i) Run(2, 2, nanoseconds(0));
  EXPECT_NEAR((GuestTime() - clock_.now).count(), 0, 1e7 + 5e6);
}

TEST_F(PacerTest, ALongStandstillOfTheHostIsForgotten) {
  Run(2, 2, std::chrono::seconds(5));
  EXPECT_EQ(pacer_.lead(), nanoseconds(0));
}

TEST_F(PacerTest, InputEndsTheWait) {
  clock_.input_after = milliseconds(1);
  Run(10, 10, nanoseconds(0));
  EXPECT_EQ(clock_.waits, 1);
  EXPECT_EQ(clock_.now, milliseconds(1));
  EXPECT_EQ(pacer_.lead(), milliseconds(9));
}

TEST_F(PacerTest, AStreamOfInputIsNotWaitedForWhenItEnds) {
  clock_.input_after = nanoseconds(10'000);
  for (int i = 0; i < 1000; ++i) Run(2, 2, nanoseconds(10'000));
  clock_.input_after = std::chrono::seconds(1'000);
  const nanoseconds ended = clock_.now;
  Run(2, 2, nanoseconds(10'000));
  EXPECT_LE(clock_.now - ended, Pacer::kMaxLead + milliseconds(3));
}

TEST_F(PacerTest, AStreamOfInputIsWaitedForWhenAllOfItIsPaced) {
  Pacer pacer(kHz, clock_, {}, /*always=*/true);
  std::vector<machine::Input> inputs;
  clock_.input_after = nanoseconds(10'000);
  for (int i = 0; i < 1000; ++i) {
    point_.cycle += 2 * kMillisecond;
    pacer.Poll(point_, inputs);
  }
  EXPECT_NEAR((GuestTime() - clock_.now - pacer.lead()).count(), 0, 1);
}

}  // namespace
}  // namespace isochron::cli
