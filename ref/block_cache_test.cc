#include "ref/block_cache.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using alpha::kPageSize;
using testing::BranchOp;
using testing::Nop;
using testing::Op;

class BlockCacheTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kPages = 1100;

  BlockCacheTest()
      : storage_(kPages * kPageSize), memory_(storage_.data(), storage_.size()), cache_(memory_) {
    const uint32_t branch = BranchOp(Op::kBr, 31, 0);
    for (uint64_t pa = 0; pa < 2 * kPageSize; pa += 32) memory_.Write(pa, &branch, 4);
  }
  Block* Get(uint64_t pa, DecodeMode mode = DecodeMode::kNative) {
    return cache_.Get(cache_.Page(pa, mode), pa, newly_code_);
  }
  alpha::EngineStats Stats() const {
    alpha::EngineStats stats;
    cache_.AddTo(stats);
    return stats;
  }

  std::vector<uint8_t> storage_;
  alpha::Memory memory_;
  BlockCache cache_;
  bool newly_code_ = false;
};

TEST_F(BlockCacheTest, DecodesABlockOnce) {
  Block* block = Get(0x40);
  EXPECT_TRUE(newly_code_);
  EXPECT_TRUE(memory_.IsCode(0));
  EXPECT_EQ(Get(0x40), block);
  EXPECT_EQ(Get(0x41), block) << "low bits of the address take no part";
  EXPECT_EQ(cache_.Page(0x1ffc, DecodeMode::kNative)->Find(0x40), block);
  EXPECT_NE(Get(0x60), block);
  EXPECT_FALSE(newly_code_);
  EXPECT_EQ(Stats().blocks_decoded, 2u);
}

TEST_F(BlockCacheTest, ModesAreApart) {
  Block* native = Get(0x40, DecodeMode::kNative);
  Block* pal = Get(0x40, DecodeMode::kPal);
  EXPECT_NE(native, pal);
  EXPECT_NE(pal, Get(0x40, DecodeMode::kPalShadow));
  EXPECT_TRUE(cache_.OnCodeWritten(0x40, 1));
  EXPECT_EQ(cache_.Page(0x40, DecodeMode::kNative)->Find(0x40), nullptr);
  EXPECT_EQ(cache_.Page(0x40, DecodeMode::kPal)->Find(0x40), nullptr);
  EXPECT_EQ(Stats().blocks_invalidated, 3u);
}

TEST_F(BlockCacheTest, AWriteBesideTheDecodedLinesDropsNothing) {
  // One block in the third line of 128 bytes.
  Block* block = Get(0x100);
  EXPECT_FALSE(cache_.OnCodeWritten(0xff, 1));
  EXPECT_FALSE(cache_.OnCodeWritten(0x180, 8));
  EXPECT_TRUE(memory_.IsCode(0));
  EXPECT_EQ(Get(0x100), block);
  EXPECT_TRUE(cache_.OnCodeWritten(0x17f, 1));
  EXPECT_FALSE(memory_.IsCode(0)) << "stores are plain again";
  EXPECT_TRUE(cache_.has_dropped());
  cache_.Collect();
  EXPECT_FALSE(cache_.has_dropped());
}

TEST_F(BlockCacheTest, AWriteAcrossLinesIsSeenInBoth) {
  Get(0x100);
  EXPECT_TRUE(cache_.OnCodeWritten(0xf8, 16));
  Get(0x100);
  EXPECT_TRUE(cache_.OnCodeWritten(0, kPageSize));
}

TEST_F(BlockCacheTest, ABlockAcrossLinesCoversBoth) {
  std::vector<uint32_t> nops(kMaxBlockLength, Nop());
  memory_.Write(kPageSize + 0x70, nops.data(), 4 * nops.size());
  const Block* block = Get(kPageSize + 0x70);
  const uint64_t last = kPageSize + 0x70 + 4 * block->count - 1;
  EXPECT_GT(last & alpha::kPageMask, 0x100u);
  EXPECT_TRUE(cache_.OnCodeWritten(last, 1));
}

TEST_F(BlockCacheTest, TheLastInstructionOfAPage) {
  const Block* block = Get(kPageSize - 4);
  EXPECT_EQ(block->count, 1u);
  EXPECT_FALSE(cache_.OnCodeWritten(kPageSize, 4));
  EXPECT_TRUE(cache_.OnCodeWritten(kPageSize - 4, 4));
}

TEST_F(BlockCacheTest, PagesAreDroppedAlone) {
  Get(0x40);
  Block* other = Get(kPageSize + 0x40);
  EXPECT_TRUE(cache_.OnCodeWritten(0x40, 4));
  EXPECT_EQ(Get(kPageSize + 0x40), other);
}

TEST_F(BlockCacheTest, DroppedBlocksLiveUntilCollected) {
  Block* block = Get(0x40);
  cache_.OnCodeWritten(0x40, 4);
  EXPECT_EQ(block->count, 1u);  // AddressSanitizer objects if it is gone
  Get(0x40);
  EXPECT_TRUE(newly_code_);
  EXPECT_EQ(block->count, 1u);
}

TEST_F(BlockCacheTest, DropAllForgetsEverything) {
  Get(0x40);
  Get(kPageSize, DecodeMode::kPal);
  cache_.DropAll();
  EXPECT_FALSE(memory_.IsCode(0));
  EXPECT_FALSE(memory_.IsCode(kPageSize));
  EXPECT_EQ(cache_.Page(0x40, DecodeMode::kNative)->Find(0x40), nullptr);
  EXPECT_EQ(Stats().blocks_invalidated, 2u);
}

TEST_F(BlockCacheTest, IsFullBeforeItGrowsWithoutBound) {
  uint64_t pages = 0;
  while (!cache_.IsFull() && pages < kPages) Get(pages++ * kPageSize);
  EXPECT_TRUE(cache_.IsFull());
  cache_.DropAll();
  EXPECT_FALSE(cache_.IsFull());
}

// Code in more pages than the cache keeps runs on, and everything is dropped in between.
TEST(BlockCacheEngineTest, AProgramInMorePagesThanFit) {
  constexpr uint64_t kPages = 1200;
  std::vector<uint8_t> storage(kPages * kPageSize);
  alpha::Memory memory(storage.data(), storage.size());
  testing::FakeIo io;
  alpha::Cpu cpu(0, 4, 4);
  Interpreter engine(memory, io);
  const std::vector<uint32_t> words = {testing::OperateLiteral(Op::kAddq, 1, 1, 1),
                                       BranchOp(Op::kBr, 31, kPageSize / 4 - 2)};
  for (uint64_t page = 0; page < kPages - 1; ++page) {
    memory.Write(page * kPageSize, words.data(), 8);
  }
  const std::vector<uint32_t> back = {testing::OperateLiteral(Op::kAddq, 1, 1, 1),
                                      testing::JumpOp(Op::kJmp, 31, 31)};
  memory.Write((kPages - 1) * kPageSize, back.data(), 8);
  cpu.pc = 1;
  alpha::Deadline deadline{100'000};
  engine.Run(cpu, deadline);
  EXPECT_EQ(cpu.r[1], (cpu.instructions + 1) / 2);
  EXPECT_GT(engine.stats().blocks_invalidated, 1000u);
}

}  // namespace
}  // namespace isochron::ref
