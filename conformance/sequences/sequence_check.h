// Whether two engines run a sequence alike, and where they first do not.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_CHECK_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_CHECK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/compare/narrowing.h"
#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_coverage.h"
#include "conformance/sequences/shrinking.h"
#include "engines/engines.h"

namespace isochron::conformance {

// How a run is cut into calls of the engine.
enum class SequencePlan : uint8_t {
  kWhole,       // one call: code gets as hot as it can
  kBlocks,      // random deadlines, a block or so apart; dirty marks cleared now and then
  kForgetting,  // the same, and the engine forgets its translations now and then
};

// Where two engines part.
struct SequenceMismatch {
  SequencePlan plan = SequencePlan::kWhole;
  // Cycles to which both run alike, and to which they do not: one instruction apart, unless the
  // difference did not come back in the rerun.
  uint64_t equal_cycle = 0;
  uint64_t different_cycle = 0;
  bool reproduced = true;
  Certainty certainty = Certainty::kNotReproduced;  // of the instruction
  uint64_t pc = 0;                                  // of the instruction in between
  uint32_t word = 0;
  std::string report;  // lines for people: instruction, state before, after on each engine
};

// What a check of one sequence found.
struct SequenceVerdict {
  std::optional<SequenceMismatch> mismatch;
  uint64_t cycles = 0;  // at the end, on the first engine
  uint64_t instructions = 0;
  std::string digest;  // of the state at the end, on the first engine
};

// Runs `sequence` on both engines under all plans. Compares the CPUs and bus accesses after every
// call, RAM and dirty marks now and then and at the end. With `coverage`, runs the first engine
// once more, one instruction at a time, holds the end against that of the first run and counts
// what was executed.
SequenceVerdict CheckSequence(const std::vector<engines::NamedEngine>& engines,
                              const Sequence& sequence, SequenceCoverage* coverage);

// The same for one plan, without narrowing; nothing when the engines agree. A plan is a function of
// the sequence's seed.
std::optional<SequenceMismatch> CheckPlan(const std::vector<engines::NamedEngine>& engines,
                                          const Sequence& sequence, SequencePlan plan);

// A sequence with as few instructions as possible on which the engines still part under
// `mismatch.plan`: instructions become NOPs, registers and data zero. At most `tries` runs.
Sequence ShrinkSequence(const std::vector<engines::NamedEngine>& engines, const Sequence& sequence,
                        const SequenceMismatch& mismatch, int tries = 1500);

// Where sequences have code other than PALcode.
bool IsSequenceCode(uint64_t pa);

// The instructions of a sequence in segments that `is_code` takes, other than NOPs, disassembled, a
// line each.
std::string ListSequence(const Sequence& sequence, IsCode is_code = IsSequenceCode);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_CHECK_H_
