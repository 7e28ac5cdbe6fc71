#include "machine/chipset/pci_config.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kBridge = 7 << 11;

class PciConfigTest : public testing::Test {
 protected:
  PciConfigTest() {
    config_.Add(7, 0, MakeIsaBridge());
    config_.Reset();
  }
  PciConfig config_;
};

TEST_F(PciConfigTest, BridgeHeader) {
  EXPECT_EQ(config_.Read(kBridge, 4), 0x04848086u);
  EXPECT_EQ(config_.Read(kBridge + 2, 2), 0x0484u);
  EXPECT_EQ(config_.Read(kBridge + 8, 4), 0x06010003u);
  EXPECT_EQ(config_.Read(kBridge + 0x0e, 1), 0u);
  for (uint64_t bar = 0x10; bar < 0x28; bar += 4) {
    config_.Write(kBridge + bar, 4, 0xffffffff);
    EXPECT_EQ(config_.Read(kBridge + bar, 4), 0u);
  }
}

TEST_F(PciConfigTest, OnlyWritableBitsChange) {
  config_.Write(kBridge + 4, 2, 0x0000);
  EXPECT_EQ(config_.Read(kBridge + 4, 2), 0x0007u);
  config_.Write(kBridge + 4, 4, 0xffffffff);
  EXPECT_EQ(config_.Read(kBridge + 4, 4), 0x0200000fu);
  config_.Write(kBridge, 4, 0);
  EXPECT_EQ(config_.Read(kBridge, 4), 0x04848086u);
}

TEST_F(PciConfigTest, AbsentFunctionsReadAllOnes) {
  EXPECT_EQ(config_.Read(6 << 11, 4), 0xffffffffu);
  EXPECT_EQ(config_.Read(kBridge | 1 << 8, 2), 0xffffu);
  EXPECT_EQ(config_.Read(1 << 16 | kBridge, 1), 0xffu);
  EXPECT_EQ(config_.Read(6 << 11, 8), ~uint64_t{0});
  config_.Write(6 << 11, 4, 0);
}

TEST_F(PciConfigTest, StateIsWhatWasWritten) {
  config_.Write(kBridge + 4, 2, 8);
  PciConfig other;
  other.Add(7, 0, MakeIsaBridge());
  ASSERT_TRUE(Restore(other, Save(config_)).ok());
  EXPECT_EQ(other.Read(kBridge + 4, 2), 0x000fu);
  other.Reset();
  EXPECT_EQ(other.Read(kBridge + 4, 2), 0x0007u);
}

}  // namespace
}  // namespace isochron::machine
