#include "alpha/performance.h"

#include "alpha/ipr_access.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

constexpr uint64_t kNever = ~uint64_t{0};
constexpr uint64_t kBoth = i_ctl::kPct0Enable | i_ctl::kPct1Enable;

class PerformanceTest : public testing::Test {
 protected:
  PerformanceTest() { cpu_.Reset(0); }

  void Write(Ipr ipr, uint64_t value) { WriteIpr(cpu_, static_cast<uint8_t>(ipr), value); }
  uint64_t Read(Ipr ipr) { return ReadIpr(cpu_, static_cast<uint8_t>(ipr)); }
  uint64_t counter0() { return Read(Ipr::kPctrCtl) >> 28 & 0xfffff; }
  uint64_t counter1() { return Read(Ipr::kPctrCtl) >> 6 & 0xfffff; }
  void Pass(uint64_t instructions, uint64_t cycles) {
    cpu_.instructions += instructions;
    cpu_.cycle += cycles;
  }

  Cpu cpu_{0, 1, 1};
};

TEST_F(PerformanceTest, StandsStillUntilEnabled) {
  Write(Ipr::kPctrCtl, uint64_t{0x80001} << 28 | uint64_t{5} << 6 | 0x23);
  Write(Ipr::kICtl, kBoth);  // neither the system nor a process is counted
  Pass(10, 30);
  EXPECT_EQ(Read(Ipr::kPctrCtl), 0xffff'8000'1000'0140);
  EXPECT_EQ(LatchOverflows(cpu_), kNever);
}

TEST_F(PerformanceTest, CountsInstructionsAndCyclesWhileEnabled) {
  Write(Ipr::kPctrCtl, uint64_t{100} << 28);
  Pass(1000, 1000);
  Write(Ipr::kICtl, kBoth | i_ctl::kSpce);
  Pass(10, 30);
  EXPECT_EQ(counter0(), 110u);
  EXPECT_EQ(counter1(), 30u);
  Write(Ipr::kICtl, i_ctl::kPct1Enable | i_ctl::kSpce);
  Pass(10, 30);
  EXPECT_EQ(counter0(), 110u);
  EXPECT_EQ(counter1(), 60u);
}

TEST_F(PerformanceTest, CountsSelectedProcesses) {
  Write(Ipr::kICtl, kBoth);
  WriteIpr(cpu_, 0x48, pctx::kPpce);  // PCTX<PPCE> alone
  Pass(10, 30);
  WriteIpr(cpu_, 0x48, 0);
  Pass(10, 30);
  WriteIpr(cpu_, 0x48, pctx::kPpce);
  EXPECT_EQ(counter0(), 10u);
  EXPECT_EQ(counter1(), 30u);
}

TEST_F(PerformanceTest, SelectsEvents) {
  struct Row {
    uint64_t select, counter0, counter1;
  };
  for (const Row row :
       {Row{0, 10, 30}, Row{4, 30, 0}, Row{8, 10, 0}, Row{12, 30, 0}, Row{16, 0, 0}}) {
    Write(Ipr::kPctrCtl, row.select);
    Write(Ipr::kICtl, kBoth | i_ctl::kSpce);
    Pass(10, 30);
    EXPECT_EQ(counter0(), row.counter0) << row.select;
    EXPECT_EQ(counter1(), row.counter1) << row.select;
    EXPECT_EQ(Read(Ipr::kPctrCtl) & 0x1c, row.select);
  }
}

TEST_F(PerformanceTest, OverflowIsRequestedOnceAndNeverLate) {
  Write(Ipr::kPctrCtl, uint64_t{0xfffff - 99} << 28 | uint64_t{0xfffff - 499} << 6);
  Write(Ipr::kICtl, kBoth | i_ctl::kSpce);
  EXPECT_EQ(LatchOverflows(cpu_), cpu_.cycle + 100);
  Pass(50, 100);
  EXPECT_EQ(LatchOverflows(cpu_), cpu_.cycle + 50);
  EXPECT_EQ(cpu_.internal_requests, 0u);
  EXPECT_EQ(LatchOverflows(cpu_, Retiring::kNo), cpu_.cycle + 400);
  Pass(50, 60);
  LatchOverflows(cpu_);
  EXPECT_EQ(cpu_.internal_requests, uint64_t{1} << 29);
  Write(Ipr::kHwIntClr, uint64_t{1} << 29);
  EXPECT_EQ(LatchOverflows(cpu_), cpu_.cycle + 340);
  EXPECT_EQ(cpu_.internal_requests, 0u);
  Pass(3, 343);
  LatchOverflows(cpu_);
  EXPECT_EQ(cpu_.internal_requests, uint64_t{1} << 30);
  EXPECT_EQ(counter0(), 3u);
  EXPECT_EQ(counter1(), 3u);
}

}  // namespace
}  // namespace isochron::alpha
