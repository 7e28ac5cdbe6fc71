// The cost table: how many cycles of the machine's cycle counter everything takes. Both engines
// read this table and nothing else, so the time at which anything happens is the same on both.
//
// The model is an in-order machine that issues one instruction a cycle and has no caches and no
// branch prediction: a cost depends on the instruction alone, never on history. A cost is the
// latency of the instruction's class on the 21264 (21264/EV67 Hardware Reference Manual, table 2-4)
// where a dependent instruction usually follows, and one cycle where the chip hides the latency.
//
// An instruction that completes is charged its cost and counts as one retired instruction; CALL_PAL
// and HW_RET are instructions like any other. An instruction that faults or traps before it
// completes does not retire: it is charged kPalEntry instead of its own cost. An instruction that
// takes an arithmetic trap retires, and is charged its own cost and kPalEntry. An interrupt is
// charged kPalEntry. An access outside RAM
// adds the cost of its region to that of the instruction. At a reset the firmware takes time to put
// the images back, a page at a time; at power-on time begins behind it.

#ifndef ISOCHRON_ALPHA_COST_H_
#define ISOCHRON_ALPHA_COST_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace isochron::alpha {

// Rows of the cost table: first those of instructions, then those of events.
enum class CostClass : uint8_t {
  kIntegerSimple,
  kIntegerMultiply,
  kIntegerMisc,
  kMvi,
  kLoad,
  kLoadLocked,
  kStore,
  kStoreConditional,
  kBranch,
  kJump,
  kFloatAdd,
  kFloatMultiply,
  kFloatDivideS,
  kFloatDivideT,
  kFloatSqrtS,
  kFloatSqrtT,
  kFloatMove,
  kFpcrMove,
  kTransfer,
  kBarrier,
  kTrapBarrier,
  kRpcc,
  kFetchHint,
  kCallPal,
  kPalMove,
  kPalReturn,
  kReserved,
  // Events.
  kPalEntry,
  kIoMemoryMapped,
  kIsaPort,
  kPciConfig,
  kChipsetCsr,
  kFirmwareLoad,
  kFirmwareClear,
  kCount,
};

struct CostRow {
  CostClass cost_class;
  std::string_view name;
  uint32_t cycles;
  std::string_view reason;  // one sentence for docs/isa.md
};

inline constexpr CostRow kCosts[] = {
    {CostClass::kIntegerSimple, "integer", 1, "HRM 2-4: iadd, ilog, ishf 1"},
    {CostClass::kIntegerMultiply, "integer multiply", 7, "HRM 2-4: imul 7"},
    {CostClass::kIntegerMisc, "bit count", 3, "HRM 2-4: imisc 3"},
    {CostClass::kMvi, "multimedia", 3, "HRM 2-4: imisc 3"},
    {CostClass::kLoad, "load", 2,
     "HRM 2-4: ild 3, fld 4 on a Dcache hit; code is scheduled to hide part of it"},
    {CostClass::kLoadLocked, "load locked", 3, "HRM 2-4: ild 3; its result is used at once"},
    {CostClass::kStore, "store", 1, "HRM 2-4: produces no register value"},
    {CostClass::kStoreConditional, "store conditional", 8,
     "the block must be writable in the Dcache before the result is known; assumed"},
    {CostClass::kBranch, "branch", 1, "HRM 2-4: produces no register value; predicted"},
    {CostClass::kJump, "jump", 3, "HRM 2-4: jsr 3"},
    {CostClass::kFloatAdd, "float add", 4, "HRM 2-4: fadd 4; compares and conversions as well"},
    {CostClass::kFloatMultiply, "float multiply", 4, "HRM 2-4: fmul 4"},
    {CostClass::kFloatDivideS, "float divide S, F", 12, "HRM 2-4: fdiv single 12"},
    {CostClass::kFloatDivideT, "float divide T, G", 15, "HRM 2-4: fdiv double 15"},
    {CostClass::kFloatSqrtS, "float square root S, F", 18, "HRM 2-4: fsqrt single 18"},
    {CostClass::kFloatSqrtT, "float square root T, G", 33, "HRM 2-4: fsqrt double 33"},
    {CostClass::kFloatMove, "float move", 4, "HRM 2-4: executed by the add pipeline, 4"},
    {CostClass::kFpcrMove, "FPCR move", 4, "executed by the add pipeline like a float move"},
    {CostClass::kTransfer, "move between register files", 4, "HRM 2-4: itof 4, ftoi 3"},
    {CostClass::kBarrier, "barrier", 10,
     "MB, WMB and EXCB wait for older instructions; the wait is assumed"},
    {CostClass::kTrapBarrier, "TRAPB", 1, "HRM A.8: treated as a no-op, traps are precise"},
    {CostClass::kRpcc, "RPCC", 10,
     "HRM 2-4 gives a latency of 1; more is charged so that delay loops, which only wait for the "
     "counter, take fewer turns"},
    {CostClass::kFetchHint, "cache hint", 1, "no effect in this model"},
    {CostClass::kCallPal, "CALL_PAL", 4,
     "a predicted jump that writes the return address; assumed"},
    {CostClass::kPalMove, "HW_MFPR, HW_MTPR", 3, "HRM 2-4: mxpr 1 or 3"},
    {CostClass::kPalReturn, "HW_RET", 8,
     "HRM 2-1: a mispredicted jump costs 8, and HW_RET/STALL is "
     "always one"},
    {CostClass::kReserved, "reserved instruction", 0, "never retires: charged as PALcode entry"},
    {CostClass::kPalEntry, "PALcode entry", 13,
     "HRM 2-1: DTB miss 13, integer arithmetic trap 12, ITB miss 7"},
    {CostClass::kIoMemoryMapped, "PCI memory or I/O access", 200,
     "about 10 PCI clocks of 33 MHz, 300 ns"},
    {CostClass::kIsaPort, "ISA port access", 600, "about a microsecond behind the ISA bridge"},
    {CostClass::kPciConfig, "PCI configuration access", 200, "as a PCI memory access"},
    {CostClass::kChipsetCsr, "chipset register access", 100,
     "uncached round trip to the Cchip, Dchip or Pchip, 150 ns; assumed"},
    {CostClass::kFirmwareLoad, "page of an image loaded at a reset", 4096,
     "8 KiB at 1.2 GB/s; assumed, and far faster than a disk"},
    {CostClass::kFirmwareClear, "page cleared at a reset", 1024,
     "8 KiB at 4.8 GB/s, what the memory of an ES40 does"},
};

static_assert(sizeof(kCosts) / sizeof(kCosts[0]) == static_cast<size_t>(CostClass::kCount));
static_assert(
    [] {
      for (size_t i = 0; i < static_cast<size_t>(CostClass::kCount); ++i) {
        if (kCosts[i].cost_class != static_cast<CostClass>(i)) return false;
      }
      return true;
    }(),
    "kCosts must list the classes in the order of CostClass");

// Cycles charged for one row of the table.
constexpr uint32_t InstructionCost(CostClass cost_class) {
  return kCosts[static_cast<size_t>(cost_class)].cycles;
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_COST_H_
