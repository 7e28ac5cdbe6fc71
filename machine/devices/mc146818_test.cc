#include "machine/devices/mc146818.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr int64_t kLeapEve = 1709164798;  // 2024-02-28T23:59:58, a Wednesday
constexpr uint64_t kMillisecond = kTestHz / 1000;

class RtcTest : public testing::Test {
 protected:
  RtcTest() { rtc_.Reset(); }

  uint8_t Read(int reg) {
    rtc_.Write({0, 1}, static_cast<uint64_t>(reg) | 0x80);
    return static_cast<uint8_t>(rtc_.Read({1, 1}));
  }
  void Write(int reg, uint8_t value) {
    rtc_.Write({0, 1}, static_cast<uint64_t>(reg));
    rtc_.Write({1, 1}, value);
  }
  void Wait(uint64_t cycles) { bench_.RunFor(cycles); }

  Bench bench_;
  FakeIrqs irqs_;
  Rtc rtc_{bench_.events(), IrqLine{&irqs_, 0}, kLeapEve};
};

// As the console leaves it: NetBSD reads it so without asking, Linux asks register B.
TEST_F(RtcTest, ShowsItsBaseInBinaryAnd24Hours) {
  EXPECT_EQ(Read(Rtc::kSeconds), 58);
  EXPECT_EQ(Read(Rtc::kMinutes), 59);
  EXPECT_EQ(Read(Rtc::kHours), 23);
  EXPECT_EQ(Read(Rtc::kDayOfWeek), 4);
  EXPECT_EQ(Read(Rtc::kDayOfMonth), 28);
  EXPECT_EQ(Read(Rtc::kMonth), 2);
  EXPECT_EQ(Read(Rtc::kYear), 24);
  EXPECT_EQ(Read(Rtc::kCentury), 20);
  EXPECT_EQ(Read(Rtc::kRegA), 0x26);
  EXPECT_EQ(Read(Rtc::kRegB), 0x06);
  EXPECT_EQ(Read(Rtc::kRegD), 0x80);
  EXPECT_EQ(rtc_.Read({0, 1}), 0xffu);
}

TEST_F(RtcTest, CarriesIntoALeapDay) {
  Wait(2 * kTestHz - 1);
  EXPECT_EQ(Read(Rtc::kSeconds), 59);
  Wait(1);
  EXPECT_EQ(Read(Rtc::kSeconds), 0);
  EXPECT_EQ(Read(Rtc::kHours), 0);
  EXPECT_EQ(Read(Rtc::kDayOfMonth), 29);
  EXPECT_EQ(Read(Rtc::kDayOfWeek), 5);
  EXPECT_EQ(Read(Rtc::kMonth), 0x02);
}

TEST_F(RtcTest, CarriesFromCenturyToCenturyInBcd) {
  Write(Rtc::kRegB, 0x02);
  Write(Rtc::kSeconds, 0x58);
  Write(Rtc::kMinutes, 0x59);
  Write(Rtc::kHours, 0x23);
  Write(Rtc::kYear, 0x99);
  Write(Rtc::kMonth, 0x12);
  Write(Rtc::kDayOfMonth, 0x31);
  Write(Rtc::kCentury, 0x19);
  Wait(2 * kTestHz);
  EXPECT_EQ(Read(Rtc::kYear), 0x00);
  EXPECT_EQ(Read(Rtc::kMonth), 0x01);
  EXPECT_EQ(Read(Rtc::kDayOfMonth), 0x01);
  EXPECT_EQ(Read(Rtc::kCentury), 0x20);
  Wait(10 * kTestHz);
  EXPECT_EQ(Read(Rtc::kSeconds), 0x10);
}

TEST_F(RtcTest, TwelveHoursAndBinary) {
  Write(Rtc::kRegB, 0x04);  // binary, 12 hours
  Write(Rtc::kSeconds, 59);
  Write(Rtc::kMinutes, 59);
  Write(Rtc::kHours, 11);
  Wait(kTestHz);
  EXPECT_EQ(Read(Rtc::kHours), 0x80 | 12);  // noon
  Write(Rtc::kSeconds, 59);
  Write(Rtc::kMinutes, 59);
  Write(Rtc::kHours, 0x80 | 11);
  Write(Rtc::kDayOfMonth, 28);
  Write(Rtc::kYear, 24);
  Wait(kTestHz);
  EXPECT_EQ(Read(Rtc::kHours), 12);  // midnight
  EXPECT_EQ(Read(Rtc::kDayOfMonth), 29);
}

TEST_F(RtcTest, UpdateInProgressEndsWithTheNewSecond) {
  EXPECT_EQ(Read(Rtc::kRegA) & 0x80, 0);
  Wait(kTestHz - kTestHz * 2228 / 1000000 - 1);
  EXPECT_EQ(Read(Rtc::kRegA) & 0x80, 0);
  Wait(1);
  EXPECT_EQ(Read(Rtc::kRegA) & 0x80, 0x80);
  EXPECT_EQ(Read(Rtc::kSeconds), 58);
  Wait(kTestHz * 2228 / 1000000);
  EXPECT_EQ(Read(Rtc::kRegA) & 0x80, 0);
  EXPECT_EQ(Read(Rtc::kSeconds), 59);
}

TEST_F(RtcTest, SetHoldsTimeAndHidesUpdate) {
  Write(Rtc::kRegB, 0x96);  // SET clears UIE
  EXPECT_EQ(Read(Rtc::kRegB), 0x86);
  Wait(kTestHz - 1);
  EXPECT_EQ(Read(Rtc::kRegA) & 0x80, 0);
  Wait(kTestHz + 1);
  EXPECT_EQ(Read(Rtc::kSeconds), 58);
  EXPECT_EQ(Read(Rtc::kRegC) & 0x10, 0);
  Write(Rtc::kRegB, 0x06);
  Wait(kTestHz);
  EXPECT_EQ(Read(Rtc::kSeconds), 59);
}

TEST_F(RtcTest, DividerResetDelaysTheFirstUpdateByHalfASecond) {
  Wait(300 * kMillisecond);
  Write(Rtc::kRegA, 0x76);
  Wait(5 * kTestHz);
  EXPECT_EQ(Read(Rtc::kSeconds), 58);
  Write(Rtc::kRegA, 0x26);
  Wait(kTestHz / 2 - 1);
  EXPECT_EQ(Read(Rtc::kSeconds), 58);
  Wait(1);
  EXPECT_EQ(Read(Rtc::kSeconds), 59);
}

TEST_F(RtcTest, PeriodicInterruptGivesAnEdgeEachPeriodWithoutReadingC) {
  Write(Rtc::kRegB, 0x46);
  Wait(kTestHz);
  EXPECT_EQ(irqs_.edges[0], 1024);
  EXPECT_TRUE(irqs_.levels[0]);
  EXPECT_EQ(Read(Rtc::kRegC), 0xd0);  // IRQF, PF, UF
  EXPECT_FALSE(irqs_.levels[0]);
  EXPECT_EQ(Read(Rtc::kRegC), 0);
}

TEST_F(RtcTest, PeriodicRates) {
  const struct {
    uint8_t rate;
    int hz;
  } kRates[] = {{1, 256}, {2, 128}, {3, 8192}, {8, 256}, {15, 2}, {0, 0}};
  Write(Rtc::kRegB, 0x46);
  for (const auto& [rate, hz] : kRates) {
    Write(Rtc::kRegA, 0x20 | rate);
    irqs_.edges.clear();
    Wait(kTestHz);
    EXPECT_EQ(irqs_.edges[0], hz) << int{rate};
  }
}

TEST_F(RtcTest, PeriodicFlagStandsWithoutItsInterrupt) {
  Wait(kTestHz / 1024 + 1);
  EXPECT_EQ(irqs_.edges[0], 0);
  EXPECT_EQ(Read(Rtc::kRegC), 0x40);
  EXPECT_EQ(Read(Rtc::kRegC), 0);
}

TEST_F(RtcTest, AlarmMatchesWithDontCares) {
  Write(Rtc::kSecondsAlarm, 59);
  Write(Rtc::kMinutesAlarm, 0xc0);
  Write(Rtc::kHoursAlarm, 0xff);
  Write(Rtc::kRegB, 0x26);
  Wait(kTestHz);
  EXPECT_EQ(irqs_.edges[0], 1);
  EXPECT_EQ(Read(Rtc::kRegC) & 0xb0, 0xb0);
  Wait(kTestHz);
  EXPECT_EQ(Read(Rtc::kRegC) & 0x30, 0x10);
}

TEST_F(RtcTest, EnablingAPendingFlagInterrupts) {
  Wait(kTestHz);
  EXPECT_FALSE(irqs_.levels[0]);
  Write(Rtc::kRegB, 0x16);
  EXPECT_TRUE(irqs_.levels[0]);
}

TEST_F(RtcTest, RamKeepsBytesAndResetGoesOnWithGuestTime) {
  Write(0x7f, 0xa5);
  EXPECT_EQ(Read(0x7f), 0xa5);
  Wait(3 * kTestHz / 2);
  rtc_.Reset();
  EXPECT_EQ(Read(0x7f), 0);
  EXPECT_EQ(Read(Rtc::kSeconds), 59);
  Wait(kTestHz / 2);
  EXPECT_EQ(Read(Rtc::kSeconds), 0x00);
}

TEST_F(RtcTest, EveryDayOfFourCenturiesIsRight) {
  // Counts days by the calendar's rule beside the conversion.
  int year = 1970, month = 1, day = 1;
  for (int64_t n = 0; n < 146097; ++n) {
    Bench bench;
    Rtc rtc(bench.events(), IrqLine{}, n * 86400);
    rtc.Reset();
    const auto read = [&rtc](int reg) {
      rtc.Write({0, 1}, static_cast<uint64_t>(reg));
      return static_cast<int>(rtc.Read({1, 1}));
    };
    ASSERT_EQ(read(Rtc::kCentury) * 100 + read(Rtc::kYear), year);
    ASSERT_EQ(read(Rtc::kMonth), month);
    ASSERT_EQ(read(Rtc::kDayOfMonth), day);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int lengths[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (++day > lengths[month - 1]) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
      }
    }
  }
  EXPECT_EQ(year, 2370);
}

TEST_F(RtcTest, RestoredClockGoesOnAlike) {
  Wait(kTestHz / 7);
  Write(Rtc::kRegA, 0x76);
  Write(Rtc::kRegA, 0x26);  // the divider chain starts here
  Write(Rtc::kRegB, 0x76);
  Wait(kTestHz / 3);
  Bench other_bench;
  FakeIrqs other_irqs;
  Rtc other{other_bench.events(), IrqLine{&other_irqs, 0}, 0};
  ASSERT_TRUE(CopyInto(rtc_, bench_, other, other_bench).ok());
  irqs_.edges.clear();
  other_irqs.levels = irqs_.levels;
  bench_.RunTo(3 * kTestHz + 12345);
  other_bench.RunTo(3 * kTestHz + 12345);
  EXPECT_EQ(Save(rtc_), Save(other));
  EXPECT_EQ(Save(bench_.events()), Save(other_bench.events()));
  EXPECT_EQ(irqs_.edges[0], other_irqs.edges[0]);
}

}  // namespace
}  // namespace isochron::machine
