// Copies of guest registers that live within one block.

#ifndef ISOCHRON_JIT_BLOCK_REGISTERS_H_
#define ISOCHRON_JIT_BLOCK_REGISTERS_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "jit/region.h"
#include "jit/register_map.h"

namespace isochron::jit {

// Host registers that hold guest registers, from the instruction that first reads or writes one
// to the last in the block that reads it. A result is stored only when its host register is
// wanted for something else or the block ends: most are overwritten before. A slow path stores
// what memory does not have and loads the copies again.
class BlockRegisters {
 public:
  static constexpr int kNone = -1;

  struct Copy {
    int host;
    int place;   // kNone: holds nothing
    bool dirty;  // memory has an older value
  };
  using Copies = absl::InlinedVector<Copy, RegisterMap::kIntegerPool.size()>;

  explicit BlockRegisters(const RegisterMap::Spare& hosts) {
    for (const int host : hosts) copies_.push_back({host, kNone, false});
  }

  // Forgets all copies: a block starts.
  void Reset();
  // `index` is the instruction of `block` that is being emitted.
  void At(const GuestBlock& block, uint32_t index) {
    block_ = &block;
    index_ = index;
    taken_ = 0;
  }
  // What must be stored before the instruction: everything when it is the last of the block,
  // else copies that give way to those of `places`, a bit each. Memory has it from now on.
  Copies StoresBefore(uint64_t places);

  // The host register that holds a copy of `place`, or kNone.
  int Find(int place) const;
  // A host register for a copy of `place`, which the instruction reads or will have written;
  // kNone when no later instruction of the block reads it or all registers hold what this one
  // needs or memory lacks. It holds nothing until Hold().
  int Take(int place);
  // `dirty`: it is a result. False when memory must have that at once.
  bool Hold(int host, int place, bool dirty);
  // `place` has a new value that no copy has.
  void Drop(int place);
  // Whether what the instruction writes to `place`, of which there is no copy, is of no use:
  // another overwrites it before anything can look.
  bool IsDead(int place) const;

  // The copies as they are now, and those that are dirty.
  const Copies& copies() const { return copies_; }
  Copies dirty() const;

 private:
  bool IsLast() const { return index_ + 1 == block_->code.size(); }
  // The instruction after the running one that reads `place` before any writes it; beyond the
  // block when there is none.
  uint32_t NextRead(int place) const;
  // The copy to give way to `place`: one that is read later, or not at all. nullptr: none.
  Copy* Victim(int place, bool may_be_dirty);

  Copies copies_;
  const GuestBlock* block_ = nullptr;
  uint32_t index_ = 0;
  uint64_t taken_ = 0;  // host registers given out for this instruction, a bit each
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_BLOCK_REGISTERS_H_
