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

void StopCondition::Add(const StopCondition& other) {
  cycle = std::min(cycle, other.cycle);
  instructions = std::min(instructions, other.instructions);
  pcs.insert(pcs.end(), other.pcs.begin(), other.pcs.end());
  ranges.insert(ranges.end(), other.ranges.begin(), other.ranges.end());
  events |= other.events;
}

StopReasons StopReasons::Of(const StopCondition& condition, const alpha::Cpu& cpu) const {
  StopReasons own;
  own.cycle = cpu.cycle >= condition.cycle;
  own.instructions = cpu.instructions >= condition.instructions;
  own.pc =
      pc && std::find(condition.pcs.begin(), condition.pcs.end(), cpu.pc) != condition.pcs.end();
  for (const Event& event : events) {
    if ((condition.events >> event.body.index() & 1) != 0) own.events.push_back(event);
  }
  for (const alpha::StopRange& range : condition.ranges) {
    if (reference.has_value() && range.Covers(*reference)) own.reference = reference;
  }
  return own;
}

uint64_t StopWatch::TurnLimit(const alpha::Cpu& cpu) const {
  const uint64_t limit = condition_.cycle;
  if (condition_.instructions == kNever) return limit;
  const uint64_t left =
      condition_.instructions - std::min(cpu.instructions, condition_.instructions);
  return left > kNever - cpu.cycle ? limit : std::min(limit, cpu.cycle + left);
}

}  // namespace isochron::machine
