#include "ref/spin_detector.h"

#include <algorithm>

namespace isochron::ref {
namespace {

uint64_t CountExceptions(const alpha::CpuCounters& counters) {
  return counters.itb_misses + counters.dtb_misses + counters.exceptions;
}

}  // namespace

void SpinDetector::Note(const alpha::Cpu& cpu) {
  pc_ = cpu.pc;
  cycle_ = cpu.cycle;
  instructions_ = cpu.instructions;
  exceptions_ = CountExceptions(cpu.counters);
  std::copy_n(cpu.r.begin(), registers_.size(), registers_.begin());
}

void SpinDetector::Watch(alpha::Cpu& cpu, const Block& block, uint64_t deadline) {
  countdown_ = 0;
  if (!watching_) {
    watching_ = true;
    watched_ = 0;
    Note(cpu);
  } else if (cpu.pc == pc_ && std::equal(registers_.begin(), registers_.end(), cpu.r.begin())) {
    const uint64_t turn = cpu.cycle - cycle_;
    const bool counted = CountExceptions(cpu.counters) != exceptions_;
    if (counted || turn == 0 || cpu.cycle >= deadline) return Rest();
    const uint64_t turns = (deadline - cpu.cycle - 1) / turn;
    cpu.cycle += turns * turn;
    last_skipped_ = {turns, cpu.instructions - instructions_};
    cpu.instructions += turns * last_skipped_.instructions;
    skipped_cycles_ += turns * turn;
    return Rest();
  } else if (watched_ == 1) {
    // The first block may begin in the middle of one of the loop, which never comes there again.
    Note(cpu);
  }
  if (!block.pure || ++watched_ > kLongest) Rest();
}

}  // namespace isochron::ref
