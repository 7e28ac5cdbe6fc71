// Which guest registers live in host registers while a region runs.

#ifndef ISOCHRON_JIT_REGISTER_MAP_H_
#define ISOCHRON_JIT_REGISTER_MAP_H_

#include <array>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "alpha/cpu.h"
#include "jit/region.h"

namespace isochron::jit {

// One assignment for a whole region: each host register holds one guest register from every
// entry to every exit. Those used most get one, loops counting more. Where there are more of
// them than host registers, some host registers are left for copies that live within a block.
class RegisterMap {
 public:
  static constexpr int kNone = -1;
  // Host registers, as x86 numbers them.
  static constexpr std::array<int, 10> kIntegerPool = {3, 5, 6, 7, 8, 9, 10, 11, 12, 14};
  static constexpr std::array<int, 13> kFloatPool = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  struct Assignment {
    int place;  // in Cpu::r or Cpu::f
    int host;
    bool written;
  };

  using Integers = absl::InlinedVector<Assignment, kIntegerPool.size()>;
  using Floats = absl::InlinedVector<Assignment, kFloatPool.size()>;
  using Spare = absl::InlinedVector<int, kIntegerPool.size()>;

  // In code that `makes_notes`, R14 is not of the pool: it holds Frame::next_note.
  RegisterMap(const Region& region, bool makes_notes);

  // The host register of a place, or kNone.
  int integer(int place) const { return integer_[place]; }
  int floating(int place) const { return float_[place]; }
  const Integers& integers() const { return integers_; }
  // The places of integers(), a bit each.
  uint64_t assigned() const { return assigned_; }
  const Floats& floats() const { return floats_; }
  // Host registers that hold no guest register for good.
  const Spare& spare() const { return spare_; }

 private:
  std::array<int8_t, alpha::Cpu::kIntegerSink + 1> integer_;
  std::array<int8_t, alpha::Cpu::kFloatSink + 1> float_;
  Integers integers_;
  Floats floats_;
  Spare spare_;
  uint64_t assigned_ = 0;
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_REGISTER_MAP_H_
