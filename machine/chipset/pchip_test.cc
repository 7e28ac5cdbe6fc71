#include "machine/chipset/pchip.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

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

  uint64_t Read(uint64_t reg) { return pchip_.Read({reg, 8}); }
  void Write(uint64_t reg, uint64_t value) { pchip_.Write({reg, 8}, value); }

  // Bytes at `pa`, after a write there by DMA.
  DmaResult Store(uint64_t address, std::string_view bytes) {
    return pchip_.WriteMemory(address, bytes.data(), bytes.size());
  }
  std::string Load(uint64_t address, size_t size) {
    std::string bytes(size, '?');
    EXPECT_EQ(pchip_.ReadMemory(address, bytes.data(), size), DmaResult::kOk);
    return bytes;
  }
  std::string At(uint64_t pa, size_t size) {
    return std::string(reinterpret_cast<const char*>(memory_.host(pa)), size);
  }
  // Window `n` of `size` bytes (a power of two from 1 MiB) at `base`.
  void Window(int n, uint64_t base, uint64_t size, uint64_t flags, uint64_t target) {
    Write(kWsba0 + 64 * n, base | flags);
    Write(kWsba0 + 0x100 + 64 * n, (size - 1) & 0xfff00000);
    Write(kWsba0 + 0x200 + 64 * n, target);
  }

  static constexpr uint64_t kMemory = 32 * alpha::kPageSize;
  static constexpr uint64_t kOn = 1, kMap = 3;
  FakeIrqs irqs_;
  std::vector<uint8_t> ram_ = std::vector<uint8_t>(kMemory);
  alpha::Memory memory_{ram_.data(), kMemory};
  Cchip cchip_{1, kMemory, irqs_};
  Pchip pchip_{IrqLine{&irqs_, 62}, memory_, cchip_};
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
  Pchip other{IrqLine{}, memory_, cchip_};
  ASSERT_TRUE(Restore(other, Save(pchip_)).ok());
  EXPECT_EQ(Save(pchip_), Save(other));
  EXPECT_EQ(other.Read({kWsba0, 8}), 0x800003u);
}

TEST_F(PchipTest, ADirectWindowAddsItsBase) {
  Window(1, 0x8000'0000, 1 << 20, kOn, 0);
  EXPECT_EQ(Store(0x8000'0010, "abc"), DmaResult::kOk);
  EXPECT_EQ(At(0x10, 3), "abc");
  EXPECT_EQ(Load(0x8000'0011, 2), "bc");
  EXPECT_TRUE(memory_.IsDirty(0));
  Window(2, 0x4000'0000, 1 << 20, kOn, 0x10'0000);
  EXPECT_EQ(Store(0x4000'0000, "x"), DmaResult::kTargetAbort) << "there is no RAM";
  EXPECT_EQ(cchip_.Read({0x080, 8}) >> 28 & 15, 9u) << "NXM, of Pchip 0";
}

TEST_F(PchipTest, AScatterGatherWindowGoesPageByPage) {
  constexpr uint64_t kTable = 2 * alpha::kPageSize;
  Window(0, 0x80'0000, 8 << 20, kMap, kTable);
  // The second and third page of the window.
  memory_.Store<uint64_t>(kTable + 8, (uint64_t{20} << 13) >> 12 | 1);
  memory_.Store<uint64_t>(kTable + 16, (uint64_t{9} << 13) >> 12 | 1);
  EXPECT_EQ(Store(0x80'0000 + 2 * 8192 - 2, "wxyz"), DmaResult::kOk);
  EXPECT_EQ(At(21 * alpha::kPageSize - 2, 2), "wx");
  EXPECT_EQ(At(9 * alpha::kPageSize, 2), "yz");
  EXPECT_EQ(Load(0x80'0000 + 2 * 8192 - 2, 4), "wxyz");
  // A change of the map counts from the next transfer on.
  memory_.Store<uint64_t>(kTable + 16, (uint64_t{10} << 13) >> 12 | 1);
  EXPECT_EQ(Store(0x80'0000 + 2 * 8192, "!"), DmaResult::kOk);
  EXPECT_EQ(At(10 * alpha::kPageSize, 1), "!");
}

TEST_F(PchipTest, AnInvalidEntryIsAnErrorOfThePchip) {
  constexpr uint64_t kTable = 2 * alpha::kPageSize;
  Window(0, 0x80'0000, 8 << 20, kMap, kTable);
  memory_.Store<uint64_t>(kTable + 8, (uint64_t{20} << 13) >> 12 | 1);
  Write(kPerrmask, 0x10);
  const std::string bytes(8192 + 4, 'b');
  EXPECT_EQ(Store(0x80'0000 + 8192, bytes), DmaResult::kTargetAbort);
  EXPECT_EQ(At(20 * alpha::kPageSize, 8192), bytes.substr(0, 8192)) << "what came before is there";
  EXPECT_EQ(Read(kPerror), uint64_t{7} << 52 | uint64_t{0x80'4000} << 16 | 0x10);
  EXPECT_TRUE(irqs_.levels[62]);
  char byte;
  EXPECT_EQ(pchip_.ReadMemory(0x80'0000, &byte, 1), DmaResult::kTargetAbort);
  EXPECT_EQ(Read(kPerror), uint64_t{7} << 52 | uint64_t{0x80'4000} << 16 | 0x11) << "lost";
  Write(kPerror, 0x11);
  EXPECT_EQ(Read(kPerror), 0u);
  EXPECT_FALSE(irqs_.levels[62]);
}

TEST_F(PchipTest, WhatNoWindowClaimsIsAMasterAbort) {
  for (int n = 0; n < 4; ++n) Window(n, 0, 1 << 20, 0, 0);
  EXPECT_EQ(Store(0x10, "a"), DmaResult::kMasterAbort);
  Window(1, 0, 1 << 20, kOn, 0);
  EXPECT_EQ(Store(0x10, "a"), DmaResult::kOk);
  EXPECT_EQ(Store(0x10'0000, "a"), DmaResult::kMasterAbort);
  EXPECT_EQ(Store(uint64_t{1} << 32 | 0x10, "a"), DmaResult::kMasterAbort);
  EXPECT_EQ(Store(0x8'0000, ""), DmaResult::kOk);
  Write(kPctl, Read(kPctl) | 0x20);  // the hole from 512 KiB to 1 MiB
  EXPECT_EQ(Store(0x8'0000, "a"), DmaResult::kMasterAbort);
  EXPECT_EQ(Store(0x7'ffff & (kMemory - 1), "a"), DmaResult::kOk);
  EXPECT_EQ(Read(kPerror), 0u);
}

TEST_F(PchipTest, DoubleAddressCyclesHaveTheMonsterWindowAndWindow3) {
  constexpr uint64_t kMonster = uint64_t{1} << 40, kThird = uint64_t{1} << 39;
  EXPECT_EQ(Store(kMonster | 0x20, "m"), DmaResult::kMasterAbort);
  Write(kPctl, Read(kPctl) | 0x40);
  EXPECT_EQ(Store(kMonster | 0x20, "m"), DmaResult::kOk);
  EXPECT_EQ(At(0x20, 1), "m");
  EXPECT_EQ(Store(kMonster << 1 | 0x20, "m"), DmaResult::kMasterAbort);
  EXPECT_EQ(Store(kThird | 0x2020, "t"), DmaResult::kMasterAbort);
  Window(3, 0, 1 << 20, kThird | kOn, 0);
  memory_.Store<uint64_t>(8, (uint64_t{20} << 13) >> 12 | 1);
  EXPECT_EQ(Store(kThird | 0x2020, "t"), DmaResult::kOk);
  EXPECT_EQ(At(20 * alpha::kPageSize + 0x20, 1), "t");
  Window(0, 0, 1 << 20, 0, 0);
  EXPECT_EQ(Store(0x2020, "t"), DmaResult::kMasterAbort) << "it is for double cycles only";
}

TEST(DchipTest, EachChipShowsItsByte) {
  Dchip dchip;
  EXPECT_EQ(dchip.Read({0x800, 8}), 0x4343434343434343u);
  EXPECT_EQ(dchip.Read({0x840, 8}), 0x2525252525252525u);
  EXPECT_EQ(dchip.Read({0x880, 8}), 0x0101010101010101u);
  EXPECT_EQ(dchip.Read({0x8c0, 8}), 0x0303030303030303u);
  EXPECT_EQ(dchip.Read({0x840, 2}), 0x2525u);
  EXPECT_EQ(dchip.Read({0x000, 8}), 0u);
}

}  // namespace
}  // namespace isochron::machine
