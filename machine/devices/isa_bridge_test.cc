#include "machine/devices/isa_bridge.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"
#include "machine/bus/dma.h"
#include "machine/bus/pci_bus.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kBridge = 7 << 11;

struct NoDma final : DmaPort {
  DmaResult ReadMemory(uint64_t, void*, uint64_t) override { return DmaResult::kMasterAbort; }
  DmaResult WriteMemory(uint64_t, const void*, uint64_t) override {
    return DmaResult::kMasterAbort;
  }
};

class IsaBridgeTest : public testing::Test {
 protected:
  IsaBridgeTest() {
    bus_.Attach(7, 0, bridge_);
    bus_.Reset();
  }
  uint64_t Read(uint64_t reg, int size) { return bus_.config().Read({kBridge + reg, size}); }
  void Write(uint64_t reg, int size, uint64_t value) {
    bus_.config().Write({kBridge + reg, size}, value);
  }

  NoDma dma_;
  AbsentTarget ports_;
  FakeIrqs irqs_;
  PciBus bus_{dma_, ports_, irqs_, [](int, int) { return -1; }};
  IsaBridge bridge_;
};

TEST_F(IsaBridgeTest, Header) {
  EXPECT_EQ(Read(0, 4), 0x04848086u);
  EXPECT_EQ(Read(2, 2), 0x0484u);
  EXPECT_EQ(Read(8, 4), 0x06010003u);
  EXPECT_EQ(Read(0x0e, 1), 0u);
  for (uint64_t bar = 0x10; bar < 0x28; bar += 4) {
    Write(bar, 4, 0xffffffff);
    EXPECT_EQ(Read(bar, 4), 0u);
  }
}

TEST_F(IsaBridgeTest, OnlyWritableBitsChange) {
  Write(4, 2, 0x0000);
  EXPECT_EQ(Read(4, 2), 0x0007u);
  Write(4, 4, 0xffffffff);
  EXPECT_EQ(Read(4, 4), 0x0200000fu);
  Write(0, 4, 0);
  EXPECT_EQ(Read(0, 4), 0x04848086u);
  Write(0x3c, 4, 0xffffffff);
  EXPECT_EQ(Read(0x3c, 4), 0u);
}

}  // namespace
}  // namespace isochron::machine
