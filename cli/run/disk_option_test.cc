#include "cli/run/disk_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

using ::testing::HasSubstr;
using Interface = machine::DiskConfig::Interface;

std::string Refusal(std::string_view text) {
  return std::string(ParseDiskOption(text).status().message());
}

TEST(DiskOptionTest, AFileAloneIsAVirtioDiskThatVanishes) {
  const DiskOption option = ParseDiskOption("a b.img").value();
  EXPECT_EQ(option.path, "a b.img");
  EXPECT_EQ(option.interface, Interface::kVirtio);
  EXPECT_FALSE(option.read_only);
  EXPECT_FALSE(option.commit);
}

TEST(DiskOptionTest, TakesSettingsInAnyOrder) {
  const DiskOption ide = ParseDiskOption("x,readonly,interface=ide").value();
  EXPECT_EQ(ide.interface, Interface::kIde);
  EXPECT_TRUE(ide.read_only);
  EXPECT_TRUE(ParseDiskOption("x,commit,interface=virtio")->commit);
}

TEST(DiskOptionTest, ANameMayHaveCommas) {
  EXPECT_EQ(ParseDiskOption("a,,b,,,readonly")->path, "a,b,");
  EXPECT_EQ(ParseDiskOption(",,")->path, ",");
  EXPECT_EQ(ParseDiskOption("a,overlay=b,,c,interface=ide")->overlay, "b,c");
}

TEST(DiskOptionTest, SaysWhatIsWrong) {
  EXPECT_THAT(Refusal(""), HasSubstr("needs the name"));
  EXPECT_THAT(Refusal(",readonly"), HasSubstr("needs the name"));
  EXPECT_THAT(Refusal("x,"), HasSubstr("'' is not one of"));
  EXPECT_THAT(Refusal("x,interface=scsi"), HasSubstr("'interface=scsi' is not one of"));
  EXPECT_THAT(Refusal("x,b.img"), HasSubstr("a comma stands twice"));
  EXPECT_THAT(Refusal("x,commit,readonly"), HasSubstr("nothing to commit"));
  EXPECT_THAT(Refusal("x,overlay="), HasSubstr("overlay= needs the name of a file"));
  EXPECT_THAT(Refusal("x,overlay=y,readonly"), HasSubstr("nothing to put into an overlay"));
  EXPECT_THAT(Refusal("x,commit,overlay=y"), HasSubstr("not into both"));
}

}  // namespace
}  // namespace isochron::cli
