// Random programs on the whole board, and states that no program would reach.

#ifndef ISOCHRON_CONFORMANCE_BOARD_CASE_H_
#define ISOCHRON_CONFORMANCE_BOARD_CASE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "conformance/engines.h"
#include "conformance/sequence.h"
#include "machine/config.h"

namespace isochron::conformance {

// What a machine is restored to: RAM as `program` has it, which is PALcode of its own and code, and all else as in
// `state`. The firmware of the machine is gone.
struct BoardCase {
  uint64_t seed = 0;
  machine::MachineConfig config;
  Sequence program;
  std::string state;  // as Machine::SaveWithoutMemory() gives it
  bool disturbed = false;  // whether bytes of `state` were changed at random
};

// The case of a seed: the same on every host, as long as the generator does not change.
//
// The program is GenerateSequence(seed)'s, with PALcode that knows the board: interrupts are quieted at the clock chip
// and the Cchip, or disabled; I/O goes to the registers of a device, through a superpage or a page table; the end is a
// power-off. Before it begins it waits in loops, with the interval timer on, and perhaps in WTINT. In every second case a few
// bytes of CPU, devices and event queue are changed at random, in such a way that a machine still accepts the state.
//
// An error when no machine can be made.
absl::StatusOr<BoardCase> GenerateBoardCase(uint64_t seed);

// Where two runs of a case part.
struct BoardMismatch {
  uint64_t cycle = 0;
  std::string report;  // lines for people
};

// What a check of one case found.
struct BoardVerdict {
  std::optional<BoardMismatch> mismatch;
  uint64_t events = 0;      // of the first run
  uint64_t interrupts = 0;
  uint64_t outputs = 0;
  uint64_t instructions = 0;
  uint64_t idle_cycles = 0;  // in WTINT and in loops that do nothing, as far as the first engine noticed
};

// Runs a case on both engines and compares everything that a log would hold, with a digest of all state every few
// thousand cycles, and the dirty marks of RAM at the end.
BoardVerdict CheckBoardCase(const NamedEngine& first, const NamedEngine& second,
                            const BoardCase& board_case);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_BOARD_CASE_H_
