#include "cli/run/clock_advice.h"

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

TEST(ClockAdviceTest, KnowsTheYearsThatLinuxShows) {
  const auto shown = [](int year) { return YearShown(KernelKind::kLinux, year, "console=ttyS0"); };
  for (const int year : {1970, 1999, 2000, 2010, 2019}) EXPECT_EQ(shown(year), year);
  EXPECT_EQ(shown(2020), 2000);
  EXPECT_EQ(shown(2024), 2004);
  EXPECT_EQ(shown(2047), 2027);
  EXPECT_EQ(shown(2048), 2000);
  EXPECT_EQ(shown(2069), 2021);
  EXPECT_EQ(shown(2070), 1970);
}

TEST(ClockAdviceTest, KnowsEpoch) {
  const auto shown = [](int year, const char* line) {
    return YearShown(KernelKind::kLinux, year, line);
  };
  for (const int year : {2000, 2024, 2099}) EXPECT_EQ(shown(year, "epoch=2000 quiet"), year);
  EXPECT_EQ(shown(2150, "epoch=2100"), 2150);
  EXPECT_EQ(shown(2024, "epoch=1800"), 2004) << "ignored";
  EXPECT_EQ(shown(2024, "noepoch=2000"), 2004);
  EXPECT_EQ(shown(1995, "epoch=2000"), 2095);
}

TEST(ClockAdviceTest, KnowsTheYearsThatNetBsdShows) {
  for (const int year : {1970, 2000, 2069})
    EXPECT_EQ(YearShown(KernelKind::kNetBsd, year, ""), year);
  EXPECT_EQ(YearShown(KernelKind::kNetBsd, 2070, ""), 1970);
}

TEST(ClockAdviceTest, WarnsOfWhatIsMisread) {
  machine::KernelImage kernel;
  kernel.segments.push_back({machine::kKsegBase, 4096, "Linux version 6.1.0 (x)"});
  machine::MachineConfig config;
  EXPECT_EQ(ClockAdvice(config, kernel), std::nullopt);
  config.rtc_base_seconds = 1'704'067'200;  // 2024
  EXPECT_EQ(ClockAdvice(config, {}), std::nullopt) << "an unknown kernel";
  EXPECT_EQ(ClockAdvice(config, kernel),
            "warning: Linux takes 2024 for 2004, since the clock chip has two digits of the year; "
            "epoch=2000 in "
            "--append makes it right");
  config.command_line = "console=ttyS0 epoch=2000";
  EXPECT_EQ(ClockAdvice(config, kernel), std::nullopt);
}

}  // namespace
}  // namespace isochron::cli
