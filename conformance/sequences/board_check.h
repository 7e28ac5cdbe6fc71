// Whether two engines run a case on the whole board alike.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CHECK_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "conformance/sequences/board_case.h"
#include "engines/engines.h"

namespace isochron::conformance {

// Where two runs of a case part.
struct BoardMismatch {
  uint64_t after = 0;  // cycles from the beginning to the first event that differs
  std::string report;  // lines for people
};

// What a check of one case found.
struct BoardVerdict {
  // Not OK when a machine does not take the case, or the snapshots of it cannot be written.
  absl::Status status;
  std::optional<BoardMismatch> mismatch;
  std::string digest;  // of the state at the end, on the first engine; and what else its run had
  uint64_t events = 0;
  uint64_t interrupts = 0;
  uint64_t outputs = 0;
  uint64_t instructions = 0;
  uint64_t idle_cycles = 0;  // in WTINT and in loops that do nothing, as far as the engine noticed
  uint64_t snapshots = 0;    // taken on the way
};

// Puts a machine to the case and writes a snapshot of it, with its digest. Each engine restores
// that file and runs; all that a log would hold is compared, with a digest of all state every few
// thousand cycles, the state at the end, and that no page has changed without its dirty mark. The
// run on the first engine writes snapshots, too, and the second goes on from the last of them: it
// must end the same way. The files are in the system's directory for temporary files, and deleted.
//
// Of several CPUs the second runs once more, in pieces of a few cycles or instructions of one of
// them, so that turns are cut anywhere. And what must hold in any run does: device time never goes
// back, and each CPU sees the interrupts that others and the interval timer ask it for. (Not in
// states that have been flipped.)
BoardVerdict CheckBoardCase(const std::vector<engines::NamedEngine>& engines,
                            const BoardCase& board_case);

// A case with as little as possible in it for which a check still finds a mismatch: the run ends
// soon behind `mismatch`, flips and inputs are left out, instructions become NOPs. At most `tries`
// checks.
BoardCase ShrinkBoardCase(const std::vector<engines::NamedEngine>& engines,
                          const BoardCase& board_case, const BoardMismatch& mismatch,
                          int tries = 1000);

// What is in a case, for people: flips, inputs, instructions other than NOPs and PALcode's
// handlers.
std::string ListBoardCase(const BoardCase& board_case);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CHECK_H_
