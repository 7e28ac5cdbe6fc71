#include "machine/devices/platform_device.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

class PlatformDeviceTest : public testing::Test {
 protected:
  PlatformDeviceTest() { platform_.Reset(); }

  Bench bench_;
  PlatformDevice platform_{bench_.events(), 2, 1234567};
};

TEST_F(PlatformDeviceTest, PowerRequestIsDueAtOnce) {
  bench_.events().SetNow(1000);
  EXPECT_EQ(platform_.power_request(), PowerRequest::kNone);
  platform_.Write({FW_PLATFORM_POWER, 8}, 2);
  EXPECT_EQ(platform_.power_request(), PowerRequest::kReset);
  EXPECT_EQ(bench_.events().next(), 1000u);
  platform_.ClearPowerRequest();
  EXPECT_EQ(platform_.power_request(), PowerRequest::kNone);
}

TEST_F(PlatformDeviceTest, WhatCannotGoOnIsNotTurnedOffInstead) {
  platform_.Write({.offset = FW_PLATFORM_POWER, .size = 8, .cpu = 1}, 3);
  platform_.Write({.offset = FW_PLATFORM_POWER, .size = 8, .cpu = 0}, 1);
  EXPECT_EQ(platform_.power_request(), PowerRequest::kFatal);
  EXPECT_EQ(platform_.power_cpu(), 1u);
}

TEST_F(PlatformDeviceTest, UnknownRequestsDoNothing) {
  for (uint64_t value : {uint64_t{0}, uint64_t{4}, uint64_t{1} << 32}) {
    platform_.Write({FW_PLATFORM_POWER, 8}, value);
  }
  platform_.Write({FW_PLATFORM_POWER, 4}, 1);
  platform_.Write({0x18, 8}, 1);
  EXPECT_EQ(platform_.power_request(), PowerRequest::kNone);
  EXPECT_EQ(bench_.events().next(), kNever);
}

TEST_F(PlatformDeviceTest, WaitIsConsumedOnce) {
  platform_.Write({FW_PLATFORM_WAIT, 8}, 0);
  EXPECT_EQ(bench_.events().next(), 0u);
  EXPECT_FALSE(platform_.ConsumeWait(1)) << "another CPU's";
  EXPECT_TRUE(platform_.ConsumeWait(0));
  EXPECT_FALSE(platform_.ConsumeWait(0));
  platform_.Write({FW_PLATFORM_WAIT, 8, 1}, 0);
  EXPECT_FALSE(platform_.ConsumeWait(0));
  EXPECT_TRUE(platform_.ConsumeWait(1));
}

TEST_F(PlatformDeviceTest, EntropyIsSplitmix64OfTheSeed) {
  // The reference values that are published for splitmix64 with this seed.
  EXPECT_EQ(platform_.Read({FW_PLATFORM_ENTROPY, 8}), 6457827717110365317u);
  EXPECT_EQ(platform_.Read({FW_PLATFORM_ENTROPY, 8}), 3203168211198807973u);
  PlatformDevice other{bench_.events(), 2, 0};
  ASSERT_TRUE(Restore(other, Save(platform_)).ok());
  EXPECT_EQ(other.Read({FW_PLATFORM_ENTROPY, 8}), 9817491932198370423u);
  platform_.Reset();
  EXPECT_EQ(platform_.Read({FW_PLATFORM_ENTROPY, 8}), 6457827717110365317u);
  EXPECT_EQ(platform_.Read({FW_PLATFORM_POWER, 8}), 0u);
}

}  // namespace
}  // namespace isochron::machine
