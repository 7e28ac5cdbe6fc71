// Random programs for two engines.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_GENERATOR_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_GENERATOR_H_

#include <cstdint>

#include "conformance/sequences/sequence.h"

namespace isochron::conformance {

// The sequence of a seed: the same on every host, as long as the generator does not change.
//
// Each is a program of some 8 to 20 chunks (straight code, loops that become hot, forward branches,
// calls, PALcode calls, PALmode code, self-modifying stores, references around page and
// alignment edges, I/O with side effects, arbitrary words), executed several times from a
// random state: kernel or user mode, superpage or mapped code, small TLBs. Two chunks of each are
// directed: they make one instruction take one exception, and successive seeds go through all
// pairs of the coverage table.
Sequence GenerateSequence(uint64_t seed);

// The same as a program that CPU `cpu`, 1 to 3, runs beside that of another sequence, whose
// PALcode, page tables and data it uses: it has code of its own and nothing else. `mapped`: whether
// that is executed through the ITB, as the other's is, and not through a superpage.
Sequence GenerateSequenceBeside(uint32_t cpu, bool mapped, uint64_t seed);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_GENERATOR_H_
