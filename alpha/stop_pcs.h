// PCs at which a run is to stop.

#ifndef ISOCHRON_ALPHA_STOP_PCS_H_
#define ISOCHRON_ALPHA_STOP_PCS_H_

#include <cstdint>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"

namespace isochron::alpha {

// Boundaries at which an engine stops although no deadline falls there: those before an instruction
// at one of these PCs, behind a given cycle. An instruction that cannot be fetched is none: the
// exception that its fetch takes comes first, and the CPU comes to it when that is dealt with.
class StopPcs {
 public:
  StopPcs() = default;
  // As in Cpu::pc, bit 0 of a PC says PALmode. Boundaries up to cycle `after` do not count.
  StopPcs(std::vector<uint64_t> pcs, uint64_t after);

  // Whether to stop where `cpu` stands, if the instruction there can be fetched.
  bool At(const Cpu& cpu) const { return cpu.cycle > after_ && AnyIn(cpu.pc, 1); }
  // The same whatever can be fetched.
  bool Stops(const Cpu& cpu, const Memory& memory) const;
  // Whether one of them is in the `size` bytes from `begin` on, whose bit 0 is the mode.
  bool AnyIn(uint64_t begin, uint64_t size) const;
  // Whether one of them is in the page of `pc` and in its mode.
  bool AnyInPageOf(uint64_t pc) const;

  bool empty() const { return pcs_.empty(); }
  // In ascending order.
  const std::vector<uint64_t>& pcs() const { return pcs_; }

 private:
  std::vector<uint64_t> pcs_;
  uint64_t after_ = 0;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_STOP_PCS_H_
