#include "cli/text/report.h"

#include <csignal>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/text/exit_code.h"

namespace isochron::cli {
namespace {

using machine::Input;
using machine::RunEnd;
using machine::StopCause;
using testing::HasSubstr;

RunEnd Stopped(StopCause cause, uint32_t detail = 0) {
  RunEnd end;
  end.kind = RunEnd::Kind::kStopped;
  end.stop = Input::Stop(cause, detail);
  return end;
}

RunEnd Ended(RunEnd::Kind kind) {
  RunEnd end;
  end.kind = kind;
  return end;
}

TEST(ExitCode, FollowsFromTheEnd) {
  EXPECT_EQ(ExitCodeOf(Ended(RunEnd::Kind::kPowerOff)), 0);
  EXPECT_EQ(ExitCodeOf(Ended(RunEnd::Kind::kReset)), 6);
  EXPECT_EQ(ExitCodeOf(Ended(RunEnd::Kind::kFatal)), 4);
  EXPECT_EQ(ExitCodeOf(Ended(RunEnd::Kind::kObserver)), 1);
  EXPECT_EQ(ExitCodeOf(Stopped(StopCause::kQuit)), 0);
  EXPECT_EQ(ExitCodeOf(Stopped(StopCause::kSignal, SIGTERM)), 143);
  EXPECT_EQ(ExitCodeOf(Stopped(StopCause::kCycleLimit)), 5);
  EXPECT_EQ(ExitCodeOf(Stopped(StopCause::kExpectFailed, 3)), 5);
}

TEST(ExitCode, HelpListsEveryRowOnce) {
  const std::string help = ExitCodeHelp();
  std::set<int> codes;
  for (const ExitCodeRow& row : kExitCodes) {
    EXPECT_TRUE(codes.insert(ToInt(row.code)).second) << row.name;
    EXPECT_THAT(help, HasSubstr(ExitCodeText(row) + "  " + std::string(row.meaning) + "\n"));
  }
}

machine::KernelImage Kernel() {
  machine::KernelImage kernel;
  kernel.symbols.push_back({0xfffffc0001000000, 0x100, "start"});
  return kernel;
}

TEST(FatalReport, NamesPlaceAndRegisters) {
  alpha::Cpu cpu(0, 128, 128);
  cpu.pc = 0xfffffc0001000010;
  cpu.cycle = 1234;
  cpu.r[16] = 0xdeadbeef;
  const std::string report = FatalReport("a machine check in PALcode", cpu, Kernel(), 600'000'000);
  EXPECT_THAT(report, HasSubstr("isochron: the guest cannot go on: a machine check in PALcode\n"));
  EXPECT_THAT(report, HasSubstr("CPU 0 at cycle 1234 (0.000002 s)\n"));
  EXPECT_THAT(report, HasSubstr("PC       0xfffffc0001000010 (start+0x10)\n"));
  EXPECT_THAT(report, HasSubstr("R16      00000000deadbeef"));
}

TEST(FatalReport, SaysWhenItWasInPalcode) {
  alpha::Cpu cpu(0, 128, 128);
  cpu.pc = 0x8101;
  EXPECT_THAT(FatalReport("m", cpu, Kernel(), 600'000'000),
              HasSubstr("PC       0x0000000000008100 (PALmode)\n"));
}

TEST(StatsReport, CountsAndRates) {
  MachineCounts counts;
  counts.cycle = 1'200'000'000;
  counts.instructions = {300'000'000};
  counts.idle_cycles = 300'000'000;
  counts.counters.dtb_misses = 42;
  const std::string report =
      StatsReport(counts, 600'000'000, 5 << 20, std::chrono::milliseconds(1500), {});
  EXPECT_THAT(report, Not(HasSubstr("CPU")));
  EXPECT_THAT(report, Not(HasSubstr("translated")));
  EXPECT_THAT(report, HasSubstr("instructions                      300000000\n"));
  EXPECT_THAT(report, HasSubstr("guest memory touched (KiB)             5120\n"));
  EXPECT_THAT(report, HasSubstr("guest seconds                         2.000\n"));
  EXPECT_THAT(report, HasSubstr("wall seconds                          1.500\n"));
  EXPECT_THAT(report, HasSubstr("million instructions/s              200.000\n"));
  EXPECT_THAT(report, HasSubstr("idle share (%)                       25.000\n"));
  EXPECT_THAT(report, HasSubstr("DTB misses                               42\n"));
}

TEST(StatsReport, IsOfAllCpus) {
  MachineCounts counts;
  counts.cycle = 1'200'000'000;
  counts.instructions = {300'000'000, 100'000'000, 0, 7};
  counts.idle_cycles = 1'200'000'000;
  const std::string report = StatsReport(counts, 600'000'000, 0, std::chrono::seconds(1), {});
  EXPECT_THAT(report, HasSubstr("instructions                      400000007\n"
                                "  of CPU 0                        300000000\n"
                                "  of CPU 1                        100000000\n"
                                "  of CPU 2                                0\n"
                                "  of CPU 3                                7\n"
                                "cycles                           1200000000\n"));
  EXPECT_THAT(report, HasSubstr("idle share (%)                       25.000\n"));
}

TEST(StatsReport, TellsOfTranslation) {
  const MachineCounts counts;
  alpha::TranslationStats translation;
  translation.regions_translated = 12;
  translation.code_bytes = 3 << 20;
  const std::string report =
      StatsReport(counts, 600'000'000, 0, std::chrono::seconds(1), translation);
  EXPECT_THAT(report, HasSubstr("regions translated                       12\n"));
  EXPECT_THAT(report, HasSubstr("host code (KiB)                        3072\n"));
}

}  // namespace
}  // namespace isochron::cli
