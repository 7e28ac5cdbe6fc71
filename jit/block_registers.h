// Copies of guest registers that live within one block.

#ifndef ISOCHRON_JIT_BLOCK_REGISTERS_H_
#define ISOCHRON_JIT_BLOCK_REGISTERS_H_

#include <cstdint>
#include <vector>

#include "jit/region.h"

namespace isochron::jit {

// Host registers that hold copies of guest registers, from the instruction that first reads or
// writes one to the last in the block that reads it. Memory has the value as well wherever the
// block can be left: nothing needs to be saved, and a slow path only loads the copies again.
class BlockRegisters {
 public:
  static constexpr int kNone = -1;

  struct Copy {
    int host;
    int place;            // kNone: holds nothing
    uint32_t kept_until;  // the instruction that overwrites a place that memory does not have
  };

  explicit BlockRegisters(const std::vector<int>& hosts) {
    for (const int host : hosts) copies_.push_back({host, kNone, 0});
  }

  // Forgets all copies: a block starts.
  void Reset();
  // `index` is the instruction of `block` that is being emitted.
  void At(const GuestBlock& block, uint32_t index) {
    block_ = &block;
    index_ = index;
    taken_ = 0;
  }

  // The host register that holds a copy of `place`, or kNone.
  int Find(int place) const;
  // A host register for a copy of `place`, which the instruction reads or will have written;
  // kNone when no later instruction of the block reads it or all registers hold what this one
  // needs. It holds nothing until Hold().
  int Take(int place);
  void Hold(int host, int place);
  // `place` has a new value that no copy has.
  void Drop(int place);
  // Whether what the instruction writes to `place` need not be in memory: another overwrites it
  // before anything can look, and until then no other reads it or its copy, in `host`, is kept.
  bool KeepFromMemory(int place, int host);

  // The copies as they are now.
  const std::vector<Copy>& copies() const { return copies_; }

 private:
  // The instruction that overwrites `place` while nothing can look at memory; 0: none.
  uint32_t Overwritten(int place) const;
  // The instruction after the running one that reads `place` before any writes it; beyond the
  // block when there is none.
  uint32_t NextRead(int place) const;
  bool Needed(int place) const;

  std::vector<Copy> copies_;
  const GuestBlock* block_ = nullptr;
  uint32_t index_ = 0;
  uint64_t taken_ = 0;  // host registers given out by Take() for this instruction, a bit each
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_BLOCK_REGISTERS_H_
