#include "ref/spin_detector.h"

#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace isochron::ref {
namespace {

// A loop of one block: each turn takes 7 cycles and 3 instructions.
class SpinDetectorTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kTurn = 7;

  SpinDetectorTest() : cpu_(0, 1, 1) { cpu_.pc = 0x1000; }

  // Goes round until `end` or until cycles have been skipped.
  template <typename Turn>
  void Spin(uint64_t turns, uint64_t deadline, Turn each) {
    for (uint64_t i = 0; i < turns && spin_.skipped_cycles() == 0; ++i) {
      spin_.Observe(cpu_, block_, deadline);
      cpu_.cycle += kTurn;
      cpu_.instructions += 3;
      each(i);
    }
  }

  alpha::Cpu cpu_;
  Block block_;
  SpinDetector spin_;
};

TEST_F(SpinDetectorTest, SkipsWholeTurnsBeforeTheDeadline) {
  constexpr uint64_t kDeadline = 1'000'003;
  Spin(2000, kDeadline, [](uint64_t) {});
  EXPECT_GT(spin_.skipped_cycles(), 900'000u);
  EXPECT_EQ(spin_.skipped_cycles() % kTurn, 0u);
  EXPECT_EQ(cpu_.cycle % kTurn, 0u);
  EXPECT_EQ(cpu_.instructions, cpu_.cycle / kTurn * 3);
  // One turn has been added after the skip.
  EXPECT_LT(cpu_.cycle - kTurn, kDeadline);
  EXPECT_GE(cpu_.cycle, kDeadline);
}

TEST_F(SpinDetectorTest, ADeadlineOnABoundaryIsNotPassed) {
  constexpr uint64_t kDeadline = kTurn * 100'000;
  Spin(2000, kDeadline, [](uint64_t) {});
  EXPECT_LT(cpu_.cycle - kTurn, kDeadline);
}

TEST_F(SpinDetectorTest, AFarDeadlineDoesNotOverflow) {
  constexpr uint64_t kDeadline = std::numeric_limits<uint64_t>::max();
  Spin(2000, kDeadline, [](uint64_t) {});
  EXPECT_GT(spin_.skipped_cycles(), kDeadline / 2);
  EXPECT_EQ(spin_.skipped_cycles() % kTurn, 0u);
}

TEST_F(SpinDetectorTest, AChangingRegisterIsWork) {
  for (int reg = 0; reg < alpha::Cpu::kIntegerSink; reg += 13) {
    Spin(3000, 1'000'000, [&](uint64_t) { ++cpu_.r[reg]; });
    EXPECT_EQ(spin_.skipped_cycles(), 0u);
  }
}

TEST_F(SpinDetectorTest, AnImpureBlockIsWork) {
  block_.pure = false;
  Spin(3000, 1'000'000, [](uint64_t) {});
  EXPECT_EQ(spin_.skipped_cycles(), 0u);
}

TEST_F(SpinDetectorTest, ADisturbanceStartsOver) {
  Spin(3000, 1'000'000, [&](uint64_t) { spin_.Disturb(); });
  EXPECT_EQ(spin_.skipped_cycles(), 0u);
}

TEST_F(SpinDetectorTest, ALongTurnIsNotWatchedToItsEnd) {
  Spin(30'000, 1'000'000, [&](uint64_t i) { cpu_.pc = 0x1000 + i % 100 * 4; });
  EXPECT_EQ(spin_.skipped_cycles(), 0u);
}

TEST_F(SpinDetectorTest, ATurnOfSeveralBlocks) {
  Spin(30'000, 1'000'000, [&](uint64_t i) {
    cpu_.pc = 0x1000 + i % 5 * 4;
    cpu_.r[3] = i % 5;
  });
  EXPECT_GT(spin_.skipped_cycles(), 0u);
  EXPECT_EQ(spin_.skipped_cycles() % (5 * kTurn), 0u);
}

TEST_F(SpinDetectorTest, TheFirstBlockMayBeginInsideTheLoop) {
  cpu_.pc = 0x1004;
  spin_.LookSoon();
  Spin(4, 1'000'000, [&](uint64_t) { cpu_.pc = 0x1000; });
  EXPECT_GT(spin_.skipped_cycles(), 900'000u);
}

// A turn through an exception counts something.
TEST_F(SpinDetectorTest, AnExceptionIsWork) {
  Spin(3000, 1'000'000, [&](uint64_t) { ++cpu_.counters.exceptions; });
  EXPECT_EQ(spin_.skipped_cycles(), 0u);
  Spin(3000, 1'000'000, [&](uint64_t) { ++cpu_.counters.dtb_misses; });
  EXPECT_EQ(spin_.skipped_cycles(), 0u);
  Spin(3000, 1'000'000, [&](uint64_t) { ++cpu_.counters.itb_misses; });
  EXPECT_EQ(spin_.skipped_cycles(), 0u);
}

}  // namespace
}  // namespace isochron::ref
