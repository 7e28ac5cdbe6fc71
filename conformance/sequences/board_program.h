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
Sequence GenerateBoardProgram(Random& random, uint64_t seed);

// Where such programs have code other than exception handlers and CALL_PAL functions.
bool IsBoardCode(uint64_t pa);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_PROGRAM_H_
