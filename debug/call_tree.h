// What a profile counts by: functions, and the calls by which they were reached.

#ifndef ISOCHRON_DEBUG_CALL_TREE_H_
#define ISOCHRON_DEBUG_CALL_TREE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "debug/stepper.h"

namespace isochron::debug {

// The functions of a run, numbered as they are met.
class Functions {
 public:
  // A symbol that covers a PC.
  struct Found {
    uint64_t begin = 0;  // as in Cpu::pc
    std::string name;    // printable
  };
  using Finder = std::function<std::optional<Found>(uint64_t pc)>;

  // What is no code of the guest, but a frame of its own.
  enum Label : uint32_t {
    kUnknown,  // code that no symbol covers
    kRoot,
    kInterrupt,
    kException,
    kSystemCall,
    kIdle,   // the CPU stands still
    kReset,  // the firmware is at work
    kLabels,
  };

  explicit Functions(Finder find) : find_(std::move(find)) {}

  // The function whose symbol covers `pc`; kUnknown where none does.
  uint32_t At(uint64_t pc);
  // Code that no symbol covers, and that was entered at `pc`.
  uint32_t Unnamed(uint64_t pc);

  // "[idle]" of a label, "0x120001000" where there is no symbol. Several may have one name.
  const std::string& name(uint32_t function) const { return names_[function]; }
  // Where it begins, as in Cpu::pc, to tell those apart.
  uint64_t begin(uint32_t function) const { return begins_[function]; }

 private:
  uint32_t Add(uint64_t begin, std::string name);

  Finder find_;
  std::vector<std::string> names_ = {"[unknown]",     "[all]",  "[interrupt]", "[exception]",
                                     "[system call]", "[idle]", "[reset]"};
  std::vector<uint64_t> begins_ = std::vector<uint64_t>(kLabels);
  std::unordered_map<uint64_t, uint32_t> by_begin_;
  std::unordered_map<uint64_t, uint32_t> by_pc_;  // what At() has said
  // What Unnamed() has said last, by the low bits of the PC.
  struct Entered {
    uint64_t pc = 2;  // none
    uint32_t function = 0;
  };
  static constexpr size_t kEntered = 1024;
  std::array<Entered, kEntered> entered_{};
};

// Stacks of calls, as the nodes of a tree: a node is a function, reached through those of the nodes
// above it. Node 0 is the root, above all.
class CallTree {
 public:
  struct Node {
    uint32_t parent = 0;
    uint32_t function = Functions::kRoot;
    uint32_t last = 0;  // the node below it that Child() has given last; 0: none
    Level level = Level::kPal;
    // Of the function itself, without what it called.
    uint64_t instructions = 0;
    uint64_t cycles = 0;
  };
  // A tree that has so many is full(), and what is reached in another way is counted at the root.
  static constexpr size_t kMaxNodes = size_t{1} << 22;

  CallTree() : nodes_(1), table_(kFirstTable, 0) {}

  // The node below `parent` of that function, which is made when there is none.
  uint32_t Child(uint32_t parent, uint32_t function, Level level) {
    const uint32_t likely = nodes_[parent].last;
    const Node& node = nodes_[likely];
    const bool is_it = likely != 0 && node.function == function && node.level == level;
    return is_it ? likely : nodes_[parent].last = FindOrMake(parent, function, level);
  }
  Node& operator[](uint32_t node) { return nodes_[node]; }
  // A node stands behind its parent.
  const std::vector<Node>& nodes() const { return nodes_; }
  bool full() const { return nodes_.size() >= kMaxNodes; }

 private:
  static constexpr size_t kFirstTable = 1 << 12;

  static size_t Hash(uint32_t parent, uint32_t function, Level level) {
    const uint64_t key =
        uint64_t{parent} << 32 | uint64_t{function} << 2 | static_cast<uint64_t>(level);
    return key * 0x9e37'79b9'7f4a'7c15 >> 32;
  }
  size_t Slot(uint32_t parent, uint32_t function, Level level) const;
  uint32_t FindOrMake(uint32_t parent, uint32_t function, Level level);
  void Grow();

  std::vector<Node> nodes_;
  std::vector<uint32_t> table_;  // open addressing; 0: free
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_CALL_TREE_H_
