#include "cli/host/idle_watch.h"

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

constexpr uint64_t kInterval = 1 << 20;

// A guest whose CPU is looked at every kInterval cycles, one instruction a cycle.
class IdleWatchTest : public testing::Test {
 protected:
  // The share of the last `points` points that counts as idle. `state` sets the CPU at a cycle.
  template <typename State>
  double IdleShare(int points, State state, uint64_t engine_idle = 0) {
    uint64_t first = 0;
    uint64_t last = 0;
    for (int i = 0; i < 2 * points; ++i) {
      point_.cycle += kInterval;
      point_.idle_cycles += engine_idle;
      state(point_.cycle);
      last = watch_.Observe(point_, cpu_).idle_cycles;
      if (i == points - 1) first = last;
    }
    return static_cast<double>(last - first) / static_cast<double>(points * kInterval);
  }

  IdleWatch watch_;
  alpha::Cpu cpu_{0, 128, 128};
  machine::InputPoint point_;
};

TEST_F(IdleWatchTest, ALoopThatComesBackIsIdle) {
  // 43 instructions, of which one in 50 points is interrupted by a handler that does work.
  EXPECT_GT(IdleShare(500,
                      [this](uint64_t cycle) {
                        const bool handler = cycle / kInterval % 50 == 0;
                        cpu_.pc = handler ? 0x9000 : 0x1000 + 4 * (cycle % 43);
                        cpu_.r[1] = handler ? cycle : cycle % 43 < 20 ? 1 : 2;
                      }),
            0.8);
}

TEST_F(IdleWatchTest, ALoopThatCountsIsNot) {
  EXPECT_EQ(IdleShare(500,
                      [this](uint64_t cycle) {
                        cpu_.pc = 0x1000 + 4 * (cycle % 4);
                        cpu_.r[9] = cycle / 4;
                      }),
            0);
}

TEST_F(IdleWatchTest, WhatTheEngineKnowsCountsOnce) {
  const auto still = [this](uint64_t) { cpu_.pc = 0x1000; };
  EXPECT_DOUBLE_EQ(IdleShare(500, still, kInterval), 1);
  EXPECT_DOUBLE_EQ(IdleShare(500, still, kInterval / 4), 1);
}

TEST_F(IdleWatchTest, AStateOfLongAgoIsForgotten) {
  EXPECT_LT(IdleShare(5000, [this](uint64_t cycle) { cpu_.r[3] = cycle / kInterval % 3000; }),
            0.01);
}

}  // namespace
}  // namespace isochron::cli
