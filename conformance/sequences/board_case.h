// Machines that begin in the middle: a program that has the whole board to itself, and states that
// no program would reach.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CASE_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CASE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/sequences/sequence.h"
#include "machine/events/config.h"
#include "machine/events/input.h"
#include "machine/machine.h"

namespace isochron::conformance {

// Bits of a state that are not as they were.
struct StateFlip {
  uint64_t offset = 0;  // into what Machine::SaveWithoutMemory() gives
  uint8_t bits = 0;     // of that byte

  friend bool operator==(const StateFlip&, const StateFlip&) = default;
};

// An input for the first input point so many cycles behind the beginning, or later.
struct BoardInput {
  uint64_t after = 0;
  machine::Input input;
};

// What a machine is put to: RAM as `program` has it, which is PALcode of its own and code; the CPU
// as `program` says; all else as after reset; and then the flips. Of several CPUs each has a
// program of its own, which adds to RAM. The firmware of the machine is gone. The text form is what
// regression files hold. Flips mean what they meant as long as the walk of the state does not
// change; all else stays.
struct BoardCase {
  uint64_t seed = 0;  // where it came from; no part of the state
  machine::MachineConfig config;
  Sequence program;              // `cycles`: where the run ends, from its beginning
  std::vector<Sequence> others;  // of CPU 1 and so on, as many as `config` has
  std::vector<StateFlip> flips;
  std::vector<BoardInput> inputs;  // in order; bytes and breaks
  std::string disk;                // what is on the one of `config`, if there is one
};

// Which cases are wanted.
enum class BoardKind : uint8_t {
  kPlain,
  kDma,   // a disk writes to memory meanwhile (board_dma.h)
  kCpus,  // two to four CPUs, by any schedule (board_cpus.h)
};

// The case of a seed: the same on every host, as long as the generator does not change. The program
// is GenerateBoardProgram's. Both UARTs get bytes and breaks. In every second case a few bits of
// CPU, devices and event queue are flipped, in such a way that a machine still accepts the state.
//
// An error when no machine can be made.
absl::StatusOr<BoardCase> GenerateBoardCase(uint64_t seed, BoardKind kind = BoardKind::kPlain);

// A machine for the case, as after reset.
absl::StatusOr<std::unique_ptr<machine::Machine>> MakeBoard(const BoardCase& board_case,
                                                            const machine::EngineFactory& engine);

// Puts a machine that MakeBoard() has just made to the state of the case. InvalidArgument when no
// machine takes that state; discard it then.
absl::Status PutToCase(const BoardCase& board_case, machine::Machine& machine);

// The text form: numbers and inputs, a line each, then the programs as FormatSequence() has them.
std::string FormatBoardCase(const BoardCase& board_case);
// Whether `text` begins as such a form does.
bool IsBoardCase(std::string_view text);
// InvalidArgument naming the line when `text` is not such a form.
absl::StatusOr<BoardCase> ParseBoardCase(std::string_view text);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_BOARD_CASE_H_
