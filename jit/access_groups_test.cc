#include "jit/access_groups.h"

#include <utility>
#include <vector>

#include "alpha/encode.h"
#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::jit {
namespace {

using namespace ref::testing;  // NOLINT: the assembler
using alpha::Op;

GuestBlock Block(const std::vector<uint32_t>& words) {
  GuestBlock block;
  for (const uint32_t word : words) {
    GuestInstruction guest;
    guest.word = alpha::Decode(word);
    guest.ra = guest.word.ra;
    guest.rb = guest.word.rb;
    const bool load = guest.word.op == Op::kLdq || guest.word.op == Op::kLdqU ||
                      guest.word.op == Op::kLdl || guest.word.op == Op::kLda;
    if (load && guest.ra != 31) guest.writes = uint64_t{1} << guest.ra;
    block.code.push_back(guest);
  }
  return block;
}

Region Of(std::vector<GuestBlock> blocks) {
  Region region;
  region.blocks = std::move(blocks);
  return region;
}

TEST(AccessGroups, WhatHasTheSameBaseSharesALookup) {
  const Region region = Of({Block(
      {MemoryOp(Op::kLdq, 1, 16, 5), MemoryOp(Op::kStl, 2, -4, 5), MemoryOp(Op::kLdq, 3, 8, 6)})});
  const AccessGroups groups(region, false);
  const AccessGroup* group = groups.Find(0, 0).group;
  ASSERT_NE(group, nullptr);
  EXPECT_TRUE(groups.Find(0, 0).first);
  EXPECT_EQ(groups.Find(0, 1).group, group);
  EXPECT_FALSE(groups.Find(0, 1).first);
  EXPECT_EQ(groups.Find(0, 2).group, nullptr) << "it is alone";
  EXPECT_EQ(group->low, -4);
  EXPECT_EQ(group->high, 23);
  EXPECT_EQ(group->align, 8);
  EXPECT_EQ(group->last(), 16);
  EXPECT_TRUE(group->reads);
  EXPECT_TRUE(group->writes);
}

TEST(AccessGroups, EndWhereTheBaseIsWritten) {
  const Region region = Of({Block({MemoryOp(Op::kLdq, 5, 0, 5), MemoryOp(Op::kLdq, 1, 8, 5),
                                   MemoryOp(Op::kLda, 5, 8, 5), MemoryOp(Op::kLdq, 2, 0, 5)})});
  const AccessGroups groups(region, false);
  for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(groups.Find(0, i).group, nullptr) << i;
}

TEST(AccessGroups, LeaveOutWhatCannotBeAlignedWithTheOthersOrIsFarAway) {
  const Region region = Of(
      {Block({MemoryOp(Op::kLdq, 1, 0, 5), MemoryOp(Op::kLdq, 2, 4, 5), MemoryOp(Op::kLdl, 3, 4, 5),
              MemoryOp(Op::kLdq, 4, 1024, 5), MemoryOp(Op::kLdq, 31, 8, 5)})});
  const AccessGroups groups(region, false);
  EXPECT_NE(groups.Find(0, 0).group, nullptr);
  EXPECT_EQ(groups.Find(0, 1).group, nullptr) << "misaligned when the others are not";
  EXPECT_EQ(groups.Find(0, 2).group, groups.Find(0, 0).group);
  EXPECT_EQ(groups.Find(0, 3).group, nullptr) << "a page may well end before it";
  EXPECT_EQ(groups.Find(0, 4).group, nullptr) << "a prefetch";
}

TEST(AccessGroups, TakeInAllThatAnUnalignedAddressMayReferTo) {
  const Region region = Of({Block({MemoryOp(Op::kLdqU, 1, 0, 5), MemoryOp(Op::kLdqU, 2, 7, 5)})});
  const AccessGroups groups(region, false);
  const AccessGroup* group = groups.Find(0, 0).group;
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->low, -7);
  EXPECT_EQ(group->high, 14);
  EXPECT_EQ(group->align, 1);
}

// The first block leads to the two others; another leads to the last one, too.
TEST(AccessGroups, ReachIntoBlocksThatOnlyTheirsLeadsTo) {
  std::vector<GuestBlock> blocks(3, Block({MemoryOp(Op::kLdq, 1, 0, 5)}));
  blocks[0].next = 1;
  blocks[0].taken = 2;
  {
    const Region region = Of(blocks);
    const AccessGroups groups(region, false);
    const AccessGroup* group = groups.Find(0, 0).group;
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(groups.Find(1, 0).group, group);
    EXPECT_EQ(groups.Find(2, 0).group, group);
    EXPECT_EQ(groups.OpenAtStart(0), 0u);
    EXPECT_EQ(groups.OpenAtStart(2), 1u << group->slot) << "who enters there has no base";
  }
  blocks[1].next = 2;
  const Region region = Of(blocks);
  const AccessGroups groups(region, false);
  EXPECT_EQ(groups.Find(1, 0).group, groups.Find(0, 0).group);
  EXPECT_EQ(groups.Find(2, 0).group, nullptr);
  EXPECT_EQ(groups.OpenAtStart(2), 0u);
}

TEST(AccessGroups, AreNotThereWhereTheEntryIs) {
  std::vector<GuestBlock> blocks(2, Block({MemoryOp(Op::kLdq, 1, 0, 5)}));
  blocks[0].next = 1;
  Region region = Of(blocks);
  region.entry = 1;
  EXPECT_EQ(AccessGroups(region, false).Find(1, 0).group, nullptr);
}

TEST(AccessGroups, HaveSlotsOfTheirOwnWhileTheyAreOpen) {
  std::vector<uint32_t> words;
  for (int turn = 0; turn < 2; ++turn) {
    for (uint32_t base = 2; base < 22; ++base) words.push_back(MemoryOp(Op::kLdq, 1, 0, base));
  }
  const Region region = Of({Block(words)});
  const AccessGroups groups(region, false);
  uint32_t slots = 0;
  for (uint32_t i = 0; i < 20; ++i) {
    const AccessGroup* group = groups.Find(0, i).group;
    EXPECT_EQ(groups.Find(0, i + 20).group, group) << i;
    if (group == nullptr) continue;
    EXPECT_EQ(slots >> group->slot & 1, 0u) << i;
    slots |= uint32_t{1} << group->slot;
  }
  EXPECT_EQ(slots, (uint32_t{1} << AccessGroups::kSlots) - 1);
}

TEST(AccessGroups, AreNotThereWhereNoneAreWanted) {
  const Region region = Of({Block({MemoryOp(Op::kLdq, 1, 0, 5), MemoryOp(Op::kLdq, 2, 8, 5)})});
  EXPECT_EQ(AccessGroups(region, true).Find(0, 0).group, nullptr);
}

}  // namespace
}  // namespace isochron::jit
