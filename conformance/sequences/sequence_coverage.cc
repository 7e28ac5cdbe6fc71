#include "conformance/sequences/sequence_coverage.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/decode.h"
#include "alpha/ipr.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using alpha::PalEntry;

constexpr std::string_view kNames[kOutcomeCount] = {"retired", "iov", "arith",  "miss",
                                                    "acv",     "for", "fow",    "nxm",
                                                    "unalign", "fen", "opcdec", "pal"};

bool Reads(Op op) {
  using alpha::Shape;
  const Shape shape = alpha::Info(op).shape;
  return shape == Shape::kLoad || shape == Shape::kFloatLoad || shape == Shape::kHwLoad;
}

// What an entry at `entry` means for the instruction; kRetired when it is none of its own.
Outcome OutcomeOfEntry(const alpha::Cpu& after, uint64_t entry, Op op) {
  switch (static_cast<PalEntry>(entry)) {
    case PalEntry::kDtbmDouble3:
    case PalEntry::kDtbmDouble4:
    case PalEntry::kDtbmSingle: return Outcome::kDtbMiss;
    case PalEntry::kDfault:
      if ((after.mm_stat & alpha::mm_stat::kAcv) != 0) return Outcome::kAccessViolation;
      return (after.mm_stat & alpha::mm_stat::kFor) != 0 ? Outcome::kFaultOnRead
                                                         : Outcome::kFaultOnWrite;
    case PalEntry::kFen: return Outcome::kFen;
    case PalEntry::kUnalign: return Outcome::kUnaligned;
    case PalEntry::kOpcdec: return Outcome::kOpcdec;
    case PalEntry::kMchk: return Outcome::kNonexistent;
    case PalEntry::kArith:
      return (alpha::Info(op).raises & alpha::raises::kIntegerOverflow) != 0
                 ? Outcome::kIntegerOverflow
                 : Outcome::kArithmetic;
    default: return Outcome::kRetired;
  }
}

}  // namespace

std::string_view ToString(Outcome outcome) { return kNames[static_cast<size_t>(outcome)]; }

bool CanHave(Op op, Outcome outcome) {
  const alpha::ExceptionSet set = alpha::Info(op).raises;
  const bool memory = (set & alpha::raises::kMemory) != 0;
  switch (outcome) {
    case Outcome::kRetired: return op != Op::kReserved && op != Op::kCallPal;
    case Outcome::kIntegerOverflow: return (set & alpha::raises::kIntegerOverflow) != 0;
    case Outcome::kArithmetic: return (set & alpha::raises::kArithmetic) != 0;
    case Outcome::kDtbMiss:
    case Outcome::kAccessViolation: return memory;
    case Outcome::kFaultOnRead: return memory && Reads(op);
    case Outcome::kFaultOnWrite: return memory && !Reads(op);
    // A write that nobody takes raises nothing at the instruction.
    case Outcome::kNonexistent: return memory && Reads(op);
    case Outcome::kUnaligned: return (set & alpha::raises::kUnaligned) != 0;
    case Outcome::kFen: return (set & alpha::raises::kFen) != 0;
    case Outcome::kOpcdec: return (set & alpha::raises::kOpcdec) != 0;
    case Outcome::kPal: return (set & alpha::raises::kPal) != 0;
    case Outcome::kCount: break;
  }
  return false;
}

const std::vector<CoveragePair>& AllCoveragePairs() {
  static const auto* const kPairs = [] {
    auto* pairs = new std::vector<CoveragePair>;
    for (size_t i = 0; i < alpha::kOpCount; ++i) {
      for (size_t j = 0; j < kOutcomeCount; ++j) {
        const CoveragePair pair{static_cast<Op>(i), static_cast<Outcome>(j)};
        if (CanHave(pair.op, pair.outcome)) pairs->push_back(pair);
      }
    }
    return pairs;
  }();
  return *kPairs;
}

void SequenceCoverage::Count(uint32_t word, const alpha::CpuCounters& before,
                             const alpha::Cpu& after) {
  const Op op = alpha::Decode(word).op;
  ++instructions_;
  Outcome outcome = Outcome::kRetired;
  const uint64_t entry = after.pc - after.pal_base - 1;
  if (after.counters.pal_calls != before.pal_calls) {
    outcome = Outcome::kPal;
  } else if (after.counters.exceptions != before.exceptions ||
             after.counters.dtb_misses != before.dtb_misses) {
    outcome = OutcomeOfEntry(after, entry, op);
  }
  ++counts_[static_cast<size_t>(op)][static_cast<size_t>(outcome)];
}

void SequenceCoverage::Merge(const SequenceCoverage& other) {
  for (size_t i = 0; i < counts_.size(); ++i) {
    for (size_t j = 0; j < kOutcomeCount; ++j) counts_[i][j] += other.counts_[i][j];
  }
  instructions_ += other.instructions_;
}

std::vector<CoveragePair> SequenceCoverage::Holes() const {
  std::vector<CoveragePair> holes;
  for (const CoveragePair& pair : AllCoveragePairs()) {
    if (count(pair) == 0) holes.push_back(pair);
  }
  return holes;
}

std::string SequenceCoverage::ToText() const {
  std::string text = absl::StrFormat("%-14s", "instruction");
  for (const std::string_view name : kNames) {
    absl::StrAppendFormat(&text, " %9s", std::string(name));
  }
  text += '\n';
  for (size_t i = 0; i < alpha::kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    absl::StrAppendFormat(&text, "%-14s", std::string(alpha::Info(op).mnemonic));
    for (size_t j = 0; j < kOutcomeCount; ++j) {
      const CoveragePair pair{op, static_cast<Outcome>(j)};
      if (CanHave(op, pair.outcome)) {
        absl::StrAppendFormat(&text, " %9d", count(pair));
      } else {
        absl::StrAppendFormat(&text, " %9s", "-");
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace isochron::conformance
