#include "machine/devices/i8254.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kControl = 3, kPort61 = 4;

class PitTest : public testing::Test {
 protected:
  PitTest() { pit_.Reset(); }

  void Write(uint64_t offset, uint8_t value) { pit_.Write({offset, 1}, value); }
  uint8_t Read(uint64_t offset) { return static_cast<uint8_t>(pit_.Read({offset, 1})); }
  // Puts the clock at a pulse.
  void At(uint64_t tick) { bench_.RunTo(TicksToCycles(tick, Pit::kClockHz, kTestHz)); }
  void Program(int counter, uint8_t mode, uint16_t count, bool bcd = false) {
    Write(kControl, static_cast<uint8_t>(counter << 6 | 0x30 | mode << 1 | (bcd ? 1 : 0)));
    Write(counter, static_cast<uint8_t>(count));
    Write(counter, static_cast<uint8_t>(count >> 8));
  }
  uint16_t Count(int counter) {
    Write(kControl, static_cast<uint8_t>(counter << 6));
    const uint8_t low = Read(counter);
    return static_cast<uint16_t>(low | Read(counter) << 8);
  }
  uint8_t Status(int counter) {
    Write(kControl, static_cast<uint8_t>(0xe0 | 2 << counter));
    return Read(counter);
  }
  bool Output2() { return (Read(kPort61) & 0x20) != 0; }
  void Gate2(bool level) { Write(kPort61, level ? 1 : 0); }

  Bench bench_;
  FakeIrqs irqs_;
  Pit pit_{bench_.events(), IrqLine{&irqs_, 0}};
};

TEST_F(PitTest, Mode0InterruptsOnTerminalCountAndGoesOn) {
  Gate2(true);
  At(100);
  Program(2, 0, 4);
  EXPECT_FALSE(Output2());
  At(101);  // loaded
  EXPECT_EQ(Count(2), 4);
  At(104);
  EXPECT_EQ(Count(2), 1);
  EXPECT_FALSE(Output2());
  At(105);
  EXPECT_EQ(Count(2), 0);
  EXPECT_TRUE(Output2());
  At(106);
  EXPECT_EQ(Count(2), 0xffff);
  EXPECT_TRUE(Output2());
}

TEST_F(PitTest, Mode0GateHoldsTheCountAndFirstByteStopsIt) {
  Gate2(true);
  Program(2, 0, 10);
  At(5);  // loaded at 1
  EXPECT_EQ(Count(2), 6);
  Gate2(false);
  At(50);
  EXPECT_EQ(Count(2), 6);
  Gate2(true);
  At(53);
  EXPECT_EQ(Count(2), 3);
  Write(2, 0x08);
  At(70);
  EXPECT_EQ(Count(2), 3);
  EXPECT_FALSE(Output2());
  Write(2, 0x00);
  At(78);
  EXPECT_FALSE(Output2());
  At(79);
  EXPECT_TRUE(Output2());
}

TEST_F(PitTest, Mode1IsARetriggerableOneShot) {
  Program(2, 1, 3);
  At(5);
  EXPECT_TRUE(Output2());
  Gate2(true);
  At(6);
  EXPECT_FALSE(Output2());
  At(8);
  EXPECT_FALSE(Output2());
  Gate2(false);
  Gate2(true);
  At(11);
  EXPECT_FALSE(Output2());
  At(12);
  EXPECT_TRUE(Output2());
}

TEST_F(PitTest, Mode2DividesAndReloads) {
  Gate2(true);
  Program(2, 2, 3);
  const bool expected[] = {true, true, false, true, true, false, true};
  for (int i = 0; i < 7; ++i) {
    At(1 + i);
    EXPECT_EQ(Output2(), expected[i]) << i;
    EXPECT_EQ(Count(2), 3 - i % 3) << i;
  }
  Write(2, 5);  // at 7, in the first pulse of a period: taken at its end
  Write(2, 0);
  At(9);
  EXPECT_EQ(Count(2), 1);
  At(10);
  EXPECT_EQ(Count(2), 5);
  At(14);
  EXPECT_FALSE(Output2());
  Gate2(false);  // forces the output high at once
  EXPECT_TRUE(Output2());
  At(30);
  EXPECT_EQ(Count(2), 1);
  Gate2(true);
  At(31);
  EXPECT_EQ(Count(2), 5);
}

TEST_F(PitTest, Mode3EvenCount) {
  Gate2(true);
  Program(2, 3, 4);
  const bool outputs[] = {true, true, false, false, true};
  const int counts[] = {4, 2, 4, 2, 4};
  for (int i = 0; i < 5; ++i) {
    At(1 + i);
    EXPECT_EQ(Output2(), outputs[i]) << i;
    EXPECT_EQ(Count(2), counts[i]) << i;
  }
}

TEST_F(PitTest, Mode3OddCountIsHighOnePulseLonger) {
  Gate2(true);
  Program(2, 3, 5);
  const bool outputs[] = {true, true, true, false, false, true};
  const int counts[] = {4, 2, 0, 4, 2, 4};
  for (int i = 0; i < 6; ++i) {
    At(1 + i);
    EXPECT_EQ(Output2(), outputs[i]) << i;
    EXPECT_EQ(Count(2), counts[i]) << i;
  }
}

TEST_F(PitTest, Mode3TakesANewCountAtTheEndOfAHalf) {
  Gate2(true);
  Program(2, 3, 8);  // high 1..4, low 5..8
  At(2);
  Write(2, 4);
  Write(2, 0);
  At(4);
  EXPECT_TRUE(Output2());
  At(5);
  EXPECT_FALSE(Output2());
  EXPECT_EQ(Count(2), 4);
  At(7);
  EXPECT_TRUE(Output2());
  At(9);
  EXPECT_FALSE(Output2());
}

TEST_F(PitTest, Mode4StrobesOnce) {
  Gate2(true);
  Program(2, 4, 3);
  for (uint64_t tick : {1, 3, 5, 6}) {
    At(tick);
    EXPECT_TRUE(Output2()) << tick;
    if (tick == 3) {
      At(4);
      EXPECT_FALSE(Output2());
    }
  }
}

TEST_F(PitTest, Mode5StrobesAfterATrigger) {
  Program(2, 5, 2);
  At(10);
  EXPECT_TRUE(Output2());
  Gate2(true);
  At(12);
  EXPECT_TRUE(Output2());
  At(13);
  EXPECT_FALSE(Output2());
  At(14);
  EXPECT_TRUE(Output2());
}

TEST_F(PitTest, BcdCountsInDecimal) {
  Gate2(true);
  Program(2, 2, 0x1000, true);
  At(2);
  EXPECT_EQ(Count(2), 0x0999);
  Program(2, 2, 0, true);  // zero is 10000
  At(4);
  EXPECT_EQ(Count(2), 0x9999);
}

TEST_F(PitTest, LatchHoldsUntilReadAndStatusComesFirst) {
  Gate2(true);
  Program(2, 2, 0x1234);
  EXPECT_EQ(Status(2), 0xc0 | 0x30 | 2 << 1);  // output high, count not loaded yet
  At(3);
  Write(kControl, 0xc0 | 8);  // read-back: latch count and status of counter 2
  At(100);
  Write(kControl, 0x80);  // ignored: still latched
  EXPECT_EQ(Read(2), 0xb4);
  EXPECT_EQ(Read(2), 0x32);
  EXPECT_EQ(Read(2), 0x12);
  EXPECT_EQ(Count(2), 0x1234 - 99);
}

TEST_F(PitTest, SingleByteAccess) {
  Gate2(true);
  Write(kControl, 0x94);  // counter 2, low byte, mode 2
  Write(2, 9);
  At(2);
  EXPECT_EQ(Read(2), 8);
  EXPECT_EQ(Read(2), 8);
  Write(kControl, 0xa4);  // high byte
  Write(2, 2);
  At(3);
  EXPECT_EQ(Read(2), 2);
  At(4);
  EXPECT_EQ(Read(2), 1);  // 0x01ff
}

TEST_F(PitTest, Counter0DrivesItsLineExactly) {
  Program(0, 2, 1000);
  irqs_.edges.clear();
  const uint64_t ticks = Pit::kClockHz;  // one second
  At(ticks);
  EXPECT_EQ(irqs_.edges[0], static_cast<int>((ticks - 1) / 1000));
}

TEST_F(PitTest, LinuxCalibrationTakes65536Pulses) {
  Gate2(true);
  Write(kControl, 0xb0);
  Write(2, 0xff);
  Write(2, 0xff);
  const uint64_t start = bench_.events().now();
  while (!Output2()) bench_.RunFor(600);
  const double seconds = static_cast<double>(bench_.events().now() - start) / kTestHz;
  EXPECT_NEAR(seconds * Pit::kClockHz, 65536, 2);
}

TEST_F(PitTest, Port61KeepsItsBitsAndTogglesRefresh) {
  Write(kPort61, 0xff);
  EXPECT_EQ(Read(kPort61) & 0xcf, 0x0f);
  const uint8_t before = Read(kPort61) & 0x10;
  At(18);
  EXPECT_NE(Read(kPort61) & 0x10, before);
}

TEST_F(PitTest, RestoredTimerGoesOnAlike) {
  Program(0, 3, 777);
  Program(2, 3, 100);
  Gate2(true);
  At(1234);
  Write(2, 50);  // half a count
  Bench other_bench;
  FakeIrqs other_irqs;
  Pit other{other_bench.events(), IrqLine{&other_irqs, 0}};
  ASSERT_TRUE(CopyInto(pit_, bench_, other, other_bench).ok());
  irqs_.edges.clear();
  const uint64_t end = TicksToCycles(50000, Pit::kClockHz, kTestHz);
  pit_.Write({2, 1}, 1);
  other.Write({2, 1}, 1);
  bench_.RunTo(end);
  other_bench.RunTo(end);
  EXPECT_EQ(Save(pit_), Save(other));
  EXPECT_EQ(Save(bench_.events()), Save(other_bench.events()));
  EXPECT_GT(irqs_.edges[0], 60);
  EXPECT_NEAR(irqs_.edges[0], other_irqs.edges[0], 1);  // the level before differs
}

}  // namespace
}  // namespace isochron::machine
