#include "cli/control/panic_watch.h"

#include <initializer_list>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "machine/firmware/elf_image.h"

namespace isochron::cli {
namespace {

constexpr uint64_t kHz = 1'000'000;

class PanicWatchTest : public testing::Test {
 protected:
  void Print(std::string_view text, uint64_t cycle, int uart = 0) {
    for (const char c : text) watch_.OnConsoleByte(uart, cycle, static_cast<uint8_t>(c));
  }
  // Whether a stop is asked for, and why; -1: none.
  int Poll(uint64_t cycle) {
    std::vector<machine::Input> inputs;
    watch_.Poll(machine::InputPoint{cycle}, inputs);
    if (inputs.empty()) return -1;
    EXPECT_EQ(inputs[0].cause, machine::StopCause::kPanic);
    return static_cast<int>(inputs[0].detail);
  }

  bool dead_ = false;
  PanicWatch watch_{kHz, [this] { return dead_; }};
};

TEST_F(PanicWatchTest, StopsWhenLinuxHasSaidEverything) {
  Print("[    0.512000] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n", 1000);
  EXPECT_EQ(Poll(2000), -1);
  Print("[    0.513000] Call Trace:\r\n", 2500);
  EXPECT_EQ(Poll(3000), -1);
  Print("[    0.514000] ---[ end Kernel panic - not syncing: VFS ]---\r\n", 3500);
  EXPECT_EQ(Poll(4000), 0);
  EXPECT_EQ(watch_.message(),
            "[    0.512000] Kernel panic - not syncing: VFS: Unable to mount root fs");
}

TEST_F(PanicWatchTest, WaitsNoLongerThanASecondForTheRest) {
  Print("<0>[    0.5][    T1] Kernel panic - not syncing: x\n", 1000);
  EXPECT_EQ(Poll(1000 + kHz), -1);
  EXPECT_EQ(Poll(1001 + kHz), 0);
}

TEST_F(PanicWatchTest, KnowsNetBsdByWhatFollows) {
  Print("panic: trap\r\ncpu0: Begin traceback...\r\ntrap() at netbsd:trap+0x1\r\n", 1000);
  EXPECT_EQ(Poll(2000), -1);
  Print("cpu0: End traceback...\r\n", 3000);
  EXPECT_EQ(Poll(4000), 0);
}

TEST_F(PanicWatchTest, KnowsThePromptOfItsDebugger) {
  Print("[ 37.723519] panic: trap\r\nStopped in pid 0.1 (system) at netbsd:cpu_Debugger+0x4\r\n",
        1000);
  EXPECT_EQ(Poll(2000), -1);
  Print("db{0}> ", 3000);
  EXPECT_EQ(Poll(4000), 0);
}

TEST_F(PanicWatchTest, TakesNoUserProgramForAKernel) {
  Print("panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n", 1000);
  EXPECT_EQ(Poll(2 * kHz), -1);
  Print("# echo the Kernel panic - not syncing: no\n", 3 * kHz);
  EXPECT_EQ(Poll(20 * kHz), -1);
  EXPECT_EQ(watch_.message(), "");
  Print("Kernel panic - not syncing: yes\n", 30 * kHz);
  EXPECT_EQ(Poll(40 * kHz), 0);
}

TEST_F(PanicWatchTest, ALineMayBeVeryLong) {
  for (int i = 0; i < 10'000; ++i) Print("x", 1);
  Print("\nKernel panic - not syncing: ", 2);
  for (int i = 0; i < 10'000; ++i) Print("y", 3);
  Print("\n", 4);
  EXPECT_EQ(Poll(2 * kHz), 0);
  EXPECT_LT(watch_.message().size(), 1000u);
}

TEST_F(PanicWatchTest, BothPortsAreWatchedEachForItself) {
  Print("Kernel panic - not", 10, 1);
  Print("Kernel panic - syncing: x\n", 11, 0);
  EXPECT_EQ(Poll(9 * kHz), -1);
  Print(" syncing: y\n", 10 * kHz, 1);
  EXPECT_EQ(Poll(11 * kHz), -1);
  EXPECT_EQ(Poll(11 * kHz + 1), 0);
  EXPECT_EQ(watch_.message(), "Kernel panic - not syncing: y");
}

TEST_F(PanicWatchTest, TellsOfThePortThatIsThroughFirst) {
  Print("panic: of a program\n", 10, 0);
  Print("Kernel panic - not syncing: y\n---[ end Kernel panic - not syncing: y ]---\n", 20, 1);
  EXPECT_EQ(Poll(30), 0);
  EXPECT_EQ(watch_.message(), "Kernel panic - not syncing: y");
}

TEST_F(PanicWatchTest, AConfirmationThatComesTooLateIsNone) {
  Print("panic: trap\n", 10);
  Print("syncing disks\n", 11 + 10 * kHz);
  EXPECT_EQ(Poll(20 * kHz), -1);
}

TEST_F(PanicWatchTest, StopsBetweenInputPointsWhereAllEnginesDo) {
  using Occasion = machine::InputSource::Occasion;
  constexpr uint64_t kFar = uint64_t{1} << 40;
  EXPECT_EQ(watch_.NextStop(100, kFar), kFar);
  Print("Kernel panic - not syncing: x\n", 1000);
  constexpr uint64_t kPoint = machine::kStopInterval;
  EXPECT_EQ(watch_.NextStop(1000, kFar), kPoint) << "a second is less than that";
  Print("---[ end Kernel panic - not syncing: x ]---\n", kPoint + 1);
  EXPECT_EQ(watch_.NextStop(kPoint + 1, kFar), 2 * kPoint);
  EXPECT_EQ(watch_.NextStop(2 * kPoint, kFar), 3 * kPoint) << "it has been there";
  EXPECT_EQ(watch_.TakeStop({kPoint + 2}, Occasion::kRequest), std::nullopt);
  EXPECT_NE(watch_.TakeStop({2 * kPoint}, Occasion::kStopPoint), std::nullopt);
}

TEST_F(PanicWatchTest, ADeadLoopIsOneAtTwoPoints) {
  dead_ = true;
  EXPECT_EQ(Poll(10), -1);
  dead_ = false;
  EXPECT_EQ(Poll(20), -1);
  dead_ = true;
  EXPECT_EQ(Poll(30), -1);
  EXPECT_EQ(Poll(40), 1);
}

class DeadLoopTest : public testing::Test {
 protected:
  static constexpr uint64_t kAt = 0x4000;

  // Whether the CPU, with interrupts off, is in a dead loop when it stands at the first of these.
  bool IsDead(std::initializer_list<uint32_t> code) {
    std::copy(code.begin(), code.end(), reinterpret_cast<uint32_t*>(bytes_.data() + kAt));
    return IsDeadLoop(cpu_, memory_);
  }

  DeadLoopTest() { cpu_.pc = machine::PhysicalToKseg(kAt); }

  static constexpr uint32_t kSelf = 0xc3ffffff;  // br .
  alignas(8) std::vector<uint8_t> bytes_ = std::vector<uint8_t>(1 << 16);
  alpha::Memory memory_{bytes_.data(), bytes_.size()};
  alpha::Cpu cpu_{0, 128, 128};
};

TEST_F(DeadLoopTest, IsMadeOfJumpsAndNoOperations) {
  EXPECT_TRUE(IsDead({kSelf}));
  EXPECT_TRUE(IsDead({0x47ff041f, 0x2ffe0000, 0x60004000, 0xc3fffffc}));  // nop, unop, mb, br
  EXPECT_FALSE(IsDead({0x40203001, 0xc3fffffe}));                         // addq r1, 1, r1
  EXPECT_FALSE(IsDead({0xe4200001, kSelf}));                              // beq r1
  EXPECT_FALSE(IsDead({0xc0200000, 0xc3fffffe}));                         // br r1, .+4
}

TEST_F(DeadLoopTest, NeedsInterruptsOff) {
  cpu_.ier = 1;
  EXPECT_FALSE(IsDead({kSelf}));
  cpu_.pc = kAt | 1;
  EXPECT_TRUE(IsDead({kSelf})) << "PALmode";
}

TEST_F(DeadLoopTest, StaysInsideRam) {
  cpu_.pc = machine::PhysicalToKseg(bytes_.size());
  EXPECT_FALSE(IsDead({}));
  cpu_.pc = 0x10000;
  EXPECT_FALSE(IsDead({})) << "mapped, which nobody looks up";
  cpu_.pc = (uint64_t{1} << 50) | 1;
  EXPECT_FALSE(IsDead({}));
}

}  // namespace
}  // namespace isochron::cli
