#include "cli/text/suggestion.h"

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

const std::vector<std::string> kNames = {"kernel", "initrd",    "max-cycles",
                                         "memory", "no-reboot", "rtc",
                                         "script", "stats",     "snapshot-every"};

TEST(Suggestion, FindsWhatWasMeant) {
  EXPECT_EQ(Suggestion("kernal", kNames), "kernel");
  EXPECT_EQ(Suggestion("kernl", kNames), "kernel");
  EXPECT_EQ(Suggestion("krenel", kNames), "kernel");
  EXPECT_EQ(Suggestion("maxcycles", kNames), "max-cycles");
  EXPECT_EQ(Suggestion("max_cycles", kNames), "max-cycles");
  EXPECT_EQ(Suggestion("noreboot", kNames), "no-reboot");
  EXPECT_EQ(Suggestion("rct", kNames), "rtc");
  EXPECT_EQ(Suggestion("snapshot", kNames), "snapshot-every");
  EXPECT_EQ(Suggestion("k", kNames), "kernel");
}

TEST(Suggestion, FindsNothingWhereNothingIsLikeIt) {
  EXPECT_EQ(Suggestion("frobnicate", kNames), "");
  EXPECT_EQ(Suggestion("s", kNames), "");
  EXPECT_EQ(Suggestion("xyz", kNames), "");
  EXPECT_EQ(Suggestion("", kNames), "");
  EXPECT_EQ(Suggestion("kernel", {}), "");
  EXPECT_EQ(Suggestion(std::string(100'000, 'k'), kNames), "");
}

}  // namespace
}  // namespace isochron::cli
