#include "alpha/stop_pcs.h"

#include <vector>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

TEST(StopPcs, ModeIsPartOfAPc) {
  const StopPcs pcs({0x2000, 0x1001, 0x1008}, 0);
  EXPECT_TRUE(pcs.AnyIn(0x1001, 1));
  EXPECT_FALSE(pcs.AnyIn(0x1000, 8)) << "0x1001 is in PALmode";
  EXPECT_TRUE(pcs.AnyIn(0x1000, 12));
  EXPECT_FALSE(pcs.AnyIn(0x1005, 0x2000)) << "the others are not";
}

TEST(StopPcs, PagesEndWhereTheyEnd) {
  const StopPcs pcs({kPageSize, ~uint64_t{3}}, 0);
  EXPECT_TRUE(pcs.AnyInPageOf(2 * kPageSize - 4));
  EXPECT_FALSE(pcs.AnyInPageOf(kPageSize - 4));
  EXPECT_FALSE(pcs.AnyInPageOf(2 * kPageSize));
  EXPECT_TRUE(pcs.AnyInPageOf(~kPageMask)) << "the last page there is";
  EXPECT_FALSE(pcs.AnyIn(8, 0));
}

TEST(StopPcs, OnlyWhatCanBeFetchedAndOnlyLater) {
  std::vector<uint8_t> ram(4 * kPageSize);
  const Memory memory(ram.data(), ram.size());
  Cpu cpu(0, 16, 16);
  cpu.cycle = 100;
  cpu.pc = 0x2001;
  EXPECT_TRUE(StopPcs({0x2001}, 99).Stops(cpu, memory));
  EXPECT_FALSE(StopPcs({0x2001}, 100).Stops(cpu, memory)) << "the run began here";
  EXPECT_FALSE(StopPcs({0x2005}, 99).Stops(cpu, memory));
  cpu.pc = 0x2000;  // an ITB miss
  EXPECT_TRUE(StopPcs({0x2000}, 99).At(cpu));
  EXPECT_FALSE(StopPcs({0x2000}, 99).Stops(cpu, memory));
}

}  // namespace
}  // namespace isochron::alpha
