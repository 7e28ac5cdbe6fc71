#include "machine/stop_condition.h"

#include <algorithm>
#include <utility>

namespace isochron::machine {

StopCondition StopCondition::AtCycle(uint64_t cycle) {
  StopCondition condition;
  condition.cycle = cycle;
  return condition;
}

StopCondition StopCondition::AtInstruction(uint64_t instructions) {
  StopCondition condition;
  condition.instructions = instructions;
  return condition;
}

StopCondition StopCondition::AtPcs(std::vector<uint64_t> pcs) {
  StopCondition condition;
  condition.pcs = std::move(pcs);
  return condition;
}

StopCondition StopCondition::AtReference(const alpha::StopRange& range) {
  StopCondition condition;
  condition.ranges = {range};
  return condition;
}

uint64_t StopWatch::RunLimit(const alpha::Cpu& cpu) const {
  const uint64_t limit = WaitLimit();
  if (condition_.instructions == kNever) return limit;
  const uint64_t left =
      condition_.instructions - std::min(cpu.instructions, condition_.instructions);
  return left > kNever - cpu.cycle ? limit : std::min(limit, cpu.cycle + left);
}

}  // namespace isochron::machine
