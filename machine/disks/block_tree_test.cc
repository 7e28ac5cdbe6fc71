#include "machine/disks/block_tree.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

using BlockBytes = std::array<uint8_t, BlockTree::kBlockSize>;

// A block that is told by one number; 0 gives zeros.
BlockBytes BlockOf(uint64_t number) {
  BlockBytes bytes{};
  for (size_t i = 0; i < 3; ++i) std::memcpy(bytes.data() + 1000 * i, &number, sizeof number);
  return bytes;
}

uint64_t NumberOf(const uint8_t* bytes) {
  uint64_t number = 0;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

// What a tree should hold: the numbers of its blocks.
using Model = std::map<uint64_t, uint64_t>;

Model ModelOf(const BlockTree& tree) {
  Model model;
  tree.Visit([&](const BlockTree::Run& run) {
    if (run.bytes != nullptr) {
      EXPECT_EQ(run.count, 1u);
      model[run.first] = NumberOf(run.bytes);
    }
    for (uint64_t i = 0; run.bytes == nullptr && i < run.count; ++i) model[run.first + i] = 0;
  });
  return model;
}

// The tree that says the same, built from the front.
BlockTree TreeOf(const Model& model, uint64_t capacity) {
  BlockTree tree(capacity);
  for (const auto& [block, number] : model) tree.Write(block, BlockOf(number));
  return tree;
}

void ExpectIs(const BlockTree& tree, const Model& model) {
  EXPECT_EQ(ModelOf(tree), model);
  EXPECT_EQ(tree.blocks(), model.size());
  EXPECT_EQ(tree.nonzero_blocks(),
            static_cast<uint64_t>(
                std::ranges::count_if(model, [](const auto& entry) { return entry.second != 0; })));
}

struct RandomTree {
  RandomTree(uint64_t capacity, uint32_t seed) : tree(capacity), random(seed) {}

  uint64_t Below(uint64_t end) {
    return std::uniform_int_distribution<uint64_t>(0, end - 1)(random);
  }
  void Step() {
    const uint64_t first = Below(tree.capacity());
    if (Below(4) == 0) {
      const uint64_t count = 1 + Below(std::min<uint64_t>(tree.capacity() - first, 5000));
      tree.Zero(first, count);
      for (uint64_t i = 0; i < count; ++i) model[first + i] = 0;
    } else {
      const uint64_t number = Below(5) == 0 ? 0 : 1 + Below(1000);
      tree.Write(first, BlockOf(number));
      model[first] = number;
    }
  }

  BlockTree tree;
  Model model;
  std::mt19937 random;
};

TEST(BlockTree, IsEmptyAtFirst) {
  const BlockTree tree(1000);
  EXPECT_EQ(tree.capacity(), 1000u);
  EXPECT_EQ(tree.blocks(), 0u);
  EXPECT_EQ(tree.Find(0), nullptr);
  EXPECT_EQ(tree.digest(), Digest());
  EXPECT_EQ(tree.bytes(), 0u);
  ExpectIs(tree, {});
}

TEST(BlockTree, HoldsWhatAMapHolds) {
  for (const uint64_t capacity : {1, 63, 64, 65, 5000, 300'000}) {
    RandomTree rig(capacity, 7);
    std::vector<std::pair<BlockTree, Model>> copies;
    for (int step = 0; step < 60; ++step) {
      rig.Step();
      if (step % 9 == 0) copies.emplace_back(rig.tree, rig.model);
    }
    ExpectIs(rig.tree, rig.model);
    for (const auto& [block, number] : rig.model) {
      ASSERT_NE(rig.tree.Find(block), nullptr);
      ASSERT_EQ(NumberOf(rig.tree.Find(block)), number);
    }
    for (const auto& [tree, model] : copies) ExpectIs(tree, model);
  }
}

TEST(BlockTree, ADigestIsOfTheContentsAlone) {
  for (const uint64_t capacity : {64, 5000}) {
    for (uint32_t seed = 0; seed < 4; ++seed) {
      RandomTree rig(capacity, seed);
      for (int step = 0; step < 40; ++step) {
        rig.Step();
        // As it grows, with what was known before; and anew.
        ASSERT_EQ(rig.tree.digest(), TreeOf(rig.model, capacity).digest());
      }
      BlockTree backwards(capacity);
      for (auto entry = rig.model.rbegin(); entry != rig.model.rend(); ++entry) {
        backwards.Write(entry->first, BlockOf(entry->second + 1));
        backwards.Write(entry->first, BlockOf(entry->second));
      }
      EXPECT_EQ(backwards.digest(), rig.tree.digest());
    }
  }
}

TEST(BlockTree, ADigestTellsOfEachByteAndEachPlace) {
  std::vector<Digest> digests;
  for (const uint64_t block : {0, 1, 63, 64, 4999}) {
    for (const size_t byte : {0, 17, 4095}) {
      BlockTree tree(5000);
      BlockBytes bytes{};
      bytes[byte] = 1;
      tree.Write(block, bytes);
      digests.push_back(tree.digest());
    }
    BlockTree zeros(5000);
    zeros.Zero(block, 1);
    digests.push_back(zeros.digest());
  }
  digests.push_back(BlockTree(5000).digest());
  for (size_t i = 0; i < digests.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(digests[i], digests[j]) << i << " " << j;
  }
}

// The definition in the header, by hand.
TEST(BlockTree, ADigestIsThatOfAMerkleTree) {
  BlockTree tree(65);  // two levels
  tree.Write(64, BlockOf(5));
  const auto text = [](const auto& array) {
    return std::string_view(reinterpret_cast<const char*>(array.data()), sizeof array);
  };
  const BlockBytes bytes = BlockOf(5);
  std::array<Digest, 64> children{};
  children[0] = DigestOf(text(bytes));
  std::array<Digest, 64> root{};
  root[1] = DigestOf(text(children));
  EXPECT_EQ(tree.digest(), DigestOf(text(root)));
}

TEST(BlockTree, ZerosTakeNoRoom) {
  BlockTree tree(BlockTree::kMaxCapacity);
  tree.Zero(1, BlockTree::kMaxCapacity - 2);
  EXPECT_EQ(tree.blocks(), BlockTree::kMaxCapacity - 2);
  EXPECT_EQ(tree.nonzero_blocks(), 0u);
  EXPECT_LT(tree.bytes(), 100'000u);
  int runs = 0;
  tree.Visit([&](const BlockTree::Run& run) {
    ++runs;
    EXPECT_EQ(run.first, 1u);
    EXPECT_EQ(run.count, BlockTree::kMaxCapacity - 2);
    EXPECT_EQ(run.bytes, nullptr);
  });
  EXPECT_EQ(runs, 1);
  tree.Zero(0, 1);
  tree.Zero(BlockTree::kMaxCapacity - 1, 1);
  EXPECT_EQ(tree.bytes(), 0u) << "the nodes that stand for zeros everywhere";

  BlockTree written(4096);
  for (uint64_t block = 0; block < 4096; ++block) written.Write(block, BlockOf(0));
  BlockTree zeroed(4096);
  zeroed.Zero(0, 4096);
  EXPECT_EQ(written.digest(), zeroed.digest());
  EXPECT_EQ(written.bytes(), 0u);
}

TEST(BlockTree, ChangesMakeTheOneOutOfTheOther) {
  for (uint32_t seed = 0; seed < 6; ++seed) {
    RandomTree rig(20'000, seed);
    for (int step = 0; step < 30; ++step) rig.Step();
    const BlockTree before = rig.tree;
    for (int step = 0; step < 10; ++step) rig.Step();
    BlockTree made = before;
    uint64_t visited = 0;
    EXPECT_TRUE(rig.tree.VisitChanges(before, [&](const BlockTree::Run& run) {
      ++visited;
      if (run.bytes != nullptr) {
        EXPECT_NE(NumberOf(run.bytes),
                  made.Find(run.first) != nullptr ? NumberOf(made.Find(run.first)) : ~uint64_t{0});
        made.Write(run.first, BlockTree::Bytes(run.bytes, BlockTree::kBlockSize));
      } else {
        made.Zero(run.first, run.count);
      }
    }));
    ExpectIs(made, rig.model);
    EXPECT_EQ(made.digest(), rig.tree.digest());
    EXPECT_LT(visited, 200u);
    EXPECT_TRUE(rig.tree.VisitChanges(rig.tree, [](const BlockTree::Run&) { FAIL(); }));
  }
}

TEST(BlockTree, ChangesTellWhenABlockIsMissing) {
  BlockTree before(5000);
  before.Write(70, BlockOf(1));
  BlockTree after(5000);
  after.Write(71, BlockOf(2));
  EXPECT_FALSE(after.VisitChanges(before, [](const BlockTree::Run&) {}));
  after.Zero(70, 1);
  EXPECT_TRUE(after.VisitChanges(before, [](const BlockTree::Run&) {}));
  EXPECT_FALSE(BlockTree(5000).VisitChanges(before, [](const BlockTree::Run&) {}));
}

TEST(BlockTree, PutsOlderBlocksUnder) {
  for (uint32_t seed = 0; seed < 6; ++seed) {
    RandomTree older(20'000, seed);
    RandomTree newer(20'000, seed + 100);
    for (int step = 0; step < 30; ++step) older.Step();
    for (int step = 0; step < 20; ++step) newer.Step();
    const Model before = older.model;
    newer.tree.PutUnder(older.tree);
    newer.model.insert(before.begin(), before.end());
    ExpectIs(newer.tree, newer.model);
    ExpectIs(older.tree, before);
    EXPECT_EQ(newer.tree.digest(), TreeOf(newer.model, 20'000).digest());
  }
}

TEST(BlockTree, CountsMemoryOfAFamilyOnce) {
  BlockTree tree(100'000);
  for (uint64_t block = 0; block < 200; ++block) tree.Write(block * 7, BlockOf(block + 1));
  const uint64_t alone = tree.bytes();
  EXPECT_GE(alone, 200 * BlockTree::kBlockSize);
  EXPECT_EQ(tree.family_bytes(), alone);
  std::optional<BlockTree> copy = tree;
  EXPECT_EQ(tree.family_bytes(), alone) << "a copy takes nothing";
  tree.Write(7, BlockOf(1000));
  EXPECT_EQ(tree.bytes(), alone);
  const uint64_t one_write = tree.family_bytes() - alone;
  EXPECT_GT(one_write, BlockTree::kBlockSize);
  EXPECT_LT(one_write, 3 * BlockTree::kBlockSize) << "the way to the block, not the tree";
  copy.reset();
  EXPECT_EQ(tree.family_bytes(), alone);
  BlockTree other = tree.Empty();
  EXPECT_EQ(other.blocks(), 0u);
  other.Write(3, BlockOf(3));
  EXPECT_EQ(tree.family_bytes(), alone + other.bytes());
}

// Dropped elsewhere, a copy is no longer shared, and what is written goes where it was.
TEST(BlockTree, MayBeDestroyedOnAnotherThread) {
  BlockTree tree(5000);
  for (int round = 0; round < 200; ++round) {
    tree.Write(1, BlockOf(1));
    std::thread other([copy = std::make_unique<BlockTree>(tree)]() mutable { copy.reset(); });
    for (uint64_t block = 0; block < 40; ++block) tree.Write(block, BlockOf(round + 2));
    other.join();
  }
  EXPECT_EQ(tree.blocks(), 40u);
  EXPECT_EQ(tree.family_bytes(), tree.bytes());
}

}  // namespace
}  // namespace isochron::machine
