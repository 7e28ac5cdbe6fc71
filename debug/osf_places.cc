#include "debug/osf_places.h"

#include <algorithm>

#include "alpha/cost.h"
#include "alpha/exceptions.h"
#include "alpha/ipr.h"
#include "alpha/stop_ranges.h"
#include "debug/calling_standard.h"
#include "debug/osf_calls.h"

namespace isochron::debug {

using alpha::Cpu;
using alpha::PalEntry;

namespace {

void AddOnce(uint64_t pc, std::vector<uint64_t>& pcs) {
  if (std::find(pcs.begin(), pcs.end(), pc) == pcs.end()) pcs.push_back(pc);
}

}  // namespace

machine::StopCondition AtSystemEntries(const machine::Machine& machine, uint32_t wanted) {
  machine::StopCondition condition;
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    const auto entries = SystemEntries(machine, cpu);
    for (int entry = 0; entry < kSystemEntries; ++entry) {
      const bool set = (entries[entry] & 1) == 0;
      if ((wanted >> entry & 1) != 0 && set) AddOnce(entries[entry], condition.pcs);
    }
    alpha::StopRange range;
    range.space = alpha::StopRange::Space::kPhysical;
    range.begin = SystemEntriesAddress(cpu);
    range.size = kSystemEntries * sizeof(uint64_t);
    range.writes = true;
    condition.ranges.push_back(range);
  }
  return condition;
}

uint32_t SystemEntriesHere(const machine::Machine& machine, int cpu) {
  const auto entries = SystemEntries(machine, cpu);
  uint32_t here = 0;
  for (int entry = 0; entry < kSystemEntries; ++entry) {
    if (entries[entry] == machine.cpu(cpu).pc) here |= uint32_t{1} << entry;
  }
  return here;
}

machine::StopCondition AtPcsOfAll(
    const machine::Machine& machine,
    const std::function<std::vector<uint64_t>(const alpha::Cpu& cpu)>& pcs) {
  machine::StopCondition condition;
  for (int cpu = 0; cpu < machine.cpu_count(); ++cpu) {
    for (const uint64_t pc : pcs(machine.cpu(cpu))) AddOnce(pc, condition.pcs);
  }
  return condition;
}

std::vector<uint64_t> TlbMissPcs(const Cpu& cpu, TlbMiss miss) {
  switch (miss) {
    case TlbMiss::kItb: return {alpha::PalEntryPc(cpu, PalEntry::kItbMiss)};
    case TlbMiss::kDtb: return {alpha::PalEntryPc(cpu, PalEntry::kDtbmSingle)};
    case TlbMiss::kPageTable: break;
  }
  return {alpha::PalEntryPc(cpu, PalEntry::kDtbmDouble3),
          alpha::PalEntryPc(cpu, PalEntry::kDtbmDouble4)};
}

bool AtSystemCall(const Cpu& cpu) { return cpu.pc == alpha::CallPalPc(cpu, osf::kCallsys); }

bool AtSystemReturn(const Cpu& cpu) {
  return cpu.pc == alpha::CallPalPc(cpu, osf::kRetsys) ||
         cpu.pc == alpha::CallPalPc(cpu, osf::kRti);
}

std::vector<uint64_t> SystemCallPcs(const Cpu& cpu) {
  return {alpha::CallPalPc(cpu, osf::kCallsys), alpha::CallPalPc(cpu, osf::kRetsys),
          alpha::CallPalPc(cpu, osf::kRti)};
}

SystemCallKey SystemCallMade(const machine::Machine& machine, int cpu_index) {
  const Cpu& cpu = machine.cpu(cpu_index);
  return {ProcessControlBlock(machine, cpu_index), alpha::CallPalReturn(cpu) & ~uint64_t{3},
          cpu.r[kStackPointer]};
}

std::optional<SystemCallKey> SystemCallReturned(const machine::Machine& machine, int cpu_index) {
  const Cpu& cpu = machine.cpu(cpu_index);
  const SystemFrame frame = ReadSystemFrame(machine, cpu_index);
  if (!frame.whole) return std::nullopt;
  const bool to_user =
      cpu.pc == alpha::CallPalPc(cpu, osf::kRetsys) || (frame.ps & SystemFrame::kUserMode) != 0;
  return SystemCallKey{
      ProcessControlBlock(machine, cpu_index), frame.pc & ~uint64_t{3},
      to_user ? UserStackPointer(machine, cpu_index) : cpu.r[kStackPointer] + SystemFrame::kBytes};
}

uint64_t CallPalCycles() { return alpha::InstructionCost(alpha::CostClass::kCallPal); }

}  // namespace isochron::debug
