// The blocks of a disk that have been written.

#ifndef ISOCHRON_MACHINE_DISKS_BLOCK_TREE_H_
#define ISOCHRON_MACHINE_DISKS_BLOCK_TREE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "machine/events/digest.h"

namespace isochron::machine {

// Numbered blocks of 4 KiB, of which each has been written or not.
//
// A copy takes no time and shares all blocks with the original; what is then written to either is
// copied with the way to it, a few nodes. A range of any length becomes zeros in the room of a few
// nodes. The digest is that of a Merkle tree, computed when somebody asks for it, from what has
// changed since it was last known.
//
// The nodes are immutable as soon as two trees share them. Trees that are copies of each other
// belong to one thread at a time, but any of them may be destroyed on another.
class BlockTree {
 public:
  static constexpr uint64_t kBlockSize = 4096;
  // Blocks of a tree at most: disks of 1 EiB.
  static constexpr uint64_t kMaxCapacity = uint64_t{1} << 48;
  using Bytes = std::span<const uint8_t, kBlockSize>;

  // With no block written, of `capacity` that there are: up to kMaxCapacity.
  explicit BlockTree(uint64_t capacity);

  // The same with no block written. Its memory is counted with this one's: see family_bytes().
  BlockTree Empty() const;

  uint64_t capacity() const { return capacity_; }
  // How many have been written, and how many of those are not all zero.
  uint64_t blocks() const;
  uint64_t nonzero_blocks() const;

  // The bytes of a block, as long as the tree is not changed; nullptr if it has not been written.
  const uint8_t* Find(uint64_t block) const;
  // Writes a block below capacity(), or `count` blocks of zeros.
  void Write(uint64_t block, Bytes bytes);
  void Zero(uint64_t first, uint64_t count);
  // Takes from a tree of the same capacity the blocks that have not been written in this one.
  void PutUnder(const BlockTree& older);

  // Of the numbers and bytes of the blocks written and of nothing else: neither of the order of
  // writes, nor whether zeros came by Write() or by Zero(). Zero when none has been written. Each
  // node is the XXH3-128 of its 64 children's digests, from child 0 on and the low half first, with
  // a zero digest for a child without blocks; a block is that of its bytes. The nodes over blocks
  // are level 1; the root is of the least level, 1 or above, whose nodes hold capacity() blocks.
  Digest digest() const;

  // Blocks that lie behind each other: one with its bytes, or `count` of zeros with nullptr.
  struct Run {
    uint64_t first = 0;
    uint64_t count = 0;
    const uint8_t* bytes = nullptr;
  };
  using Visitor = std::function<void(const Run& run)>;
  // All blocks written, ascending, as few runs as may be.
  void Visit(const Visitor& visit) const;
  // Those that `before`, a tree of the same capacity, has not written, or with other bytes; more
  // runs of zeros may be among them. What is shared is passed over. False when `before` has a block
  // that this tree lacks: what is visited then makes no copy of this tree out of that one.
  bool VisitChanges(const BlockTree& before, const Visitor& visit) const;

  // Host memory that this tree takes, in bytes, shared or not; and that it takes with all trees
  // that have come from it by copying or Empty() or that it has come from, each node counted once.
  // The difference is what they take beside it.
  uint64_t bytes() const;
  uint64_t family_bytes() const { return family_->load(std::memory_order_relaxed); }

 private:
  struct Totals;
  struct Node;
  struct Block;
  struct Inner;
  struct Algorithms;
  using NodePtr = std::shared_ptr<Node>;
  using Family = std::shared_ptr<std::atomic<uint64_t>>;

  BlockTree(uint64_t capacity, Family family);

  uint64_t capacity_ = 0;
  int height_ = 1;  // level of the root
  Family family_;
  NodePtr root_;  // nullptr: no block has been written
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_DISKS_BLOCK_TREE_H_
