// Places at which the operating system is entered and left, and what the state there tells.

#ifndef ISOCHRON_DEBUG_OSF_PLACES_H_
#define ISOCHRON_DEBUG_OSF_PLACES_H_

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "debug/address_space.h"
#include "machine/machine.h"
#include "machine/stop_condition.h"

namespace isochron::debug {

// Entry points in the order of wrent.
enum SystemEntry { kEntInt, kEntArith, kEntMm, kEntIf, kEntUna, kEntSys };
inline constexpr std::array<const char*, kSystemEntries> kSystemEntryNames = {
    "entInt", "entArith", "entMM", "entIF", "entUna", "entSys"};
// a0 of entInt.
inline constexpr uint64_t kMachineCheckType = 2;

// Stops at those entry points (a bit for each) which the operating system has set for any CPU, and
// where it sets any, which it may do at any time.
machine::StopCondition AtSystemEntries(const machine::Machine& machine, uint32_t wanted);
// At the PC of a CPU: those of the entry points that are there, a bit for each.
uint32_t SystemEntriesHere(const machine::Machine& machine, int cpu);

// Where PALcode begins to deal with a reference that missed a TLB: a fetch, a load or store, and
// what looks for a PTE in the virtual page table.
enum class TlbMiss : uint8_t { kItb, kDtb, kPageTable };
std::vector<uint64_t> TlbMissPcs(const alpha::Cpu& cpu, TlbMiss miss);

// Stops at PCs that `pcs` gives for each CPU.
machine::StopCondition AtPcsOfAll(
    const machine::Machine& machine,
    const std::function<std::vector<uint64_t>(const alpha::Cpu& cpu)>& pcs);

// The CPU that what stops at a PC is about: the one that executes next.
inline int CpuHere(const machine::Machine& machine) { return machine.next_cpu().value_or(0); }

// A call of the operating system: in which process, where it returns to, and with which SP.
struct SystemCallKey {
  uint64_t pcbb = 0;
  uint64_t pc = 0;
  uint64_t sp = 0;

  friend auto operator<=>(const SystemCallKey&, const SystemCallKey&) = default;
};
// Whether a CPU stands at PALcode's first instruction for CALL_PAL CALLSYS, and for RETSYS or
// RTI.
bool AtSystemCall(const alpha::Cpu& cpu);
bool AtSystemReturn(const alpha::Cpu& cpu);
// The PCs of both.
std::vector<uint64_t> SystemCallPcs(const alpha::Cpu& cpu);
// There: the call that is made; and that which is returned from, if it is one. Nothing when the
// frame that is about to be popped cannot be read.
SystemCallKey SystemCallMade(const machine::Machine& machine, int cpu);
std::optional<SystemCallKey> SystemCallReturned(const machine::Machine& machine, int cpu);

// From the boundary before CALL_PAL to PALcode's first instruction, in cycles.
uint64_t CallPalCycles();

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_OSF_PLACES_H_
