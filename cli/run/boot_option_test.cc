#include "cli/run/boot_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using ::testing::HasSubstr;

TEST(BootOptionTest, NamesADiskAndPerhapsFlags) {
  EXPECT_EQ(ParseBootOption("disk0")->disk, 0u);
  EXPECT_EQ(ParseBootOption("disk0")->flags, "");
  EXPECT_EQ(ParseBootOption("disk7:a:b c")->disk, 7u);
  EXPECT_EQ(ParseBootOption("disk7:a:b c")->flags, "a:b c");
  EXPECT_EQ(ParseBootOption("disk1:" + std::string(255, 'x'))->flags.size(), 255u);
}

TEST(BootOptionTest, RefusesOthers) {
  for (const char* text : {"", "disk", "disk8", "disk00", "dka0", ":x", "Disk0", "disk0,x"}) {
    EXPECT_THAT(std::string(ParseBootOption(text).status().message()),
                HasSubstr("is none of disk0 to disk7"))
        << text;
  }
  EXPECT_THAT(std::string(ParseBootOption("disk0:" + std::string(256, 'x')).status().message()),
              HasSubstr("the flags have 256 bytes; at most 255 fit"));
}

}  // namespace
}  // namespace isochron::cli
