// Random programs that have the whole board to themselves.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PROGRAM_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PROGRAM_H_

#include <cstdint>

#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_palcode.h"

namespace isochron::conformance {

// GenerateSequence(seed), with PALcode that knows the board instead of the bus of a
// SequenceMachine. It begins in PALmode: sets devices going (clock chip, timer, interrupt
// controllers, UARTs), stands still in WTINT now and then, waits in loops until an interrupt comes,
// goes through situations (board_situations.h), and then runs the sequence, whose I/O goes to the
// registers of a device, through a superpage or a page table. Its end is a power-off. Interrupts
// are quieted at their device or disabled.
//
// Of several `cpus` it is that of CPU 0, with PALcode for all of them, and what it does before the
// sequence, and its end, are those of board_cpus.h.
Sequence GenerateBoardProgram(Random& random, uint64_t seed, uint32_t cpus = 1);

// What another CPU runs beside the program of CPU 0: deeds (board_cpus.h) and a sequence of its own
// on the same data, with that program's PALcode. It has no more than its registers and its code.
Sequence GenerateProgramBeside(Random& random, uint32_t cpu, uint32_t cpus, const Sequence& first);

// Where such programs have code other than exception handlers and CALL_PAL functions.
bool IsBoardCode(uint64_t pa);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PROGRAM_H_
