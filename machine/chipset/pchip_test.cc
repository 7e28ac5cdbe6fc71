#include "machine/chipset/pchip.h"

#include <gtest/gtest.h>

#include "machine/bus/device_testing.h"
#include "machine/chipset/dchip.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kWsba0 = 0x000, kWsba3 = 0x0c0, kWsm1 = 0x140, kTba2 = 0x280, kPctl = 0x300,
                   kPlat = 0x340, kPerror = 0x3c0, kPerrmask = 0x400, kPerrset = 0x440,
                   kTlbiv = 0x480, kTlbia = 0x4c0;

class PchipTest : public testing::Test {
 protected:
  PchipTest() { pchip_.Reset(); }

  uint64_t Read(uint64_t reg) { return pchip_.Read(reg, 8); }
  void Write(uint64_t reg, uint64_t value) { pchip_.Write(reg, 8, value); }

  FakeIrqs irqs_;
  Pchip pchip_{IrqLine{&irqs_, 62}};
};

TEST_F(PchipTest, WindowRegistersKeepTheirFields) {
  EXPECT_EQ(Read(kWsba0), 0x00800003u);  // as the console leaves them
  EXPECT_EQ(Read(kWsm1), 0x3ff00000u);
  EXPECT_EQ(Read(kWsba3), 2u);
  for (uint64_t reg : {kWsba0, kWsba3, kWsm1, kTba2}) Write(reg, ~uint64_t{0});
  EXPECT_EQ(Read(kWsba0), 0xfff00007u);
  EXPECT_EQ(Read(kWsba3), 0x80fff00007u);
  EXPECT_EQ(Read(kWsm1), 0xfff00000u);
  EXPECT_EQ(Read(kTba2), 0x7fffffc00u);
  Write(kWsba3, 0);
  EXPECT_EQ(Read(kWsba3), 2u);
}

TEST_F(PchipTest, LinuxTurnsTheMonsterWindowOn) {
  const uint64_t reset = Read(kPctl);
  EXPECT_EQ(reset, 0x0000104401440081u);
  Write(kPctl, reset | 0x40);
  EXPECT_EQ(Read(kPctl), reset | 0x40);
  Write(kPctl, ~uint64_t{0});
  EXPECT_EQ(Read(kPctl) >> 24 & 0xff, 1u);  // the revision stays
  EXPECT_EQ(Read(kPctl) >> 46 & 3, 0u);     // so does the number of the chip
  Write(kPlat, 0xffff);
  EXPECT_EQ(Read(kPlat), 0xff00u);
  EXPECT_EQ(Read(kTlbiv), 0u);
  EXPECT_EQ(Read(kTlbia), 0u);
}

TEST_F(PchipTest, ErrorsInterruptWhenUnmasked) {
  Write(kPerrset, 0x1234567812340040);
  EXPECT_EQ(Read(kPerror), 0x1234567812340040u);
  EXPECT_FALSE(irqs_.levels[62]);
  Write(kPerrmask, 0x40);
  EXPECT_TRUE(irqs_.levels[62]);
  Write(kPerror, 0x40);
  EXPECT_EQ(Read(kPerror), 0u);
  EXPECT_FALSE(irqs_.levels[62]);
}

TEST_F(PchipTest, RestoredChipIsEqual) {
  Write(kWsba0, 0x800003);
  Write(kPerrset, 0x40);
  Pchip other{IrqLine{}};
  ASSERT_TRUE(Restore(other, Save(pchip_)).ok());
  EXPECT_EQ(Save(pchip_), Save(other));
  EXPECT_EQ(other.Read(kWsba0, 8), 0x800003u);
}

TEST(DchipTest, EachChipShowsItsByte) {
  Dchip dchip;
  EXPECT_EQ(dchip.Read(0x800, 8), 0x4343434343434343u);
  EXPECT_EQ(dchip.Read(0x840, 8), 0x2525252525252525u);
  EXPECT_EQ(dchip.Read(0x880, 8), 0x0101010101010101u);
  EXPECT_EQ(dchip.Read(0x8c0, 8), 0x0303030303030303u);
  EXPECT_EQ(dchip.Read(0x840, 2), 0x2525u);
  EXPECT_EQ(dchip.Read(0x000, 8), 0u);
}

}  // namespace
}  // namespace isochron::machine
