// Random programs on the whole board, and random states, are the same on both engines. That this would show otherwise is
// in planted_bugs_test.

#include "conformance/board_case.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace isochron::conformance {
namespace {

#ifdef ISOCHRON_JIT
const std::vector<const char*> kSeconds = {"jit", "jit:threshold=1"};
#else
const std::vector<const char*> kSeconds = {"ref"};
#endif

TEST(BoardCase, ASeedAlwaysMakesTheSame) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const absl::StatusOr<BoardCase> a = GenerateBoardCase(seed);
    const absl::StatusOr<BoardCase> b = GenerateBoardCase(seed);
    ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
    EXPECT_EQ(a->state, b->state);
    EXPECT_EQ(FormatSequence(a->program), FormatSequence(b->program));
  }
}

// And they do what they are for: together all of it.
TEST(BoardCase, BothEnginesDoTheSame) {
  BoardVerdict sum;
  uint64_t disturbed = 0;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    const absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed);
    ASSERT_TRUE(board_case.ok()) << board_case.status();
    disturbed += board_case->disturbed;
    const char* second = kSeconds[seed % kSeconds.size()];
    const BoardVerdict verdict =
        CheckBoardCase(*FindEngine("ref"), *FindEngine(second), *board_case);
    EXPECT_FALSE(verdict.mismatch) << "seed " << seed << ", " << second << ", cycle "
                                   << verdict.mismatch->cycle << "\n"
                                   << verdict.mismatch->report;
    sum.events += verdict.events;
    sum.interrupts += verdict.interrupts;
    sum.outputs += verdict.outputs;
    sum.instructions += verdict.instructions;
    sum.idle_cycles += verdict.idle_cycles;
  }
  RecordProperty("events", absl::StrCat(sum.events));
  RecordProperty("interrupts", absl::StrCat(sum.interrupts));
  RecordProperty("outputs", absl::StrCat(sum.outputs));
  RecordProperty("instructions", absl::StrCat(sum.instructions));
  RecordProperty("idle_cycles", absl::StrCat(sum.idle_cycles));
  EXPECT_GT(disturbed, 30u);
  EXPECT_GT(sum.instructions, 500'000u);
  EXPECT_GT(sum.interrupts, 200u);
  EXPECT_GT(sum.outputs, 10u);
  EXPECT_GT(sum.idle_cycles, 10'000u);
}

}  // namespace
}  // namespace isochron::conformance
