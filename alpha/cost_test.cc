#include "alpha/cost.h"

#include <cstdint>

#include "alpha/instruction.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

TEST(CostTest, EveryRowSaysWhatAndWhy) {
  for (const CostRow& row : kCosts) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_FALSE(row.reason.empty()) << row.name;
    EXPECT_LT(row.cycles, 10'000u) << row.name;
    EXPECT_EQ(InstructionCost(row.cost_class), row.cycles);
  }
}

// Else a program could go on for ever before a deadline.
TEST(CostTest, EveryInstructionAndEntryTakesTime) {
  for (const InstructionInfo& info : kInstructions) {
    if (info.name == "Reserved") continue;
    EXPECT_GT(InstructionCost(info.cost), 0u) << info.name;
    EXPECT_LT(info.cost, CostClass::kPalEntry) << info.name << " is charged as an event";
  }
  EXPECT_GT(InstructionCost(CostClass::kPalEntry), 0u);
}

TEST(CostTest, AReservedInstructionIsChargedAsItsException) {
  EXPECT_EQ(InstructionCost(Info(Op::kReserved).cost), 0u);
}

}  // namespace
}  // namespace isochron::alpha
