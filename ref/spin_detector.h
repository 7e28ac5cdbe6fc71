// Skips loops that only wait.

#ifndef ISOCHRON_REF_SPIN_DETECTOR_H_
#define ISOCHRON_REF_SPIN_DETECTOR_H_

#include <array>
#include <cstdint>

#include "alpha/cpu.h"
#include "ref/operation.h"

namespace isochron::ref {

// Recognises that the CPU goes round in a loop that changes nothing but time, such as the
// idle loop of a kernel that polls for work.
//
// Now and then it notes pc and registers and watches the following blocks. When all of them
// are pure, none took an exception (which is counted; only PALcode can loop through one without
// an impure block) and the CPU comes back with every register as noted, the next turn will do the
// same, and so on until something outside the CPU happens, which is not before the deadline.
// Those turns are then only counted. The state at every boundary at which anyone looks is
// what executing them gives.
class SpinDetector {
 public:
  // `rest` is the number of calls between two looks.
  explicit SpinDetector(uint32_t rest = kRest) : rest_(rest), countdown_(rest) {}

  // To be called before each block while watching(), else now and then. Skips whole turns, as
  // many as end before `deadline`.
  void Observe(alpha::Cpu& cpu, const Block& block, uint64_t deadline) {
    if (countdown_-- != 0) [[likely]]
      return;
    Watch(cpu, block, deadline);
  }
  // Something beside pure blocks has happened.
  void Disturb() { watching_ = false; }
  // Looks at the next block already.
  void LookSoon() {
    watching_ = false;
    countdown_ = 0;
  }

  // Looks at nothing for a while.
  void Rest() {
    watching_ = false;
    countdown_ = rest_;
  }

  // Whether it must see every single block now.
  bool watching() const { return watching_; }

  uint64_t skipped_cycles() const { return skipped_cycles_; }
  // The last turns that were skipped.
  struct Skipped {
    uint64_t turns = 0;
    uint64_t instructions = 0;  // of one
  };
  const Skipped& last_skipped() const { return last_skipped_; }

 private:
  static constexpr uint32_t kRest = 20;
  static constexpr uint32_t kLongest = 32;  // blocks in a turn

  void Watch(alpha::Cpu& cpu, const Block& block, uint64_t deadline);
  // Notes the state that is to come again.
  void Note(const alpha::Cpu& cpu);

  uint32_t rest_;
  uint32_t countdown_;
  bool watching_ = false;
  uint32_t watched_ = 0;
  uint64_t pc_ = 0;
  uint64_t cycle_ = 0;
  uint64_t instructions_ = 0;
  uint64_t exceptions_ = 0;  // misses included
  std::array<uint64_t, alpha::Cpu::kIntegerSink> registers_{};
  uint64_t skipped_cycles_ = 0;
  Skipped last_skipped_;
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_SPIN_DETECTOR_H_
