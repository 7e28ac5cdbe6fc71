// Entry into PALcode: what the chip latches and where it goes on. Each function leaves the
// CPU at the first instruction of the PALcode routine and charges the cost of the entry.

#ifndef ISOCHRON_ALPHA_EXCEPTIONS_H_
#define ISOCHRON_ALPHA_EXCEPTIONS_H_

#include <cstdint>

#include "alpha/call_pal.h"
#include "alpha/cpu.h"
#include "alpha/decode.h"
#include "alpha/translate.h"

namespace isochron::alpha {

// Where PALcode is entered, as Cpu::pc has it.
inline uint64_t PalEntryPc(const Cpu& cpu, PalEntry entry) {
  return (cpu.pal_base + static_cast<uint64_t>(entry)) | 1;
}
// The same by a CALL_PAL function that is not reserved.
inline uint64_t CallPalPc(const Cpu& cpu, uint32_t function) {
  return cpu.pal_base | CallPalEntry(function);
}
// What CALL_PAL has left for the PALcode that the CPU is in, which has not changed it yet: the PC
// behind it.
inline uint64_t CallPalReturn(const Cpu& cpu) {
  return cpu.r[Cpu::IntegerPlace(kCallPalLink, cpu.shadow_active())];
}

// A data reference that could not be made.
struct DataFault {
  uint64_t va = 0;
  bool write = false;
  bool vpte = false;   // made by HW_LD of type virtual/VPTE
  uint8_t opcode = 0;  // as MM_STAT shows it: HW_LD is 3, HW_ST is 7
  uint8_t reg = 0;     // Ra of the instruction
};

// In all of these cpu.pc is the address of the instruction concerned, with the PALmode bit.

// DTBM_SINGLE, or DTBM_DOUBLE_3 and _4 for the reference of a TLB miss routine to a page
// table. The latter latches EXC_ADDR only (HRM sections 5.1.3 and 5.3.8).
void EnterDtbMiss(Cpu& cpu, const DataFault& fault);
// DFAULT with the ACV, FOR and FOW bits in `reason`. The reference of a TLB miss routine to a
// page table leaves VA alone: it holds the address whose PTE is wanted (HRM section 5.1.3).
void EnterDataFault(Cpu& cpu, const DataFault& fault, uint64_t reason);
void EnterUnaligned(Cpu& cpu, const DataFault& fault);
void EnterItbMiss(Cpu& cpu);
void EnterIacv(Cpu& cpu);
void EnterOpcdec(Cpu& cpu);
void EnterFpDisabled(Cpu& cpu);
// ARITH with the EXC_SUM bits `summary`; `reg` is the destination, integer or floating.
void EnterArithmetic(Cpu& cpu, uint64_t summary, int reg);
void EnterMachineCheck(Cpu& cpu);
// Takes the interrupt that is deliverable; cpu.pc is the next instruction.
void EnterInterrupt(Cpu& cpu);

// CALL_PAL (HRM section 6.8.1): leaves the next PC in R23 (the shadow, when enabled) and
// returns true, or enters OPCDEC and returns false.
bool EnterCallPal(Cpu& cpu, uint32_t function);

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_EXCEPTIONS_H_
