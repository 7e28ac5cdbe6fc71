// What several CPUs on the board do to one another.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CPUS_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CPUS_H_

#include <cstdint>

#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_palcode.h"

namespace isochron::conformance {

// Gives the program of CPU 0 what the deeds of all CPUs share, and PALcode for several CPUs: one
// that waits for an interrupt, and another end. In some programs that is a power-off as before; in
// others a CPU begins its deeds anew, or stands still.
void AddDeedPages(Random& random, Sequence& program);

// Gives the program of a CPU something to do before what it does so far, several times: loads and
// stores of all widths and LDx_L with STx_C in a page that all CPUs share, barriers, subroutines
// that they call and overwrite, instructions of one another, pages that they map and page tables
// that they change, invalidations, interrupts of one another, accesses to a device, waiting for an
// interrupt or for what another CPU writes.
//
// `base`, the virtual address of physical address 0 as code, is that of the program's PC. It begins
// in kernel mode.
void AddDeeds(Random& random, uint32_t cpu, uint32_t cpus, uint64_t base, Sequence& program);

// Where there is code of these.
bool IsDeedCode(uint64_t pa);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CPUS_H_
