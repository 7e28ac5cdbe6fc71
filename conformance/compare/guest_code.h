// Reading a guest's code as its CPU would fetch it.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_GUEST_CODE_H_
#define ISOCHRON_CONFORMANCE_COMPARE_GUEST_CODE_H_

#include <cstdint>
#include <string>

#include "alpha/cpu.h"
#include "alpha/memory.h"
#include "machine/firmware/elf_image.h"

namespace isochron::conformance {

// The instruction at `pc` with five before and after it, a line each; those that cannot be fetched
// are left out.
std::string InstructionLines(const alpha::Cpu& cpu, const alpha::Memory& memory, uint64_t pc);

// "0xfffffc0000310000 (start_kernel+0x10)", "0x8400 (PALmode)", or for addresses that the kernel's
// symbols do not cover and that are no kernel's, "0x120001000 (ASN 5)".
std::string DescribePc(const alpha::Cpu& cpu, uint64_t pc, const machine::KernelImage& kernel);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_GUEST_CODE_H_
