// The user-mode sequences: what they may hold, and that they hold all of it.

#include "conformance/sequences/user_sequence.h"

#include <set>
#include <string>

#include "alpha/decode.h"
#include "gtest/gtest.h"

namespace isochron::conformance {
namespace {

using alpha::Format;
using alpha::Op;

constexpr uint64_t kSeeds = 2000;

bool LeftOut(Op op) {
  const alpha::InstructionInfo& info = alpha::Info(op);
  return info.extension == alpha::Extension::kVaxFloat ||
         info.extension == alpha::Extension::kPal || op == Op::kSqrtf || op == Op::kSqrtg ||
         op == Op::kItoff || op == Op::kRpcc || op == Op::kMtFpcr || op == Op::kMfFpcr;
}

TEST(UserSequence, DependsOnItsSeedAlone) {
  const auto text = [](uint64_t seed) { return FormatUserSequences({GenerateUserSequence(seed)}); };
  EXPECT_EQ(text(7), text(7));
  EXPECT_NE(text(7), text(8));
}

TEST(UserSequence, HoldsEveryUserInstruction) {
  std::set<Op> seen;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (const uint32_t word : GenerateUserSequence(seed).words)
      seen.insert(alpha::Decode(word).op);
  }
  for (size_t i = 0; i < alpha::kOpCount; ++i) {
    const Op op = static_cast<Op>(i);
    // A reserved word may have any opcode that OSF/1 systems lack; the rest is left out on purpose.
    if (op == Op::kReserved) continue;
    EXPECT_EQ(seen.contains(op), !LeftOut(op)) << alpha::Info(op).mnemonic;
  }
}

// No register that points somewhere is written, no branch leads backwards or far past the end, no
// jump is reached but through the LDA that makes its address.
TEST(UserSequence, GoesForwardAndKeepsItsPointers) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::vector<uint32_t> words = GenerateUserSequence(seed).words;
    ASSERT_LE(words.size(), kUserSequenceWords);
    std::set<size_t> jumps, landings;
    for (size_t i = 0; i < words.size(); ++i) {
      const alpha::Instruction instruction = alpha::Decode(words[i]);
      const alpha::InstructionInfo& info = alpha::Info(instruction.op);
      for (const uint32_t reg : {10u, 12u, 14u, 15u, 29u}) {
        ASSERT_FALSE(alpha::IntegerWrites(instruction) >> reg & 1)
            << "seed " << seed << " at " << i;
      }
      if (info.format == Format::kBranch) {
        ASSERT_GE(instruction.immediate, 0);
        landings.insert(i + 1 + static_cast<size_t>(instruction.immediate) / 4);
      }
      if (info.format == Format::kJump) {
        const alpha::Instruction lda = alpha::Decode(words.at(i - 1));
        ASSERT_EQ(lda.op, Op::kLda);
        ASSERT_EQ(lda.ra, 28);
        ASSERT_EQ(lda.rb, 12);
        const size_t target = static_cast<size_t>(lda.immediate) / 4;
        ASSERT_GT(target, i);
        jumps.insert(i);
        landings.insert(target);
      }
    }
    for (const size_t jump : jumps) ASSERT_FALSE(landings.contains(jump)) << "seed " << seed;
    ASSERT_TRUE(landings.empty() || *landings.rbegin() <= words.size());
  }
}

TEST(UserSequence, SinglesStaySingles) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (const uint32_t word : GenerateUserSequence(seed).words) {
      const alpha::Instruction instruction = alpha::Decode(word);
      const bool reads = instruction.op == Op::kAdds || instruction.op == Op::kMuls ||
                         instruction.op == Op::kCvtst || instruction.op == Op::kSqrts;
      if (reads) {
        ASSERT_TRUE(instruction.rb < 10 || instruction.rb == 31) << seed;
      }
      if (instruction.op == Op::kLdt) {
        ASSERT_GE(instruction.ra, 10) << seed;
      }
      if (instruction.op == Op::kCpys) {
        ASSERT_GE(instruction.rc, 10) << seed;
      }
    }
  }
}

}  // namespace
}  // namespace isochron::conformance
