#include "jit/region.h"

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "alpha/memory.h"
#include "gtest/gtest.h"
#include "ref/block_cache.h"
#include "ref/testing.h"

namespace isochron::jit {
namespace {

using namespace ref::testing;  // NOLINT: the assembler
using alpha::Op;

// Forms regions of the first page of a small memory.
class RegionTest : public testing::Test {
 protected:
  void Store(std::initializer_list<uint32_t> words) {
    uint32_t offset = 0;
    for (const uint32_t word : words) {
      std::memcpy(storage_.data() + offset, &word, sizeof word);
      offset += 4;
    }
  }

  // What an interpreter has that came by at these offsets.
  Region Form(std::initializer_list<uint32_t> executed, uint32_t entry) {
    ref::CodePage* page = cache_.Page(0, ref::DecodeMode::kNative);
    bool newly_code = false;
    for (const uint32_t offset : executed) cache_.Get(page, offset, newly_code);
    return FormRegion(*page, storage_.data(), entry);
  }

  static std::vector<uint32_t> StartsOf(const Region& region) {
    std::vector<uint32_t> starts;
    for (const GuestBlock& block : region.blocks) starts.push_back(block.start);
    return starts;
  }

  alignas(8) std::vector<uint8_t> storage_ = std::vector<uint8_t>(2 * alpha::kPageSize);
  alpha::Memory memory_{storage_.data(), storage_.size()};
  ref::BlockCache cache_{memory_};
};

// Loop of four instructions, and what follows.
TEST_F(RegionTest, ALoopIsWhole) {
  Store({Nop(), Nop(), Nop(), BranchOp(Op::kBne, 1, -4), Nop(), BranchOp(Op::kBr, 31, -6)});
  const Region region = Form({0, 16}, 0);
  EXPECT_EQ(StartsOf(region), (std::vector<uint32_t>{0, 16}));
  EXPECT_EQ(region.blocks[0].taken, 0);
  EXPECT_EQ(region.blocks[0].depth, 2u);
}

TEST_F(RegionTest, AnEntryInTheMiddleOfABlockLeavesTheLoopWhole) {
  Store({Nop(), Nop(), Nop(), BranchOp(Op::kBne, 1, -4)});
  const Region region = Form({0, 8, 16}, 8);
  EXPECT_EQ(StartsOf(region), (std::vector<uint32_t>{8}));
  EXPECT_EQ(region.blocks[0].code.size(), 2u);
  EXPECT_EQ(region.blocks[0].taken, GuestBlock::kNoBlock);
}

// What is before the head of a loop runs into it; the head is a target all the same.
TEST_F(RegionTest, ALoopThatIsRunIntoIsEnteredAtItsHead) {
  Store({Nop(), Nop(), BranchOp(Op::kBne, 1, -2), BranchOp(Op::kBr, 31, -4)});
  const Region region = Form({0, 4, 12}, 4);
  EXPECT_EQ(StartsOf(region), (std::vector<uint32_t>{0, 4, 12}));
  EXPECT_EQ(region.entry, 1);
  EXPECT_EQ(region.blocks[1].taken, 1);
}

}  // namespace
}  // namespace isochron::jit
