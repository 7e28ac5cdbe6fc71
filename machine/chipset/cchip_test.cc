#include "machine/chipset/cchip.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kCsc = 0x000, kMisc = 0x080, kMpd = 0x0c0, kAar0 = 0x100, kDim0 = 0x200,
                   kDim1 = 0x240, kDir0 = 0x280, kDir1 = 0x2c0, kDrir = 0x300, kPrben = 0x340,
                   kIic0 = 0x380, kIic1 = 0x3c0, kTtr = 0x580, kTdr = 0x5c0, kDim2 = 0x600,
                   kDim3 = 0x640, kDir2 = 0x680, kDir3 = 0x6c0, kIic2 = 0x700, kIic3 = 0x740;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

class CchipTest : public testing::Test {
 protected:
  CchipTest() { cchip_.Reset(); }

  uint64_t Read(uint64_t reg, int cpu = 0) { return cchip_.Read({reg, 8, cpu}); }
  void Write(uint64_t reg, uint64_t value) { cchip_.Write({reg, 8}, value); }
  bool Pin(int cpu, int pin) { return irqs_.levels[cpu * 8 + pin]; }

  FakeIrqs irqs_;
  Cchip cchip_{4, 256 * kMiB, irqs_};
};

TEST_F(CchipTest, ResetValues) {
  EXPECT_EQ(Read(kCsc) >> 14 & 1, 0u);  // no Pchip 1
  EXPECT_EQ(Read(kMisc), uint64_t{8} << 32);
  EXPECT_EQ(Read(kMisc, 3), uint64_t{8} << 32 | 3);
  EXPECT_EQ(Read(kTtr), 0x3103u);
  EXPECT_EQ(Read(kTdr), 0xf37ff37ff37ff37fu);
  for (uint64_t reg : {kDim0, kDim1, kDim2, kDim3, kDrir, kIic0, kPrben}) EXPECT_EQ(Read(reg), 0u);
  Write(kCsc, ~uint64_t{0});
  EXPECT_EQ(Read(kCsc) >> 14 & 1, 0u);
}

TEST_F(CchipTest, ArraysDescribeMemory) {
  const struct {
    uint64_t bytes;
    uint64_t aar[4];
  } kCases[] = {
      {64 * kMiB, {0x3000, 0, 0, 0}},
      {256 * kMiB, {0x5000, 0, 0, 0}},
      {3 * kGiB, {0x8000, 2 * kGiB | 0x7000, 0, 0}},
      {32 * kGiB, {0xa000, 8 * kGiB | 0xa000, 16 * kGiB | 0xa000, 24 * kGiB | 0xa000}},
      {16 * kMiB + 8192, {0x1000, 0, 0, 0}},
  };
  for (const auto& [bytes, aar] : kCases) {
    Cchip cchip(1, bytes, irqs_);
    cchip.Reset();
    for (int i = 0; i < 4; ++i) EXPECT_EQ(cchip.Read({kAar0 + 64 * i, 8}), aar[i]) << bytes << i;
  }
}

TEST_F(CchipTest, DeviceInterruptsGoThroughTheMask) {
  cchip_.SetIrq(Cchip::kIsaInterrupt, true);
  EXPECT_EQ(Read(kDrir), uint64_t{1} << 55);
  EXPECT_FALSE(Pin(0, Cchip::kDevicePin));
  Write(kDim0, uint64_t{1} << 55);
  EXPECT_TRUE(Pin(0, Cchip::kDevicePin));
  EXPECT_FALSE(Pin(1, Cchip::kDevicePin));
  EXPECT_EQ(Read(kDir0), uint64_t{1} << 55);
  EXPECT_EQ(Read(kDir1), 0u);
  cchip_.SetIrq(Cchip::kIsaInterrupt, false);
  EXPECT_FALSE(Pin(0, Cchip::kDevicePin));
}

TEST_F(CchipTest, EachCpuHasItsMask) {
  const uint64_t dims[] = {kDim0, kDim1, kDim2, kDim3};
  const uint64_t dirs[] = {kDir0, kDir1, kDir2, kDir3};
  for (int cpu = 0; cpu < 4; ++cpu) {
    Write(dims[cpu], uint64_t{1} << (8 + cpu));
    cchip_.SetIrq(8 + cpu, true);
    EXPECT_EQ(Read(dims[cpu]), uint64_t{1} << (8 + cpu));
    EXPECT_EQ(Read(dirs[cpu]), uint64_t{1} << (8 + cpu));
    EXPECT_TRUE(Pin(cpu, Cchip::kDevicePin));
    EXPECT_EQ(Pin(3, Cchip::kDevicePin), cpu == 3);
  }
}

TEST_F(CchipTest, ErrorsGoToPinZero) {
  Write(kDim0, uint64_t{1} << 62);
  cchip_.SetIrq(Cchip::kPchip0Error, true);
  EXPECT_TRUE(Pin(0, Cchip::kErrorPin));
  EXPECT_FALSE(Pin(0, Cchip::kDevicePin));
}

TEST_F(CchipTest, IntervalTimerLatchesUntilCleared) {
  cchip_.SetIrq(Cchip::kIntervalTimer, true);
  for (int cpu = 0; cpu < 4; ++cpu) EXPECT_TRUE(Pin(cpu, Cchip::kTimerPin));
  EXPECT_EQ(Read(kMisc) & 0xf0, 0xf0u);
  Write(kMisc, 0x20);
  EXPECT_FALSE(Pin(1, Cchip::kTimerPin));
  EXPECT_TRUE(Pin(0, Cchip::kTimerPin));
  Write(kMisc, 0xf0);
  cchip_.SetIrq(Cchip::kIntervalTimer, true);  // no edge
  EXPECT_EQ(Read(kMisc) & 0xf0, 0u);
  cchip_.SetIrq(Cchip::kIntervalTimer, false);
  cchip_.SetIrq(Cchip::kIntervalTimer, true);
  EXPECT_EQ(Read(kMisc) & 0xf0, 0xf0u);
}

TEST_F(CchipTest, IgnoreCountSkipsTicks) {
  Write(kIic1, 2);
  Write(kIic2, 0);
  for (int tick = 1; tick <= 4; ++tick) {
    cchip_.OnIntervalTimer();
    EXPECT_TRUE(Pin(0, Cchip::kTimerPin));
    EXPECT_TRUE(Pin(2, Cchip::kTimerPin));
    EXPECT_EQ(Pin(1, Cchip::kTimerPin), tick >= 3) << tick;
    Write(kMisc, 0xf0);
  }
  EXPECT_EQ(Read(kIic1), 0x1fffffeu);  // overflowed, two ticks beyond zero
  EXPECT_EQ(Read(kIic3), 0x1fffffcu);
}

TEST_F(CchipTest, InterprocessorInterrupts) {
  Write(kMisc, 0x5000);  // request for CPUs 0 and 2
  EXPECT_TRUE(Pin(0, Cchip::kIpiPin));
  EXPECT_FALSE(Pin(1, Cchip::kIpiPin));
  EXPECT_TRUE(Pin(2, Cchip::kIpiPin));
  EXPECT_EQ(Read(kMisc) & 0xff00, 0x500u);
  Write(kMisc, 0x100);
  EXPECT_FALSE(Pin(0, Cchip::kIpiPin));
  EXPECT_EQ(Read(kMisc) & 0xff00, 0x400u);
}

TEST_F(CchipTest, AbsentCpusAreNeverInterrupted) {
  FakeIrqs irqs;
  Cchip cchip(1, 64 * kMiB, irqs);
  cchip.Reset();
  cchip.OnIntervalTimer();
  cchip.Write({kMisc, 8}, 0xf000);
  EXPECT_EQ(cchip.Read({kMisc, 8}) & 0xff0, 0x110u);
  EXPECT_EQ(irqs.levels.rbegin()->first, 3);
}

TEST_F(CchipTest, ArbitrationLocks) {
  Write(kMisc, 0x220000);  // CPU 1 tries and wins
  EXPECT_EQ(Read(kMisc) & 0xff0000, 0x220000u);
  Write(kMisc, 0x110000);  // CPU 0 is too late to win
  EXPECT_EQ(Read(kMisc) & 0xff0000, 0x320000u);
  Write(kMisc, 1 << 24);
  EXPECT_EQ(Read(kMisc) & 0xff0000, 0u);
}

TEST_F(CchipTest, NonexistentAddressLocksItsSource) {
  Write(kDim0, uint64_t{1} << 63);
  cchip_.ReportNonexistent(2);
  cchip_.ReportNonexistent(1);
  EXPECT_EQ(Read(kMisc) >> 28 & 0xf, 2u << 1 | 1);
  EXPECT_EQ(Read(kDrir), uint64_t{1} << 63);
  EXPECT_TRUE(Pin(0, Cchip::kErrorPin));
  Write(kMisc, 1 << 28);
  EXPECT_EQ(Read(kMisc) >> 28 & 0xf, 0u);
  EXPECT_FALSE(Pin(0, Cchip::kErrorPin));
}

TEST_F(CchipTest, NarrowAccesses) {
  Write(kDim0, 0x1122334455667788);
  EXPECT_EQ(cchip_.Read({kDim0 + 4, 4}), 0x11223344u);
  EXPECT_EQ(cchip_.Read({kDim0 + 1, 1}), 0x77u);
  EXPECT_EQ(cchip_.Read({kDim0 + 8, 8}), 0x1122334455667788u);
  cchip_.Write({kDim0 + 4, 4}, 0xaabbccdd);
  EXPECT_EQ(Read(kDim0), 0xaabbccdd00000000u);
}

TEST_F(CchipTest, PresenceDetectBusIsEmpty) {
  EXPECT_EQ(Read(kMpd), 0xfu);
  Write(kMpd, 1);
  EXPECT_EQ(Read(kMpd), 3u);
}

TEST_F(CchipTest, RestoredChipGoesOnAlike) {
  Write(kIic0, 3);
  Write(kDim2, 0xff00);
  cchip_.SetIrq(9, true);
  cchip_.SetIrq(Cchip::kIntervalTimer, true);
  FakeIrqs other_irqs;
  Cchip other(4, 256 * kMiB, other_irqs);
  ASSERT_TRUE(Restore(other, Save(cchip_)).ok());
  for (Cchip* cchip : {&cchip_, &other}) {
    cchip->SetIrq(Cchip::kIntervalTimer, true);
    for (int i = 0; i < 5; ++i) cchip->OnIntervalTimer();
    cchip->Write({kMisc, 8}, 0x3000);
  }
  EXPECT_EQ(Save(cchip_), Save(other));
  EXPECT_EQ(irqs_.levels, other_irqs.levels);
}

}  // namespace
}  // namespace isochron::machine
