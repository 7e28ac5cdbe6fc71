#include "machine/events/schedule_config.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

using ::testing::HasSubstr;

std::string TextOf(std::string_view text) {
  const absl::StatusOr<ScheduleConfig> schedule = ScheduleConfig::Parse(text);
  return schedule.ok() ? schedule->Text() : std::string(schedule.status().message());
}

// What is wrong with it on a machine of two CPUs, whoever says so.
std::string Refusal(std::string_view text) {
  const absl::StatusOr<ScheduleConfig> schedule = ScheduleConfig::Parse(text);
  return std::string((schedule.ok() ? schedule->Validate(2) : schedule.status()).message());
}

TEST(ScheduleConfig, IsWrittenWithAllThatItLeavesOut) {
  EXPECT_EQ(TextOf("fixed"), "fixed");
  EXPECT_EQ(TextOf("random:7"), "random:7:1-4096");
  EXPECT_EQ(TextOf("random:0x10:2-1K"), "random:16:2-1000");
  EXPECT_EQ(TextOf("pct:3:2"), "pct:3:2:10000000");
  EXPECT_EQ(TextOf("pct:3:2:1.5M"), "pct:3:2:1500000");
  EXPECT_EQ(TextOf("switches:5:0-1,9:1-0"), "switches:5:0-1,9:1-0");
}

TEST(ScheduleConfig, WhatIsWrittenCanBeRead) {
  for (const char* text : {"fixed", "random:7:1-4096", "pct:3:2:77", "switches:5:0-1,9:1-0"}) {
    EXPECT_EQ(TextOf(text), text);
    EXPECT_EQ(Refusal(text), "") << text;
  }
}

TEST(ScheduleConfig, NonsenseIsRefusedWithAReason) {
  for (const char* text : {"", "fix", "fixed:1", "random", "random:1:2-3:4", "pct:1", "pct:1:2:3:4",
                           "switches", "switches:5", "Random:1"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("is no schedule")) << text;
  }
  EXPECT_THAT(Refusal("random:x"), HasSubstr("'x' is not a number"));
  EXPECT_THAT(Refusal("random:1:5"), HasSubstr("'5' is not two numbers"));
  EXPECT_THAT(Refusal("random:1:5-4"), HasSubstr("the least first"));
  EXPECT_THAT(Refusal("random:1:0-4"), HasSubstr("from 1 to"));
  EXPECT_THAT(Refusal("random:1:1-2G"), HasSubstr("from 1 to"));
  EXPECT_THAT(Refusal("pct:1:0"), HasSubstr("a depth is from 1 to 64, not 0"));
  EXPECT_THAT(Refusal("pct:1:65"), HasSubstr("a depth is from 1 to 64, not 65"));
  EXPECT_THAT(Refusal("pct:1:2:0"), HasSubstr("not 0"));
  EXPECT_THAT(Refusal("switches:5:0-2"), HasSubstr("from CPU 0 to CPU 2"));
  EXPECT_THAT(Refusal("switches:5:1-1"), HasSubstr("from CPU 1 to CPU 1"));
  EXPECT_THAT(Refusal("switches:5:4294967296-1"), HasSubstr("too large"));
  EXPECT_THAT(Refusal("switches:5:0-1,4:0-1"), HasSubstr("behind a later one"));
  EXPECT_EQ(Refusal("switches:5:0-1,4:1-0"), "");
  EXPECT_THAT(Refusal("switches:999999999999999:0-1"), HasSubstr("too late"));
}

TEST(ScheduleConfig, OneCpuHasOnlyTheFixedOne) {
  EXPECT_TRUE(ScheduleConfig().Validate(1).ok());
  EXPECT_THAT(std::string(ScheduleConfig::Parse("random:1")->Validate(1).message()),
              HasSubstr("needs --cpus of 2 or more"));
}

}  // namespace
}  // namespace isochron::machine
