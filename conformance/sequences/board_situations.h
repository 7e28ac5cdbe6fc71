// Pieces of programs that bring about what random code rarely meets.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_SITUATIONS_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_SITUATIONS_H_

#include <cstdint>
#include <vector>

#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_palcode.h"

namespace isochron::conformance {

// Physical addresses of their own: sequences leave them alone.
inline constexpr uint64_t kSituations = 0x4'0000;            // code, up to two pages
inline constexpr uint64_t kSituationSubroutines = 0x4'4000;  // two pages

// Puts `value` to `target`, in PALmode and outside.
void AppendConstant(uint32_t target, uint64_t value, std::vector<uint32_t>& words);

// Adds code at kSituations that goes through some situations, several times each, and then to
// program.pc; and what it needs besides. They are: one code under two names, and one name for two
// codes in two address spaces; exceptions that cost nothing before a deadline; entries of the DTB
// that are invalidated between two uses; branches on comparisons that lie further back;
// instructions that a store replaces by others of their kind; data in two address spaces and modes;
// HW_LD of all kinds; performance counters that overflow in PALmode; arithmetic on few registers
// with special values and no traps; VA_FORM of any address.
//
// `base` is the virtual address of physical address 0 as code. The program must have the PALcode of
// InstallPalcode(). R0 to R3, R8, R12, R16 to R19, R26 and R27 and some of the floating-point
// registers and FPCR are free to be written.
void AppendSituations(Random& random, uint64_t base, Sequence& program);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_SITUATIONS_H_
