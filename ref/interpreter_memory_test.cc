// Code that changes, locked sequences, prefetches and registers that are always zero.

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::kPageSize;

constexpr uint64_t kStart = TestMachine::kKseg + TestMachine::kCode;
constexpr uint32_t kStop = CallPal(0xbf);

constexpr uint32_t SetR1(uint32_t value) { return OperateLiteral(Op::kBis, 31, value, 1); }

class SelfModifyingTest : public ::testing::Test {
 protected:
  // R2 holds an instruction that sets R1 to 2, R10 the address of the program.
  SelfModifyingTest() {
    machine_.cpu.r[2] = SetR1(2);
    machine_.cpu.r[10] = kStart;
  }
  uint64_t RunAndGetR1() {
    machine_.RunToPal();
    EXPECT_TRUE(machine_.stopped());
    return machine_.cpu.r[1];
  }

  TestMachine machine_;
};

TEST_F(SelfModifyingTest, TheNextInstruction) {
  machine_.Program({MemoryOp(Op::kStl, 2, 4, 10), SetR1(1), kStop});
  EXPECT_EQ(RunAndGetR1(), 2u);
  EXPECT_EQ(machine_.cpu.instructions, 3u);
}

TEST_F(SelfModifyingTest, LaterInTheSameBlock) {
  machine_.Program({Nop(), MemoryOp(Op::kStl, 2, 16, 10), Nop(), Nop(), SetR1(1), kStop});
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, EarlierBlocksOfALoop) {
  // Second turn executes what the first one wrote.
  machine_.Program({SetR1(1), MemoryOp(Op::kStl, 2, 0, 10), OperateLiteral(Op::kAddq, 5, 1, 5),
                    OperateLiteral(Op::kCmplt, 5, 2, 6), BranchOp(Op::kBne, 6, -5), kStop});
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, ALinkedBlockOfTheSamePage) {
  // The loop runs often enough to be linked before the store hits its other block.
  machine_.Program({
      SetR1(1),
      BranchOp(Op::kBr, 31, 0),
      OperateLiteral(Op::kAddq, 5, 1, 5),
      OperateLiteral(Op::kCmpeq, 5, 9, 6),
      BranchOp(Op::kBeq, 6, 1),
      MemoryOp(Op::kStl, 2, 0, 10),
      OperateLiteral(Op::kCmplt, 5, 10, 6),
      BranchOp(Op::kBne, 6, -8),
      kStop,
  });
  EXPECT_EQ(RunAndGetR1(), 2u);
  EXPECT_EQ(machine_.cpu.r[5], 10u);
}

TEST_F(SelfModifyingTest, ThroughAnotherVirtualAddress) {
  machine_.MapData(0x4000'0000, TestMachine::kCode, kAllRead | kAllWrite);
  machine_.MapCode(0x6000'0000, TestMachine::kCode, kAllRead);
  machine_.Program(
      {MemoryOp(Op::kLdq, 7, 0, 10), MemoryOp(Op::kStl, 2, 12, 10), Nop(), SetR1(1), kStop});
  machine_.cpu.r[10] = 0x4000'0000;
  machine_.cpu.pc = 0x6000'0000;
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, WhatAnotherAliasHasDecoded) {
  machine_.MapCode(0x6000'0000, TestMachine::kCode, kAllRead);
  machine_.MapCode(0x8000'0000, TestMachine::kCode, kAllRead);
  machine_.Program({SetR1(1), kStop});
  for (const uint64_t pc : {uint64_t{0x6000'0000}, uint64_t{0x8000'0000}, kStart}) {
    machine_.cpu.pc = pc;
    EXPECT_EQ(RunAndGetR1(), 1u);
  }
  machine_.Put(TestMachine::kCode + 0x100, {MemoryOp(Op::kStl, 2, 0, 10), kStop});
  machine_.cpu.pc = 0x6000'0100;
  machine_.RunToPal();
  for (const uint64_t pc : {uint64_t{0x6000'0000}, uint64_t{0x8000'0000}, kStart}) {
    machine_.cpu.pc = pc;
    machine_.cpu.r[1] = 0;
    EXPECT_EQ(RunAndGetR1(), 2u);
  }
}

TEST_F(SelfModifyingTest, WhatWasPlainDataWhenItWasLastWritten) {
  // The page is dirty and its stores inline; then it becomes code; then it is stored to.
  const uint64_t target = TestMachine::kData;
  machine_.Put(target, {SetR1(1), JumpOp(Op::kRet, 31, 26)});
  machine_.cpu.r[10] = TestMachine::kKseg + target;
  machine_.Program({MemoryOp(Op::kLdl, 7, 64, 10), MemoryOp(Op::kStl, 7, 64, 10),
                    MemoryOp(Op::kStl, 7, 64, 10), JumpOp(Op::kJsr, 26, 10),
                    MemoryOp(Op::kStl, 2, 0, 10), JumpOp(Op::kJsr, 26, 10), kStop});
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, ByPalcodesPhysicalStore) {
  machine_.Program({HwStore(HwStoreType::kPhysical, 2, 8, 11), Nop(), SetR1(1),
                    HwStore(HwStoreType::kPhysical, 31, -8, 31)});
  // The quadword of two instructions.
  machine_.cpu.r[2] = uint64_t{HwStore(HwStoreType::kPhysical, 31, -8, 31)} << 32 | SetR1(2);
  machine_.cpu.r[11] = TestMachine::kCode;
  machine_.cpu.pc = TestMachine::kCode | 1;
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, ByADeviceDuringAnAccess) {
  machine_.on_io = [&](alpha::Cpu&, const FakeIo::Access&) {
    const uint32_t word = SetR1(2);
    machine_.memory.Write(TestMachine::kCode + 8, &word, sizeof word);
    return alpha::IoResult{};
  };
  machine_.cpu.r[10] = TestMachine::kKseg + TestMachine::kIo;
  machine_.Program({MemoryOp(Op::kStl, 31, 0, 10), Nop(), SetR1(1), kStop});
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, BetweenTwoRuns) {
  machine_.Program({Nop(), Nop(), SetR1(1), kStop});
  machine_.RunTo(1);
  machine_.Put(TestMachine::kCode + 8, {SetR1(2)});
  EXPECT_EQ(RunAndGetR1(), 2u);
}

TEST_F(SelfModifyingTest, ByAStoreConditional) {
  machine_.Program({MemoryOp(Op::kLdlL, 7, 8, 10), MemoryOp(Op::kStlC, 2, 8, 10), SetR1(1), kStop});
  EXPECT_EQ(RunAndGetR1(), 2u);
  EXPECT_EQ(machine_.cpu.r[2], 1u) << "it reports success all the same";
}

TEST_F(SelfModifyingTest, WritesBesideCodeDropNothing) {
  machine_.Program({MemoryOp(Op::kStl, 2, 128, 10), SetR1(1), kStop});
  EXPECT_EQ(RunAndGetR1(), 1u);
  EXPECT_EQ(machine_.engine.stats().blocks_invalidated, 0u);
}

class LockTest : public ::testing::Test {
 protected:
  LockTest() {
    machine_.cpu.r[10] = TestMachine::kKseg + TestMachine::kData;
    machine_.cpu.r[3] = 33;
    machine_.memory.Store<uint64_t>(TestMachine::kData, 0x8000'0001'8000'0002);
  }
  void Run(std::vector<uint32_t> words) {
    words.push_back(kStop);
    machine_.Program(words);
    machine_.RunToPal();
    ASSERT_TRUE(machine_.stopped());
  }
  uint64_t Data(uint64_t offset) {
    return machine_.memory.Load<uint64_t>(TestMachine::kData + offset);
  }

  TestMachine machine_;
};

TEST_F(LockTest, ALockedPairSucceedsOnce) {
  Run({MemoryOp(Op::kLdqL, 1, 0, 10), MemoryOp(Op::kStqC, 3, 0, 10), Move(3, 4),
       OperateLiteral(Op::kBis, 31, 44, 3), MemoryOp(Op::kStqC, 3, 0, 10)});
  EXPECT_EQ(machine_.cpu.r[1], 0x8000'0001'8000'0002u);
  EXPECT_EQ(machine_.cpu.r[4], 1u);
  EXPECT_EQ(machine_.cpu.r[3], 0u) << "the first STQ_C has cleared the lock";
  EXPECT_EQ(Data(0), 33u);
  EXPECT_FALSE(machine_.cpu.lock_flag);
}

TEST_F(LockTest, LongwordsAreSignExtended) {
  Run({MemoryOp(Op::kLdlL, 1, 4, 10), MemoryOp(Op::kStlC, 3, 4, 10)});
  EXPECT_EQ(machine_.cpu.r[1], 0xffff'ffff'8000'0001u);
  EXPECT_EQ(machine_.cpu.r[3], 1u);
  EXPECT_EQ(Data(0), 0x0000'0021'8000'0002u);
}

TEST_F(LockTest, WithoutALockNothingIsStored) {
  Run({MemoryOp(Op::kStqC, 3, 0, 10)});
  EXPECT_EQ(machine_.cpu.r[3], 0u);
  EXPECT_EQ(Data(0), 0x8000'0001'8000'0002u);
}

TEST_F(LockTest, OwnStoresDoNotBreakIt) {
  Run({MemoryOp(Op::kLdqL, 1, 0, 10), MemoryOp(Op::kStq, 31, 0, 10), MemoryOp(Op::kStb, 31, 9, 10),
       MemoryOp(Op::kStqC, 3, 0, 10)});
  EXPECT_EQ(machine_.cpu.r[3], 1u);
  EXPECT_EQ(Data(0), 33u);
}

TEST_F(LockTest, TheWholeBlockIsLockedAndNoMore) {
  for (const int displacement : {-8, 0, 8, 56, 64}) {
    machine_.cpu.r[3] = 33;
    machine_.cpu.pc = kStart;
    Run({MemoryOp(Op::kLdqL, 1, 8, 10), MemoryOp(Op::kStqC, 3, displacement, 10)});
    const bool inside = displacement >= 0 && displacement < 64;
    EXPECT_EQ(machine_.cpu.r[3], inside ? 1u : 0u) << displacement;
    EXPECT_FALSE(machine_.cpu.lock_flag) << "cleared in either case";
  }
}

TEST_F(LockTest, TheAddressIsPhysical) {
  machine_.MapData(0x4000'0000, TestMachine::kData, kAllRead | kAllWrite);
  machine_.cpu.r[11] = 0x4000'0000;
  Run({MemoryOp(Op::kLdqL, 1, 0, 10), MemoryOp(Op::kStqC, 3, 0, 11)});
  EXPECT_EQ(machine_.cpu.r[3], 1u);
}

TEST_F(LockTest, FromAndToR31) {
  Run({MemoryOp(Op::kLdqL, 31, 0, 10), MemoryOp(Op::kStqC, 31, 0, 10)});
  EXPECT_EQ(Data(0), 0u);
  EXPECT_EQ(machine_.cpu.r[31], 0u);
}

TEST_F(LockTest, PalcodeLocksPhysically) {
  machine_.Program({HwLoad(HwLoadType::kPhysicalLock, 1, 0, 11),
                    HwStore(HwStoreType::kPhysicalConditional, 3, 8, 11), Move(3, 4),
                    HwStore(HwStoreType::kPhysicalConditional, 3, 8, 11),
                    HwStore(HwStoreType::kPhysical, 31, -8, 31)});
  machine_.cpu.r[11] = TestMachine::kData;
  machine_.cpu.pc = TestMachine::kCode | 1;
  machine_.RunToPal();
  EXPECT_EQ(machine_.cpu.r[4], 1u);
  EXPECT_EQ(machine_.cpu.r[3], 0u);
  EXPECT_EQ(Data(8), 33u);
}

class AccessTest : public LockTest {};

TEST_F(AccessTest, PrefetchesReadNothing) {
  machine_.on_io = [](alpha::Cpu&, const FakeIo::Access&) {
    ADD_FAILURE() << "a prefetch reached the bus";
    return alpha::IoResult{};
  };
  machine_.cpu.r[11] = TestMachine::kKseg + TestMachine::kIo;
  Run({MemoryOp(Op::kLdq, 31, 0, 11), MemoryOp(Op::kLdl, 31, 1, 11), MemoryOp(Op::kLdt, 31, 2, 11),
       MemoryOp(Op::kLds, 31, 3, 11), MemoryOp(Op::kLdbu, 31, 3, 11),
       MemoryOp(Op::kLdwu, 31, 3, 11), MemoryOp(Op::kLdf, 31, 3, 11),
       MemoryOp(Op::kLdg, 31, 3, 11)});
  EXPECT_EQ(machine_.cpu.instructions, 8u + 1);
  EXPECT_TRUE(machine_.AtEntry(static_cast<alpha::PalEntry>(0x3000 + 0x3f * 64)));
}

TEST_F(AccessTest, UnopTouchesNothing) {
  machine_.cpu.r[11] = 0x4000'0000;  // unmapped
  Run({MemoryOp(Op::kLdqU, 31, 0, 11)});
  EXPECT_EQ(machine_.cpu.instructions, 1u + 1);
}

TEST_F(AccessTest, UnalignedQuadwordsAreCutDown) {
  Run({MemoryOp(Op::kStqU, 3, 15, 10), MemoryOp(Op::kLdqU, 1, 7, 10)});
  EXPECT_EQ(Data(8), 33u);
  EXPECT_EQ(machine_.cpu.r[1], 0x8000'0001'8000'0002u);
}

TEST_F(AccessTest, LoadsExtend) {
  Run({MemoryOp(Op::kLdl, 1, 0, 10), MemoryOp(Op::kLdwu, 2, 2, 10), MemoryOp(Op::kLdbu, 4, 3, 10),
       MemoryOp(Op::kLdah, 5, -1, 10), MemoryOp(Op::kLda, 6, -1, 10)});
  EXPECT_EQ(machine_.cpu.r[1], 0xffff'ffff'8000'0002u);
  EXPECT_EQ(machine_.cpu.r[2], 0x8000u);
  EXPECT_EQ(machine_.cpu.r[4], 0x80u);
  EXPECT_EQ(machine_.cpu.r[5], machine_.cpu.r[10] - 65536);
  EXPECT_EQ(machine_.cpu.r[6], machine_.cpu.r[10] - 1);
}

TEST_F(AccessTest, TheLastBytesOfMemory) {
  machine_.cpu.r[10] = TestMachine::kKseg + TestMachine::kMemorySize - 8;
  Run({MemoryOp(Op::kStq, 3, 0, 10), MemoryOp(Op::kLdbu, 1, 0, 10), MemoryOp(Op::kLdq, 2, 8, 10)});
  EXPECT_EQ(machine_.cpu.r[1], 33u);
  ASSERT_FALSE(machine_.io.accesses.empty());
  EXPECT_EQ(machine_.io.accesses.front().pa, TestMachine::kMemorySize);
}

TEST_F(AccessTest, StoresMarkPagesDirtyAgainAfterACheckpoint) {
  const std::vector<uint32_t> words = {MemoryOp(Op::kLdq, 1, 0, 10), MemoryOp(Op::kStq, 3, 0, 10)};
  Run(words);
  EXPECT_TRUE(machine_.memory.IsDirty(TestMachine::kData));
  machine_.memory.ClearDirty();
  machine_.cpu.pc = kStart;
  machine_.RunToPal();
  EXPECT_TRUE(machine_.memory.IsDirty(TestMachine::kData));
}

// PALmode names the shadow registers only when I_CTL enables them.
TEST_F(AccessTest, ShadowRegisters) {
  machine_.Program({OperateLiteral(Op::kBis, 31, 5, 4), OperateLiteral(Op::kBis, 31, 6, 23),
                    Mtpr(1, alpha::Ipr::kICtl), Move(4, 8), OperateLiteral(Op::kBis, 31, 7, 4),
                    HwStore(HwStoreType::kPhysical, 31, -8, 31)});
  machine_.cpu.i_ctl |= alpha::i_ctl::kShadowEnable;
  machine_.cpu.r[1] = machine_.cpu.i_ctl & ~alpha::i_ctl::kShadowEnable;
  machine_.cpu.r[4] = 99;
  machine_.cpu.pc = TestMachine::kCode | 1;
  machine_.RunToPal();
  EXPECT_EQ(machine_.cpu.r[8], 99u) << "the instruction after the write sees it";
  EXPECT_EQ(machine_.cpu.r[4], 7u);
  EXPECT_EQ(machine_.cpu.r[23], 0u);
  EXPECT_EQ(machine_.cpu.r[alpha::Cpu::IntegerPlace(4, true)], 5u);
  EXPECT_EQ(machine_.cpu.r[alpha::Cpu::IntegerPlace(23, true)], 6u);
}

TEST_F(AccessTest, AJumpThroughItsOwnLinkRegister) {
  machine_.cpu.r[26] = kStart + 8;
  Run({JumpOp(Op::kJsr, 26, 26), SetR1(1)});
  EXPECT_EQ(machine_.cpu.r[1], 0u);
  EXPECT_EQ(machine_.cpu.r[26], kStart + 4);
}

}  // namespace
}  // namespace isochron::ref
