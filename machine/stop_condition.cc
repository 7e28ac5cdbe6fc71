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

StopCondition StopCondition::AtCycleOf(int cpu, uint64_t cycle) {
  StopCondition condition;
  condition.counts.push_back({cpu, cycle, kNever});
  return condition;
}

StopCondition StopCondition::AtInstructionOf(int cpu, uint64_t instructions) {
  StopCondition condition;
  condition.counts.push_back({cpu, kNever, instructions});
  return condition;
}

StopCondition StopCondition::AtMoment(uint64_t moment) {
  StopCondition condition;
  condition.moment = moment;
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
  moment = std::min(moment, other.moment);
  counts.insert(counts.end(), other.counts.begin(), other.counts.end());
  pcs.insert(pcs.end(), other.pcs.begin(), other.pcs.end());
  ranges.insert(ranges.end(), other.ranges.begin(), other.ranges.end());
  events |= other.events;
}

StopWatch::StopWatch(const StopCondition& condition, const alpha::Cpu& cpu)
    : condition_(condition), ranges_(condition.ranges) {
  for (const StopCondition::Count& count : std::exchange(condition_.counts, {})) {
    condition_.cycle = std::min(condition_.cycle, count.cycle);
    condition_.instructions = std::min(condition_.instructions, count.instructions);
  }
  if (!condition.pcs.empty()) pcs_.emplace_back(condition.pcs, cpu.cycle);
}

StopWatch::StopWatch(const StopCondition& condition, const StopPlace& place)
    : condition_(condition),
      looks_(condition.cycle != kNever || condition.instructions != kNever ||
             condition.moment != kNever || !condition.pcs.empty() || !condition.ranges.empty() ||
             condition.events != 0 || !condition.counts.empty()),
      ranges_(condition.ranges) {
  if (condition.pcs.empty()) return;
  for (const alpha::Cpu* const cpu : place.cpus) {
    if (cpu == nullptr) break;
    // Of the others, and between rounds of all, what they execute next is still to come.
    const bool begins_here = cpu == place.next || cpu->cycle == 0;
    pcs_.emplace_back(condition.pcs, begins_here ? cpu->cycle : cpu->cycle - 1);
  }
}

uint64_t StopWatch::RunLimit(const alpha::Cpu& cpu) const {
  if (!happened_.empty()) return 0;
  const uint64_t limit = std::min(condition_.cycle, condition_.moment);
  if (condition_.instructions == kNever) return limit;
  const uint64_t left =
      condition_.instructions - std::min(cpu.instructions, condition_.instructions);
  return left > kNever - cpu.cycle ? limit : std::min(limit, cpu.cycle + left);
}

uint64_t StopWatch::RoundWaitLimit(uint32_t cpus) const {
  if (!happened_.empty()) return 0;
  uint64_t limit = condition_.cycle;
  for (const StopCondition::Count& count : condition_.counts) limit = std::min(limit, count.cycle);
  if (condition_.moment == kNever) return limit;
  const uint64_t per_cycle = MomentsPerCycle(cpus);
  const uint64_t part = condition_.moment % per_cycle != 0 ? 1 : 0;
  return std::min(limit, condition_.moment / per_cycle + part);
}

uint64_t StopWatch::TurnLimit(const StopPlace& place) const {
  const alpha::Cpu& cpu = *place.next;
  if (!happened_.empty()) return 0;
  uint64_t limit = kNever;
  const auto bound = [&](uint64_t wanted, uint64_t had) {
    const uint64_t left = wanted - std::min(wanted, had);
    if (wanted != kNever && left <= kNever - cpu.cycle) limit = std::min(limit, cpu.cycle + left);
  };
  // Each cycle of it is two moments, and this is one of the odd ones.
  if (condition_.moment != kNever) bound(condition_.moment / 2, place.moment / 2);
  bound(condition_.instructions, place.instructions);
  for (const StopCondition::Count& count : condition_.counts) {
    if (count.cpu != static_cast<int>(cpu.index)) continue;
    bound(count.cycle, cpu.cycle);
    bound(count.instructions, cpu.instructions);
  }
  return limit;
}

void StopWatch::MeetCounts(const StopCondition& condition, const StopPlace& place,
                           StopReasons& met) {
  met.cycle = place.cycle.has_value() && *place.cycle >= condition.cycle;
  met.instructions = place.instructions >= condition.instructions;
  met.moment = place.moment >= condition.moment;
  for (const StopCondition::Count& count : condition.counts) {
    const alpha::Cpu& cpu = *place.cpus[static_cast<size_t>(count.cpu)];
    met.cycle = met.cycle || cpu.cycle >= count.cycle;
    met.instructions = met.instructions || cpu.instructions >= count.instructions;
  }
}

StopReasons StopWatch::MetCounts(const StopPlace& place) const {
  StopReasons met;
  MeetCounts(condition_, place, met);
  met.events = happened_;
  met.reference = ranges_.hit();
  if (met.reference.has_value()) met.reference->cpu = place.last;
  return met;
}

StopReasons StopWatch::Part(const StopCondition& part, const StopReasons& met,
                            const StopPlace& place) {
  StopReasons own;
  MeetCounts(part, place, own);
  own.pc = met.pc && place.next != nullptr &&
           std::find(part.pcs.begin(), part.pcs.end(), place.next->pc) != part.pcs.end();
  for (const Event& event : met.events) {
    if ((part.events >> event.body.index() & 1) != 0) own.events.push_back(event);
  }
  for (const alpha::StopRange& range : part.ranges) {
    if (met.reference.has_value() && range.Covers(*met.reference)) own.reference = met.reference;
  }
  return own;
}

}  // namespace isochron::machine
