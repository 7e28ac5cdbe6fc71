// Which instruction took which exception: the coverage table of random sequences.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_COVERAGE_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_COVERAGE_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/instruction.h"

namespace isochron::conformance {

// What can happen to an instruction that was fetched, finer than the table's `raises`.
enum class Outcome : uint8_t {
  kRetired,
  kIntegerOverflow,
  kArithmetic,  // floating point
  kDtbMiss,
  kAccessViolation,
  kFaultOnRead,
  kFaultOnWrite,
  kNonexistent,  // a machine check
  kUnaligned,
  kFen,
  kOpcdec,
  kPal,  // CALL_PAL entered its PALcode
  kCount,
};
inline constexpr size_t kOutcomeCount = static_cast<size_t>(Outcome::kCount);
std::string_view ToString(Outcome outcome);

// One cell of the table.
struct CoveragePair {
  alpha::Op op;
  Outcome outcome;
};

// Whether `op` can have `outcome`, from the instruction table.
bool CanHave(alpha::Op op, Outcome outcome);
// All that can be, kReserved included.
const std::vector<CoveragePair>& AllCoveragePairs();

// Counts. Only a run one instruction at a time can be counted.
class SequenceCoverage {
 public:
  // The instruction `word` was stepped over; `before` are the counters of before that.
  void Count(uint32_t word, const alpha::CpuCounters& before, const alpha::Cpu& after);
  void Merge(const SequenceCoverage& other);

  uint64_t count(CoveragePair pair) const {
    return counts_[static_cast<size_t>(pair.op)][static_cast<size_t>(pair.outcome)];
  }
  uint64_t instructions() const { return instructions_; }
  // The pairs that were never seen.
  std::vector<CoveragePair> Holes() const;
  // The table: a line an instruction, a column an outcome; '-' where it cannot be.
  std::string ToText() const;

 private:
  std::array<std::array<uint64_t, kOutcomeCount>, alpha::kOpCount> counts_{};
  uint64_t instructions_ = 0;
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_COVERAGE_H_
