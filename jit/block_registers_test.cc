#include "jit/block_registers.h"

#include "gtest/gtest.h"

namespace isochron::jit {
namespace {

constexpr uint64_t Bit(int place) { return uint64_t{1} << place; }

// A block of instructions that only read and write places.
GuestBlock Block(std::initializer_list<std::pair<uint64_t, uint64_t>> accesses) {
  GuestBlock block;
  for (const auto& [reads, writes] : accesses) {
    GuestInstruction instruction;
    instruction.reads = reads;
    instruction.writes = writes;
    block.code.push_back(instruction);
  }
  return block;
}

TEST(BlockRegisters, KeepWhatIsReadAgain) {
  BlockRegisters registers({5, 6});
  const GuestBlock block = Block({{Bit(1), Bit(2)}, {Bit(2), 0}, {Bit(1), 0}});
  registers.At(block, 0);
  const int one = registers.Take(1);
  ASSERT_NE(one, BlockRegisters::kNone);
  EXPECT_EQ(registers.Find(1), BlockRegisters::kNone) << "not before it holds it";
  registers.Hold(one, 1, false);
  EXPECT_EQ(registers.Find(1), one);
  const int two = registers.Take(2);
  EXPECT_NE(two, one);
  registers.Reset();
  EXPECT_EQ(registers.Find(1), BlockRegisters::kNone);
}

TEST(BlockRegisters, NothingForWhatIsNotReadAgain) {
  BlockRegisters registers({5});
  const GuestBlock block = Block({{Bit(1), 0}, {0, Bit(1)}, {Bit(1), 0}});
  registers.At(block, 0);
  EXPECT_EQ(registers.Take(1), BlockRegisters::kNone) << "written before it is read";
  registers.At(block, 1);
  EXPECT_NE(registers.Take(1), BlockRegisters::kNone);
}

TEST(BlockRegisters, TheCopyThatIsReadLastMakesRoom) {
  BlockRegisters registers({5, 6});
  const GuestBlock block =
      Block({{Bit(1), 0}, {Bit(2), 0}, {Bit(3), 0}, {Bit(2), 0}, {Bit(3), 0}, {Bit(1), 0}});
  registers.At(block, 0);
  registers.Hold(registers.Take(1), 1, false);
  registers.At(block, 1);
  registers.Hold(registers.Take(2), 2, false);
  registers.At(block, 2);
  registers.Hold(registers.Take(3), 3, false);
  EXPECT_EQ(registers.Find(1), BlockRegisters::kNone);
  EXPECT_NE(registers.Find(2), BlockRegisters::kNone);
}

TEST(BlockRegisters, WhatTheInstructionNeedsStays) {
  BlockRegisters registers({5});
  const GuestBlock block = Block({{Bit(1), 0}, {Bit(1) | Bit(2), 0}, {Bit(2), 0}, {Bit(1), 0}});
  registers.At(block, 0);
  registers.Hold(registers.Take(1), 1, false);
  registers.At(block, 1);
  EXPECT_EQ(registers.Take(2), BlockRegisters::kNone);
  EXPECT_NE(registers.Find(1), BlockRegisters::kNone);
}

TEST(BlockRegisters, AResultIsStoredOnceForTheBlock) {
  BlockRegisters registers({5});
  const GuestBlock block = Block({{0, Bit(1)}, {Bit(1), Bit(1)}, {Bit(1), 0}, {Bit(1), 0}});
  for (uint32_t i = 0; i < 2; ++i) {
    registers.At(block, i);
    EXPECT_TRUE(registers.StoresBefore(Bit(1)).empty());
    const int host = i == 0 ? registers.Take(1) : registers.Find(1);
    EXPECT_TRUE(registers.Hold(host, 1, true));
  }
  EXPECT_EQ(registers.dirty().size(), 1u);
  registers.At(block, 2);
  EXPECT_TRUE(registers.StoresBefore(Bit(1)).empty());
  registers.At(block, 3);
  const auto stores = registers.StoresBefore(Bit(1));
  ASSERT_EQ(stores.size(), 1u) << "the last instruction finds everything in memory";
  EXPECT_EQ(stores[0].place, 1);
  EXPECT_EQ(stores[0].host, 5);
  EXPECT_TRUE(registers.dirty().empty());
}

TEST(BlockRegisters, AResultOfTheLastInstructionGoesToMemory) {
  BlockRegisters registers({5});
  const GuestBlock block = Block({{Bit(1), 0}, {Bit(1), Bit(1)}});
  registers.At(block, 0);
  registers.Hold(registers.Take(1), 1, false);
  registers.At(block, 1);
  EXPECT_FALSE(registers.Hold(registers.Find(1), 1, true));
  EXPECT_TRUE(registers.dirty().empty());
}

TEST(BlockRegisters, AResultThatGivesWayIsStoredBeforeTheInstruction) {
  BlockRegisters registers({5});
  const GuestBlock block = Block({{0, Bit(1)}, {Bit(2), 0}, {Bit(2), 0}, {Bit(1), 0}});
  registers.At(block, 0);
  registers.Hold(registers.Take(1), 1, true);
  registers.At(block, 1);
  EXPECT_EQ(registers.Take(2), BlockRegisters::kNone) << "memory does not have it yet";
  const auto stores = registers.StoresBefore(Bit(2));
  ASSERT_EQ(stores.size(), 1u);
  EXPECT_EQ(stores[0].place, 1);
  EXPECT_EQ(registers.Take(2), 5);
}

TEST(BlockRegisters, AResultThatIsOverwrittenUnseenIsDead) {
  BlockRegisters registers({5});
  GuestBlock block = Block({{0, Bit(1)}, {0, Bit(2)}, {0, Bit(1)}, {Bit(1), 0}});
  registers.At(block, 0);
  EXPECT_FALSE(registers.IsDead(1)) << "what follows may fault";
  for (GuestInstruction& instruction : block.code) instruction.plain = true;
  EXPECT_TRUE(registers.IsDead(1));
  registers.At(block, 1);
  EXPECT_FALSE(registers.IsDead(2)) << "nothing overwrites it";
  registers.At(block, 2);
  EXPECT_FALSE(registers.IsDead(1)) << "read";
}

}  // namespace
}  // namespace isochron::jit
