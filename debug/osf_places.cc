#include "debug/osf_places.h"

#include "alpha/cost.h"
#include "alpha/exceptions.h"
#include "alpha/ipr.h"
#include "alpha/stop_ranges.h"
#include "debug/calling_standard.h"
#include "debug/osf_calls.h"

namespace isochron::debug {

using alpha::Cpu;
using alpha::PalEntry;

machine::StopCondition AtSystemEntries(const machine::Machine& machine, uint32_t wanted) {
  machine::StopCondition condition;
  const auto entries = SystemEntries(machine, 0);
  for (int entry = 0; entry < kSystemEntries; ++entry) {
    const bool set = (entries[entry] & 1) == 0;
    if ((wanted >> entry & 1) != 0 && set) condition.pcs.push_back(entries[entry]);
  }
  alpha::StopRange range;
  range.space = alpha::StopRange::Space::kPhysical;
  range.begin = SystemEntriesAddress(0);
  range.size = kSystemEntries * sizeof(uint64_t);
  range.writes = true;
  condition.ranges.push_back(range);
  return condition;
}

uint32_t SystemEntriesHere(const machine::Machine& machine) {
  const auto entries = SystemEntries(machine, 0);
  uint32_t here = 0;
  for (int entry = 0; entry < kSystemEntries; ++entry) {
    if (entries[entry] == machine.cpu().pc) here |= uint32_t{1} << entry;
  }
  return here;
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

SystemCallKey SystemCallMade(const machine::Machine& machine) {
  const Cpu& cpu = machine.cpu();
  return {ProcessControlBlock(machine, 0), alpha::CallPalReturn(cpu) & ~uint64_t{3},
          cpu.r[kStackPointer]};
}

std::optional<SystemCallKey> SystemCallReturned(const machine::Machine& machine) {
  const Cpu& cpu = machine.cpu();
  const SystemFrame frame = ReadSystemFrame(machine, 0);
  if (!frame.whole) return std::nullopt;
  const bool to_user =
      cpu.pc == alpha::CallPalPc(cpu, osf::kRetsys) || (frame.ps & SystemFrame::kUserMode) != 0;
  return SystemCallKey{
      ProcessControlBlock(machine, 0), frame.pc & ~uint64_t{3},
      to_user ? UserStackPointer(machine, 0) : cpu.r[kStackPointer] + SystemFrame::kBytes};
}

uint64_t CallPalCycles() { return alpha::InstructionCost(alpha::CostClass::kCallPal); }

}  // namespace isochron::debug
