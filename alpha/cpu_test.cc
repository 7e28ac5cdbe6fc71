#include "alpha/cpu.h"

#include <cstdint>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

TEST(CpuTest, ResetStartsPalcode) {
  Cpu cpu(3, 8, 16);
  cpu.r[5] = 1;
  cpu.f[6] = 1;
  cpu.cycle = 1000;
  cpu.instructions = 500;
  cpu.counters.pal_calls = 7;
  cpu.irq_pins = 4;
  cpu.mode = Mode::kUser;
  cpu.dtb.Insert(TlbEntry{});
  cpu.Reset(0x10000);
  EXPECT_EQ(cpu.pc, 0x10781u);
  EXPECT_EQ(cpu.pal_base, 0x10000u);
  EXPECT_EQ(cpu.index, 3u);
  EXPECT_EQ(cpu.itb.size(), 8u);
  EXPECT_EQ(cpu.dtb.size(), 16u);
  EXPECT_EQ(cpu.dtb.Find(0, 0), nullptr);
  EXPECT_EQ(cpu.r[5], 0u);
  EXPECT_EQ(cpu.f[6], 0u);
  EXPECT_EQ(cpu.mode, Mode::kKernel);
  EXPECT_EQ(cpu.irq_pins, 0);
  EXPECT_EQ(cpu.cycle, 1000u) << "time goes on";
  EXPECT_EQ(cpu.instructions, 500u);
  EXPECT_EQ(cpu.counters.pal_calls, 7u);
  EXPECT_EQ(cpu.CycleCounter(), 0u);
  cpu.cycle += 5;
  EXPECT_EQ(cpu.CycleCounter(), 5u);
}

TEST(CpuTest, ShadowRegistersStandInPalmodeOnly) {
  Cpu cpu(0, 1, 1);
  cpu.pc = 0x101;
  EXPECT_FALSE(cpu.shadow_active());
  cpu.i_ctl = i_ctl::kShadowEnable;
  EXPECT_TRUE(cpu.shadow_active());
  cpu.pc = 0x100;
  EXPECT_FALSE(cpu.shadow_active());
}

TEST(CpuTest, IntegerPlacesAreDistinct) {
  const std::set<int> shadowed = {4, 5, 6, 7, 20, 21, 22, 23};
  std::set<int> places;
  for (int reg = 0; reg < 32; ++reg) {
    EXPECT_EQ(Cpu::IntegerPlace(reg, false), reg);
    const int place = Cpu::IntegerPlace(reg, true);
    EXPECT_EQ(place != reg, shadowed.contains(reg)) << reg;
    EXPECT_LT(place, Cpu::kIntegerSink);
    EXPECT_TRUE(places.insert(place).second) << reg;
  }
}

TEST(CpuTest, InterruptsNeedTheirEnables) {
  Cpu cpu(0, 1, 1);
  cpu.irq_pins = 0x3f;
  cpu.sirr = interrupt::kSoftwareMask;
  cpu.internal_requests = interrupt::kSerialLine | interrupt::kCorrectedRead;
  EXPECT_EQ(cpu.PendingInterrupts(), 0u);
  for (int pin = 0; pin < 6; ++pin) {
    cpu.ier = uint64_t{1} << (33 + pin);
    EXPECT_EQ(cpu.PendingInterrupts(), cpu.ier);
  }
  for (int level = 1; level <= 15; ++level) {
    cpu.ier = uint64_t{1} << (13 + level);
    EXPECT_EQ(cpu.PendingInterrupts(), cpu.ier);
  }
  cpu.ier = uint64_t{1} << 32;
  EXPECT_EQ(cpu.PendingInterrupts(), cpu.ier);
  cpu.irq_pins = 0;
  cpu.ier = interrupt::kExternalMask;
  EXPECT_EQ(cpu.PendingInterrupts(), 0u);
}

TEST(CpuTest, AnAstWaitsForItsModeOrALessPrivilegedOne) {
  Cpu cpu(0, 1, 1);
  constexpr uint64_t kBit[4] = {1 << 3, 1 << 4, 1 << 9, 1 << 10};
  for (int requested = 0; requested < 4; ++requested) {
    for (int mode = 0; mode < 4; ++mode) {
      cpu.mode = static_cast<Mode>(mode);
      cpu.astrr = static_cast<uint8_t>(1 << requested);
      cpu.aster = 0xf;
      cpu.ier = interrupt::kAstEnable;
      EXPECT_EQ(cpu.PendingInterrupts(), mode >= requested ? kBit[requested] : 0);
      cpu.aster = static_cast<uint8_t>(0xf ^ 1 << requested);
      EXPECT_EQ(cpu.PendingInterrupts(), 0u);
      cpu.aster = 0xf;
      cpu.ier = 0;
      EXPECT_EQ(cpu.PendingInterrupts(), 0u);
    }
  }
}

TEST(CpuTest, PalmodeTakesNoInterrupts) {
  Cpu cpu(0, 1, 1);
  cpu.irq_pins = 1;
  cpu.ier = interrupt::kExternalMask;
  EXPECT_TRUE(cpu.InterruptDeliverable());
  cpu.pc |= 1;
  EXPECT_FALSE(cpu.InterruptDeliverable());
}

TEST(CpuTest, CycleCounterWrapsAndStops) {
  Cpu cpu(0, 1, 1);
  cpu.cc_enable = true;
  cpu.cc_value = 0xffff'fff0;
  cpu.cc_offset = 0x1234;
  cpu.cc_start = 100;
  cpu.cycle = 100 + 0x20;
  EXPECT_EQ(cpu.CycleCounter(), uint64_t{0x1234} << 32 | 0x10);
  cpu.cycle += uint64_t{1} << 32;
  EXPECT_EQ(cpu.CycleCounter(), uint64_t{0x1234} << 32 | 0x10);
  cpu.cc_enable = false;
  EXPECT_EQ(cpu.CycleCounter(), uint64_t{0x1234} << 32 | 0xffff'fff0);
}

// Changing any byte of the saved state and restoring it gives another state: no field is
// missing on the way back.
TEST(CpuTest, EveryByteOfTheStateIsRestored) {
  Cpu cpu(1, 2, 2);
  cpu.Reset(0x8000);
  for (int i = 0; i < 31; ++i) cpu.r[i] = cpu.f[i] = 0x0101'0101'0101'0101u * (i + 1);
  TlbEntry entry;
  entry.tag = 0x4000;
  cpu.itb.Insert(entry);
  cpu.dtb.Insert(entry);
  const std::string state = StateBytes(cpu);
  int refused = 0;
  for (size_t i = 0; i < state.size(); ++i) {
    std::string changed = state;
    changed[i] ^= 1;
    Cpu copy(1, 2, 2);
    if (!RestoreFromBytes(changed, copy).ok()) {
      ++refused;
      continue;
    }
    EXPECT_EQ(StateBytes(copy), changed) << "byte " << i;
  }
  // Section name and length, the number of the CPU, R31 and F31.
  EXPECT_GE(refused, 7 + 4 + 16);
  // Bits that modes, PAL_BASE and the four translations do not have.
  EXPECT_LT(refused, 7 + 4 + 16 + 4 + 4 + 4 * 8);
}

TEST(CpuTest, APalBaseWithBitsThatItDoesNotHaveIsRefused) {
  for (uint64_t pal_base : {uint64_t{0x4000}, uint64_t{1} << 44}) {
    Cpu cpu(0, 1, 1);
    cpu.pal_base = pal_base;
    EXPECT_FALSE(RestoreFromBytes(StateBytes(cpu), cpu).ok());
    EXPECT_EQ(cpu.pal_base, 0u);
  }
}

TEST(CpuTest, TheStateOfAnotherCpuIsRefused) {
  Cpu cpu(0, 1, 1);
  EXPECT_FALSE(RestoreFromBytes(StateBytes(Cpu(1, 1, 1)), cpu).ok());
  EXPECT_EQ(cpu.index, 0u);
}

TEST(CpuTest, ImpossibleModesAreRefused) {
  Cpu cpu(0, 1, 1);
  cpu.mode = static_cast<Mode>(4);
  EXPECT_FALSE(RestoreFromBytes(StateBytes(cpu), cpu).ok());
  EXPECT_EQ(cpu.mode, Mode::kKernel);
}

}  // namespace
}  // namespace isochron::alpha
