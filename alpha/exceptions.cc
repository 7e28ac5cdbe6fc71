#include "alpha/exceptions.h"

#include "alpha/cost.h"

namespace isochron::alpha {
namespace {

void Enter(Cpu& cpu, PalEntry entry) {
  cpu.exc_addr = cpu.pc;
  cpu.pc = PalEntryPc(cpu, entry);
  cpu.cycle += InstructionCost(CostClass::kPalEntry);
}

void EnterException(Cpu& cpu, PalEntry entry) {
  Enter(cpu, entry);
  ++cpu.counters.exceptions;
}

void LatchData(Cpu& cpu, const DataFault& fault, uint64_t reason) {
  cpu.va = fault.va;
  cpu.mm_stat = reason | (fault.write ? mm_stat::kWrite : 0) |
                static_cast<uint64_t>(fault.opcode) << mm_stat::kOpcodeShift;
  cpu.exc_sum = static_cast<uint64_t>(fault.reg) << exc_sum::kRegShift;
}

}  // namespace

void EnterDtbMiss(Cpu& cpu, const DataFault& fault) {
  ++cpu.counters.dtb_misses;
  if (fault.vpte) {
    const bool four_levels = (cpu.va_ctl & va_ctl::kVa48) != 0;
    Enter(cpu, four_levels ? PalEntry::kDtbmDouble4 : PalEntry::kDtbmDouble3);
    return;
  }
  LatchData(cpu, fault, 0);
  Enter(cpu, PalEntry::kDtbmSingle);
}

void EnterDataFault(Cpu& cpu, const DataFault& fault, uint64_t reason) {
  const uint64_t va_of_miss = cpu.va;
  LatchData(cpu, fault, reason);
  if (fault.vpte) cpu.va = va_of_miss;
  EnterException(cpu, PalEntry::kDfault);
}

void EnterUnaligned(Cpu& cpu, const DataFault& fault) {
  LatchData(cpu, fault, 0);
  EnterException(cpu, PalEntry::kUnalign);
}

void EnterItbMiss(Cpu& cpu) {
  ++cpu.counters.itb_misses;
  cpu.iva = cpu.pc & ~uint64_t{3};
  Enter(cpu, PalEntry::kItbMiss);
}

void EnterIacv(Cpu& cpu) {
  cpu.iva = cpu.pc & ~uint64_t{3};
  cpu.exc_sum = 0;
  EnterException(cpu, PalEntry::kIacv);
}

void EnterOpcdec(Cpu& cpu) { EnterException(cpu, PalEntry::kOpcdec); }

void EnterFpDisabled(Cpu& cpu) { EnterException(cpu, PalEntry::kFen); }

void EnterArithmetic(Cpu& cpu, uint64_t summary, int reg) {
  cpu.exc_sum = summary | static_cast<uint64_t>(reg) << exc_sum::kRegShift;
  EnterException(cpu, PalEntry::kArith);
}

void EnterMachineCheck(Cpu& cpu) { EnterException(cpu, PalEntry::kMchk); }

void EnterInterrupt(Cpu& cpu) {
  ++cpu.counters.interrupts;
  Enter(cpu, PalEntry::kInterrupt);
}

bool EnterCallPal(Cpu& cpu, uint32_t function) {
  const bool allowed =
      IsUnprivilegedCall(function) || (IsPrivilegedCall(function) && cpu.mode == Mode::kKernel);
  if (!allowed) {
    EnterOpcdec(cpu);
    return false;
  }
  const bool shadow = (cpu.i_ctl & i_ctl::kShadowEnable) != 0;
  cpu.r[Cpu::IntegerPlace(kCallPalLink, shadow)] = cpu.pc + 4;
  cpu.pc = CallPalPc(cpu, function);
  ++cpu.counters.pal_calls;
  return true;
}

}  // namespace isochron::alpha
