#include "alpha/stop_pcs.h"

#include <algorithm>
#include <utility>

#include "alpha/fetch_word.h"

namespace isochron::alpha {

StopPcs::StopPcs(std::vector<uint64_t> pcs, uint64_t after) : pcs_(std::move(pcs)), after_(after) {
  std::sort(pcs_.begin(), pcs_.end());
}

bool StopPcs::Stops(const Cpu& cpu, const Memory& memory) const {
  return At(cpu) && FetchWord(cpu, memory, cpu.pc).has_value();
}

bool StopPcs::AnyIn(uint64_t begin, uint64_t size) const {
  for (auto pc = std::lower_bound(pcs_.begin(), pcs_.end(), begin);
       pc != pcs_.end() && *pc - begin < size; ++pc) {
    if (((*pc ^ begin) & 1) == 0) return true;
  }
  return false;
}

bool StopPcs::AnyInPageOf(uint64_t pc) const {
  return AnyIn((pc & ~kPageMask) | (pc & 1), kPageSize);
}

}  // namespace isochron::alpha
