#include "ref/operation.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "alpha/memory.h"
#include "gtest/gtest.h"
#include "ref/decode_block.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using alpha::Cpu;

BlockPtr DecodeWords(std::vector<uint32_t> words, DecodeMode mode = DecodeMode::kNative,
                     uint64_t pa = 0, int limit = kMaxBlockLength) {
  words.resize(words.size() + kMaxBlockLength, Nop());
  return DecodeBlock(reinterpret_cast<const uint8_t*>(words.data()), pa, mode, limit);
}

TEST(OperationTest, RegistersAndSinks) {
  const BlockPtr b = DecodeWords({Operate(Op::kAddq, 1, 2, 3), Operate(Op::kAddq, 31, 31, 31),
                                  MemoryOp(Op::kLdl, 31, 0, 31), MemoryOp(Op::kStl, 31, 0, 31),
                                  Operate(Op::kAddt, 31, 31, 31), MemoryOp(Op::kStt, 31, 0, 31)});
  const Operation* o = b->operations();
  EXPECT_EQ(o[0].ra, 1);
  EXPECT_EQ(o[0].rb, 2);
  EXPECT_EQ(o[0].rc, 3);
  EXPECT_EQ(o[1].ra, 31);
  EXPECT_EQ(o[1].rb, 31);
  EXPECT_EQ(o[1].rc, Cpu::kIntegerSink);
  EXPECT_EQ(o[2].ra, Cpu::kIntegerSink);
  EXPECT_EQ(o[2].rb, 31);
  EXPECT_EQ(o[3].ra, 31);
  EXPECT_EQ(o[4].ra, 31);
  EXPECT_EQ(o[4].rc, Cpu::kFloatSink);
  EXPECT_EQ(o[5].ra, 31);
}

TEST(OperationTest, ConditionalStoresHaveTheirDestinationApart) {
  const BlockPtr b = DecodeWords({MemoryOp(Op::kStqC, 5, 0, 1), MemoryOp(Op::kStqC, 31, 0, 1)});
  EXPECT_EQ(b->operations()[0].ra, 5);
  EXPECT_EQ(b->operations()[0].rc, 5);
  EXPECT_EQ(b->operations()[1].ra, 31);
  EXPECT_EQ(b->operations()[1].rc, Cpu::kIntegerSink);
}

// No instruction of the table writes the place of R31 or F31, whatever the mode.
TEST(OperationTest, NothingIsWrittenToTheZeroRegisters) {
  for (size_t i = 0; i < alpha::kOpCount - 1; ++i) {
    const auto op = static_cast<Op>(i);
    const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(op).shape);
    const uint32_t word = alpha::Skeleton(op) | 31u << 21 | 31u << 16 |
                          (roles.rc == alpha::RegisterRole::kNone ? 0 : 31u);
    if (alpha::Decode(word).op != op) continue;
    for (const DecodeMode mode : {DecodeMode::kNative, DecodeMode::kPalShadow}) {
      const Operation o = DecodeWords({word}, mode)->operations()[0];
      const auto expect = [&](alpha::RegisterRole role, uint8_t place) {
        using enum alpha::RegisterRole;
        if (role == kIntegerWrite) {
          EXPECT_EQ(place, Cpu::kIntegerSink) << alpha::ToString(op);
        }
        if (role == kFloatWrite || role == kFloatReadWrite) {
          EXPECT_EQ(place, Cpu::kFloatSink) << alpha::ToString(op);
        }
      };
      expect(roles.ra, o.ra);
      expect(roles.rc, o.rc);
      if (roles.ra == alpha::RegisterRole::kIntegerReadWrite ||
          roles.rc == alpha::RegisterRole::kIntegerReadWrite) {
        EXPECT_EQ(o.rc, Cpu::kIntegerSink) << alpha::ToString(op);
      }
    }
  }
}

TEST(OperationTest, ShadowsReplaceIntegerRegistersOnly) {
  for (uint32_t reg = 0; reg < 31; ++reg) {
    const BlockPtr b =
        DecodeWords({Operate(Op::kAddq, reg, reg, reg), Operate(Op::kAddt, reg, reg, reg),
                     MemoryOp(Op::kLdt, reg, 0, reg)},
                    DecodeMode::kPalShadow);
    const int place = Cpu::IntegerPlace(static_cast<int>(reg), true);
    EXPECT_EQ(b->operations()[0].ra, place);
    EXPECT_EQ(b->operations()[0].rb, place);
    EXPECT_EQ(b->operations()[0].rc, place);
    EXPECT_EQ(b->operations()[1].rb, reg);
    EXPECT_EQ(b->operations()[1].rc, reg);
    EXPECT_EQ(b->operations()[2].ra, reg);
    EXPECT_EQ(b->operations()[2].rb, place);
    EXPECT_EQ(
        DecodeWords({Operate(Op::kAddq, reg, reg, reg)}, DecodeMode::kPal)->operations()[0].rc,
        reg);
  }
}

TEST(OperationTest, LiteralsAndDisplacements) {
  const BlockPtr b =
      DecodeWords({OperateLiteral(Op::kAddq, 1, 255, 2), MemoryOp(Op::kLda, 1, -32768, 2),
                   MemoryOp(Op::kLdah, 1, -32768, 2), HwMemory(Op::kHwLd, 1, 4, -2048, 5),
                   BranchOp(Op::kBne, 1, -3)});
  EXPECT_EQ(b->operations()[0].immediate, 255);
  EXPECT_EQ(b->operations()[1].immediate, -32768);
  EXPECT_EQ(b->operations()[2].immediate, INT32_MIN);
  EXPECT_EQ(b->operations()[3].immediate, -2048);
  EXPECT_EQ(b->operations()[3].detail, 1 << 1 | alpha::kHwQuadword);
  EXPECT_EQ(b->operations()[4].immediate, -12);
}

TEST(OperationTest, CostsAddUp) {
  const std::vector<uint32_t> words = {Operate(Op::kMulq, 1, 1, 1), Operate(Op::kSqrtt, 31, 1, 1),
                                       Nop(), BranchOp(Op::kBr, 31, 5)};
  const BlockPtr b = DecodeWords(words);
  ASSERT_EQ(b->count, 4u);
  ASSERT_EQ(b->cost_before().size(), 5u);
  uint64_t cost = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(b->cost_before()[i], cost);
    cost += CostOf(words[i]);
  }
  EXPECT_EQ(b->cost, cost);
  EXPECT_EQ(b->last_boundary, cost - CostOf(words.back()));
  EXPECT_FALSE(b->CrossesBoundaryAt(1000 + b->last_boundary + 1, 1000));
  EXPECT_TRUE(b->CrossesBoundaryAt(1000 + b->last_boundary, 1000));
}

TEST(OperationTest, TheDearestBlockFitsItsCosts) {
  const uint32_t dearest = Operate(Op::kSqrtt, 31, 1, 1);
  const BlockPtr b = DecodeWords(std::vector<uint32_t>(kMaxBlockLength, dearest));
  EXPECT_EQ(b->cost, kMaxBlockLength * CostOf(dearest));
}

TEST(OperationTest, BlocksEndWhereControlMayLeave) {
  for (const uint32_t word :
       {BranchOp(Op::kBr, 31, 0), BranchOp(Op::kBeq, 1, 0), BranchOp(Op::kFbeq, 1, 0),
        JumpOp(Op::kJmp, 31, 1), JumpOp(Op::kRet, 31, 1), CallPal(0x83), HwRet(1), 0x0400'0000u}) {
    const BlockPtr b = DecodeWords({Nop(), word, Nop()});
    EXPECT_EQ(b->count, 2u) << std::hex << word;
    EXPECT_EQ(b->operations()[2].handler, EndOfBlockHandler());
  }
}

TEST(OperationTest, BlocksEndAtTheirLimits) {
  EXPECT_EQ(DecodeWords({})->count, static_cast<uint32_t>(kMaxBlockLength));
  EXPECT_EQ(DecodeWords({}, DecodeMode::kNative, 0, 1)->count, 1u);
  EXPECT_EQ(DecodeWords({}, DecodeMode::kNative, 3 * alpha::kPageSize - 12)->count, 3u);
  EXPECT_EQ(DecodeWords({}, DecodeMode::kNative, alpha::kPageSize - 4)->count, 1u);
}

TEST(OperationTest, PurityIsOfTheWholeBlock) {
  const uint32_t end = BranchOp(Op::kBr, 31, -2);
  const auto pure = [&](uint32_t word) { return DecodeWords({Nop(), word, end})->pure; };
  for (const uint32_t word :
       {MemoryOp(Op::kLdq, 1, 0, 2), MemoryOp(Op::kLdbu, 1, 0, 2), MemoryOp(Op::kLda, 1, 0, 2),
        Operate(Op::kAddq, 1, 2, 3), Misc(Op::kMb), Misc(Op::kTrapb)}) {
    EXPECT_TRUE(pure(word)) << std::hex << word;
  }
  for (const uint32_t word :
       {MemoryOp(Op::kStq, 1, 0, 2), MemoryOp(Op::kLdqL, 1, 0, 2), MemoryOp(Op::kStqC, 1, 0, 2),
        MemoryOp(Op::kLdt, 1, 0, 2), Misc(Op::kRpcc, 1), Misc(Op::kRc, 1), Misc(Op::kRs, 1),
        Operate(Op::kAddt, 1, 2, 3), Operate(Op::kItoft, 1, 31, 2), CallPal(0x83), HwRet(1),
        Mfpr(1, alpha::Ipr::kCc), Mtpr(1, alpha::Ipr::kIer), uint32_t{0x0400'0000},
        HwMemory(Op::kHwLd, 0, 1, 0, 2), HwMemory(Op::kHwSt, 0, 1, 0, 2)}) {
    EXPECT_FALSE(pure(word)) << std::hex << word;
  }
}

}  // namespace
}  // namespace isochron::ref
