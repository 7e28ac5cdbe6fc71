#include "machine/disks/block_tree.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace isochron::machine {
namespace {

constexpr int kLevelBits = 6;
constexpr uint64_t kChildren = uint64_t{1} << kLevelBits;
constexpr int kMaxHeight = 8;
static_assert(BlockTree::kMaxCapacity == uint64_t{1} << (kLevelBits * kMaxHeight));

// Blocks under a node of a level. Level 0 are blocks.
constexpr uint64_t SpanOf(int level) { return uint64_t{1} << (kLevelBits * level); }

size_t ChildOf(int level, uint64_t block) {
  return (block >> (kLevelBits * (level - 1))) % kChildren;
}

bool IsZeroBlock(const uint8_t* bytes) {
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, BlockTree::kBlockSize - 1) == 0;
}

std::string_view AsText(const void* bytes, size_t size) {
  return {static_cast<const char*>(bytes), size};
}

}  // namespace

// What is counted of all that is under a node, itself included.
struct BlockTree::Totals {
  Totals& operator+=(const Totals& other) {
    blocks += other.blocks;
    nonzero_blocks += other.nonzero_blocks;
    bytes += other.bytes;
    return *this;
  }
  Totals& operator-=(const Totals& other) {
    blocks -= other.blocks;
    nonzero_blocks -= other.nonzero_blocks;
    bytes -= other.bytes;
    return *this;
  }

  uint64_t blocks = 0;  // that have been written
  uint64_t nonzero_blocks = 0;
  uint64_t bytes = 0;  // of host memory
};

// What blocks and the nodes over them have in common.
struct BlockTree::Node {
  // `family` is where its memory is counted; nullptr: it belongs to all trees.
  Node(Family family, uint64_t size) : family(std::move(family)), own_bytes(size) {
    if (this->family != nullptr) this->family->fetch_add(own_bytes, std::memory_order_relaxed);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() {
    if (family != nullptr) family->fetch_sub(own_bytes, std::memory_order_relaxed);
  }

  const Family family;
  const uint64_t own_bytes;
  Totals totals;
  Digest digest;
  bool digest_known = false;
};

struct BlockTree::Block final : Node {
  explicit Block(Family family) : Node(std::move(family), sizeof(Block)) {}
  void Fill(Bytes data) {
    std::memcpy(contents.data(), data.data(), kBlockSize);
    digest_known = false;
  }
  std::array<uint8_t, kBlockSize> contents;
};

struct BlockTree::Inner final : Node {
  explicit Inner(Family family) : Node(std::move(family), sizeof(Inner)) {}
  std::array<NodePtr, kChildren> children;
};

struct BlockTree::Algorithms {
  static const Inner& AsInner(const Node& node) { return static_cast<const Inner&>(node); }
  static Inner& AsInner(Node& node) { return static_cast<Inner&>(node); }
  static const Block& AsBlock(const Node& node) { return static_cast<const Block&>(node); }

  // The node of a level all of whose blocks are zeros. There is one for all trees.
  static const NodePtr& Zeros(int level) {
    static const auto& nodes = *new std::array<NodePtr, kMaxHeight + 1>(MakeZeros());
    return nodes[static_cast<size_t>(level)];
  }
  static std::array<NodePtr, kMaxHeight + 1> MakeZeros() {
    std::array<NodePtr, kMaxHeight + 1> nodes;
    auto block = std::make_shared<Block>(nullptr);
    block->contents.fill(0);
    block->totals.blocks = 1;
    DigestOfNode(0, *block);
    nodes[0] = std::move(block);
    for (int level = 1; level <= kMaxHeight; ++level) {
      auto inner = std::make_shared<Inner>(nullptr);
      inner->children.fill(nodes[static_cast<size_t>(level - 1)]);
      inner->totals.blocks = SpanOf(level);
      DigestOfNode(level, *inner);
      nodes[static_cast<size_t>(level)] = std::move(inner);
    }
    return nodes;
  }
  static bool IsZeros(int level, const NodePtr& node) { return node == Zeros(level); }

  static const Digest& DigestOfNode(int level, Node& node) {
    if (node.digest_known) return node.digest;
    if (level == 0) {
      node.digest = DigestOf(AsText(AsBlock(node).contents.data(), kBlockSize));
    } else {
      std::array<uint64_t, 2 * kChildren> digests{};
      for (size_t i = 0; i < kChildren; ++i) {
        const NodePtr& child = AsInner(node).children[i];
        if (child == nullptr) continue;
        const Digest& digest = DigestOfNode(level - 1, *child);
        digests[2 * i] = digest.low;
        digests[2 * i + 1] = digest.high;
      }
      node.digest = DigestOf(AsText(digests.data(), sizeof digests));
    }
    node.digest_known = true;
    return node.digest;
  }

  // Whether nobody but `node` points there. Who has just let go, on whatever thread, reads it no
  // more: the count alone is read without order, taking a share comes behind their letting go.
  static bool IsOurs(const NodePtr& node) {
    if (node.use_count() != 1) return false;
    const NodePtr share = node;  // NOLINT(performance-unnecessary-copy-initialization)
    return share->family != nullptr;
  }

  static Totals TotalsOf(const NodePtr& node) { return node != nullptr ? node->totals : Totals(); }

  // The inner node at `node`, made if there is none and copied if it is shared.
  static Inner& Own(NodePtr& node, const Family& family) {
    if (node != nullptr && IsOurs(node)) return AsInner(*node);
    auto made = std::make_shared<Inner>(family);
    if (node != nullptr) {
      made->children = AsInner(*node).children;
      made->totals = node->totals;
      if (node->family == nullptr) made->totals.bytes = made->own_bytes;
    } else {
      made->totals.bytes = made->own_bytes;
    }
    node = std::move(made);
    return AsInner(*node);
  }

  // Has `change` change child `index` of an inner node that is ours.
  template <typename Change>
  static void ChangeChild(Inner& inner, size_t index, Change change) {
    NodePtr& child = inner.children[index];
    inner.totals -= TotalsOf(child);
    change(child);
    inner.totals += TotalsOf(child);
    inner.digest_known = false;
  }
  // To be called behind that: a node in which all is zeros becomes the one of all trees.
  static void Settle(int level, NodePtr& node) {
    const Totals& totals = node->totals;
    if (totals.blocks == SpanOf(level) && totals.nonzero_blocks == 0) node = Zeros(level);
  }

  static void WriteBlock(int level, NodePtr& node, const Family& family, uint64_t block,
                         Bytes bytes) {
    if (level > 0) {
      ChangeChild(Own(node, family), ChildOf(level, block),
                  [&](NodePtr& child) { WriteBlock(level - 1, child, family, block, bytes); });
      Settle(level, node);
    } else if (IsZeroBlock(bytes.data())) {
      node = Zeros(0);
    } else {
      if (node == nullptr || !IsOurs(node)) node = std::make_shared<Block>(family);
      node->totals = {1, 1, node->own_bytes};
      static_cast<Block&>(*node).Fill(bytes);
    }
  }

  // Blocks [first, end) of those under the node, which are numbered from 0.
  static void ZeroBlocks(int level, NodePtr& node, const Family& family, uint64_t first,
                         uint64_t end) {
    if (first >= end || IsZeros(level, node)) return;
    if (end - first == SpanOf(level)) {
      node = Zeros(level);
      return;
    }
    Inner& inner = Own(node, family);
    const uint64_t span = SpanOf(level - 1);
    for (uint64_t i = first / span; i <= (end - 1) / span; ++i) {
      const uint64_t base = i * span;
      ChangeChild(inner, i, [&](NodePtr& child) {
        ZeroBlocks(level - 1, child, family, std::max(first, base) - base,
                   std::min(end, base + span) - base);
      });
    }
    Settle(level, node);
  }

  static void PutUnder(int level, NodePtr& node, const Family& family, const NodePtr& older) {
    if (older == nullptr || older == node) return;
    if (node == nullptr) {
      node = older;
      return;
    }
    if (node->totals.blocks == SpanOf(level)) return;
    Inner& inner = Own(node, family);
    for (size_t i = 0; i < kChildren; ++i) {
      ChangeChild(inner, i, [&](NodePtr& child) {
        PutUnder(level - 1, child, family, AsInner(*older).children[i]);
      });
    }
    Settle(level, node);
  }

  // See VisitChanges(). `first`: number of the first block under the node.
  static bool Visit(int level, const NodePtr& node, const NodePtr& before, uint64_t first,
                    const Visitor& visit) {
    if (node == before) return true;
    if (node == nullptr) return false;
    if (IsZeros(level, node)) {
      visit({first, SpanOf(level), nullptr});
      return true;
    }
    if (level == 0) {
      const uint8_t* const bytes = AsBlock(*node).contents.data();
      const bool same = before != nullptr &&
                        std::memcmp(bytes, AsBlock(*before).contents.data(), kBlockSize) == 0;
      if (!same) visit({first, 1, bytes});
      return true;
    }
    bool has_all = true;
    for (size_t i = 0; i < kChildren; ++i) {
      const NodePtr& child = AsInner(*node).children[i];
      const bool has =
          Visit(level - 1, child, before != nullptr ? AsInner(*before).children[i] : nullptr,
                first + i * SpanOf(level - 1), visit);
      has_all = has_all && has;
    }
    return has_all;
  }
};

BlockTree::BlockTree(uint64_t capacity)
    : BlockTree(capacity, std::make_shared<std::atomic<uint64_t>>(0)) {}

BlockTree::BlockTree(uint64_t capacity, Family family)
    : capacity_(capacity), family_(std::move(family)) {
  while (SpanOf(height_) < capacity_) ++height_;
}

BlockTree BlockTree::Empty() const { return BlockTree(capacity_, family_); }

uint64_t BlockTree::blocks() const { return Algorithms::TotalsOf(root_).blocks; }
uint64_t BlockTree::nonzero_blocks() const { return Algorithms::TotalsOf(root_).nonzero_blocks; }
uint64_t BlockTree::bytes() const { return Algorithms::TotalsOf(root_).bytes; }

const uint8_t* BlockTree::Find(uint64_t block) const {
  const Node* node = root_.get();
  for (int level = height_; level > 0 && node != nullptr; --level) {
    node = Algorithms::AsInner(*node).children[ChildOf(level, block)].get();
  }
  return node != nullptr ? Algorithms::AsBlock(*node).contents.data() : nullptr;
}

void BlockTree::Write(uint64_t block, Bytes bytes) {
  Algorithms::WriteBlock(height_, root_, family_, block, bytes);
}

void BlockTree::Zero(uint64_t first, uint64_t count) {
  Algorithms::ZeroBlocks(height_, root_, family_, first, first + count);
}

void BlockTree::PutUnder(const BlockTree& older) {
  Algorithms::PutUnder(height_, root_, family_, older.root_);
}

Digest BlockTree::digest() const {
  return root_ != nullptr ? Algorithms::DigestOfNode(height_, *root_) : Digest();
}

void BlockTree::Visit(const Visitor& visit) const { VisitChanges(Empty(), visit); }

bool BlockTree::VisitChanges(const BlockTree& before, const Visitor& visit) const {
  Run zeros;  // that have been met and may go on
  const auto flush = [&] {
    if (zeros.count != 0) visit(zeros);
    zeros = {};
  };
  const bool has_all = Algorithms::Visit(height_, root_, before.root_, 0, [&](const Run& run) {
    if (run.bytes == nullptr && zeros.count != 0 && zeros.first + zeros.count == run.first) {
      zeros.count += run.count;
      return;
    }
    flush();
    if (run.bytes == nullptr) {
      zeros = run;
    } else {
      visit(run);
    }
  });
  flush();
  return has_all;
}

}  // namespace isochron::machine
