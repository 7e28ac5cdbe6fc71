#include "machine/events/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace isochron::machine {
namespace {

using ::testing::HasSubstr;

std::string Refusal(const MachineConfig& config) {
  return std::string(config.Validate().message());
}

TEST(ConfigTest, TheDefaultIsValid) { EXPECT_TRUE(MachineConfig().Validate().ok()); }

// Logs come from anywhere: what the options' parsers see to is checked again here.
TEST(ConfigTest, TimesThatNoClockShowsAreRefused) {
  MachineConfig config;
  for (int64_t seconds : {INT64_MIN, int64_t{-1}, MachineConfig::kMaxRtcSeconds + 1, INT64_MAX}) {
    config.rtc_base_seconds = seconds;
    EXPECT_THAT(Refusal(config), HasSubstr("the date and time")) << seconds;
  }
  for (int64_t seconds : {int64_t{0}, MachineConfig::kMaxRtcSeconds}) {
    config.rtc_base_seconds = seconds;
    EXPECT_TRUE(config.Validate().ok()) << seconds;
  }
}

TEST(ConfigTest, TheFirstFieldOutOfItsRangeIsNamed) {
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory + 1;
  EXPECT_THAT(Refusal(config), HasSubstr("multiple of 8K"));
  config = {};
  config.dtb_entries = MachineConfig::kMaxTlbEntries + 1;
  EXPECT_THAT(Refusal(config), HasSubstr("DTB entries must be from 16 to 8192"));
  config = {};
  config.checkpoint_interval = 999;
  EXPECT_THAT(Refusal(config), HasSubstr("checkpoint interval"));
}

TEST(ConfigTest, ANetworkDeviceIsOneStation) {
  MachineConfig config;
  config.network.emplace();
  EXPECT_TRUE(config.Validate().ok());
  config.network->mac = {};
  EXPECT_THAT(std::string(config.Validate().message()), HasSubstr("one station"));
  config.network->mac = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  EXPECT_THAT(std::string(config.Validate().message()), HasSubstr("one station"));
  config.network.emplace().whole_frames = kMaxFrame + 1;
  EXPECT_THAT(std::string(config.Validate().message()), HasSubstr("1514"));
}

TEST(ConfigTest, DisksHaveWholeSectors) {
  MachineConfig config;
  config.disks.assign(MachineConfig::kMaxDisks, {.bytes = kSectorSize});
  EXPECT_TRUE(config.Validate().ok());
  for (const uint64_t bytes : {uint64_t{0}, kSectorSize + 1, DiskConfig::kMaxBytes + kSectorSize}) {
    config.disks[2].bytes = bytes;
    EXPECT_THAT(Refusal(config), HasSubstr("disk2")) << bytes;
  }
  config.disks[2] = {.interface = static_cast<DiskConfig::Interface>(9), .bytes = kSectorSize};
  EXPECT_THAT(Refusal(config), HasSubstr("disk2 has no known interface"));
  config.disks.assign(MachineConfig::kMaxDisks + 1, {.bytes = kSectorSize});
  EXPECT_THAT(Refusal(config), HasSubstr("at most 8 disks"));
  config.disks.assign(5, {.interface = DiskConfig::Interface::kIde, .bytes = kSectorSize});
  EXPECT_EQ(Refusal(config), "two IDE channels take at most 4 disks, not 5");
}

}  // namespace
}  // namespace isochron::machine
