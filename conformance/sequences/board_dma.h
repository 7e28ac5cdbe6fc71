// Programs on the board during which a device writes to memory.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_DMA_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_DMA_H_

#include <string>

#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_palcode.h"

namespace isochron::conformance {

// Gives a program of GenerateBoardProgram() a virtio disk to which it makes some requests before
// anything else, and returns what is on that disk. They are served while the program runs: code,
// data that it locks or watches, and what it waits for are replaced in memory, pages of it are
// written to the disk. What comes for code is the code that is there with some other literals. The
// disk interrupts when a request is done.
std::string AddDma(Random& random, Sequence& program);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_DMA_H_
