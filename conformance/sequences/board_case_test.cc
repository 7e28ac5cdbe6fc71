// Random programs on the whole board, and random states, are the same on both engines. That this
// would show otherwise is in planted_bugs_test.

#include "conformance/sequences/board_case.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/sequences/board_check.h"
#include "engines/engines.h"
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
    EXPECT_EQ(FormatBoardCase(*a), FormatBoardCase(*b));
  }
}

// The case that its text says, which is all of it.
BoardCase ThroughText(const BoardCase& made) {
  const std::string text = FormatBoardCase(made);
  EXPECT_TRUE(IsBoardCase(text));
  const absl::StatusOr<BoardCase> read = ParseBoardCase(text);
  EXPECT_TRUE(read.ok()) << read.status();
  if (!read.ok()) return made;
  EXPECT_EQ(FormatBoardCase(*read), text);
  return *read;
}

TEST(BoardCase, ItsTextIsAllOfIt) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const absl::StatusOr<BoardCase> made = GenerateBoardCase(seed);
    ASSERT_TRUE(made.ok()) << made.status();
    const BoardCase read = ThroughText(*made);
    const std::vector<engines::NamedEngine> engines = {*engines::FindEngine("ref"),
                                                       *engines::FindEngine("ref")};
    EXPECT_EQ(CheckBoardCase(engines, read).digest, CheckBoardCase(engines, *made).digest);
  }
}

TEST(BoardCase, ItsDiskIsInItsText) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const absl::StatusOr<BoardCase> made = GenerateBoardCase(seed, BoardKind::kDma);
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_FALSE(made->disk.empty());
    const BoardCase read = ThroughText(*made);
    EXPECT_EQ(read.disk, made->disk);
    EXPECT_EQ(read.config.disks, made->config.disks);
  }
}

// Holds an engine against the oracle in the case of that seed, in which they are to be equal.
void ExpectEqualEngines(uint64_t seed, BoardKind kind, BoardVerdict& verdict) {
  const absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed, kind);
  ASSERT_TRUE(board_case.ok()) << board_case.status();
  const char* second = kSeconds[seed % kSeconds.size()];
  verdict = CheckBoardCase(
      {*engines::FindEngine(std::string(engines::kOracle)), *engines::FindEngine(second)},
      *board_case);
  ASSERT_TRUE(verdict.status.ok()) << verdict.status;
  EXPECT_FALSE(verdict.mismatch) << "seed " << seed << ", " << second << "\n"
                                 << verdict.mismatch->report;
}

// A disk reads into code and data and interrupts meanwhile, and it is the same everywhere.
TEST(BoardCase, DmaIsTheSameOnBothEngines) {
  uint64_t interrupts = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    BoardVerdict verdict;
    ASSERT_NO_FATAL_FAILURE(ExpectEqualEngines(seed, BoardKind::kDma, verdict));
    interrupts += verdict.interrupts;
  }
  EXPECT_GT(interrupts, 20u);
}

TEST(BoardCase, TextThatIsNoneIsRefused) {
  const std::string good = FormatBoardCase(*GenerateBoardCase(1));
  const auto error = [&](std::string_view from, std::string_view to) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    return std::string(ParseBoardCase(bad).status().message());
  };
  EXPECT_EQ(error("\nseed 1\n", "\nseed\n"), "line 2: 'seed' makes no sense");
  EXPECT_EQ(error("\nseed 1\n", "\nflip 0 100\n"), "line 2: 'flip 0 100' makes no sense");
  EXPECT_EQ(error("\nseed 1\n", "\nbreak 0 2\n"), "line 2: 'break 0 2' makes no sense");
  EXPECT_EQ(error("\nseed 1\n", "\nitb_entries 100000080\n"),
            "line 2: 'itb_entries 100000080' makes no sense");
  EXPECT_EQ(error("\nprogram\n", "\n"), "the board's program is missing");
  EXPECT_NE(error("\npc ", "\npx ").find("the program: line 3"), std::string::npos);
  EXPECT_NE(error("\nmemory_bytes 1", "\nmemory_bytes 0"), "");
}

// A flip that no state has is an error, not a difference.
TEST(BoardCase, StatesThatNoMachineTakesAreTold) {
  absl::StatusOr<BoardCase> made = GenerateBoardCase(1);
  ASSERT_TRUE(made.ok()) << made.status();
  made->flips.push_back({uint64_t{1} << 40, 1});
  const BoardVerdict verdict =
      CheckBoardCase({*engines::FindEngine("ref"), *engines::FindEngine("ref")}, *made);
  EXPECT_FALSE(verdict.status.ok());
  EXPECT_FALSE(verdict.mismatch);
}

TEST(BoardCase, ProgramsOfAllCpusAreInItsText) {
  std::set<uint32_t> cpus;
  std::set<machine::ScheduleConfig::Kind> schedules;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const absl::StatusOr<BoardCase> made = GenerateBoardCase(seed, BoardKind::kCpus);
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->others.size() + 1, made->config.cpus);
    const BoardCase read = ThroughText(*made);
    EXPECT_EQ(read.config.quantum, made->config.quantum);
    EXPECT_EQ(read.config.schedule, made->config.schedule);
    cpus.insert(made->config.cpus);
    schedules.insert(made->config.schedule.kind);
  }
  EXPECT_EQ(cpus, (std::set<uint32_t>{2, 3, 4}));
  EXPECT_EQ(schedules.size(), 4u);
}

// Several CPUs are the same, and do enough that they could differ.
TEST(BoardCase, SeveralCpusAreTheSameOnAllEngines) {
  uint64_t interrupts = 0, instructions = 0, events = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    BoardVerdict verdict;
    ASSERT_NO_FATAL_FAILURE(ExpectEqualEngines(seed, BoardKind::kCpus, verdict));
    interrupts += verdict.interrupts;
    instructions += verdict.instructions;
    events += verdict.events;
  }
  RecordProperty("interrupts", absl::StrCat(interrupts));
  RecordProperty("instructions", absl::StrCat(instructions));
  EXPECT_GT(instructions, 500'000u);
  EXPECT_GT(interrupts, 500u);
  EXPECT_GT(events, 1000u);
}

TEST(BoardCase, TextOfCpusWithoutProgramsIsRefused) {
  const std::string good = FormatBoardCase(*GenerateBoardCase(1, BoardKind::kCpus));
  const size_t last = good.rfind("\nprogram\n");
  EXPECT_EQ(ParseBoardCase(good.substr(0, last + 1)).status().message(),
            "there is not a program for each CPU");
  std::string bad = good;
  bad.insert(bad.find('\n') + 1, "switch 1 2 4\n");
  EXPECT_EQ(ParseBoardCase(bad).status().message(), "line 2: 'switch 1 2 4' makes no sense");
  bad = good;
  bad.insert(bad.find('\n') + 1, "cpus 2 1 4 0 1 1 1 1\n");
  EXPECT_EQ(ParseBoardCase(bad).status().message(),
            "line 2: 'cpus 2 1 4 0 1 1 1 1' makes no sense");
}

// And they do what they are for: together all of it.
TEST(BoardCase, BothEnginesDoTheSame) {
  BoardVerdict sum;
  uint64_t disturbed = 0;
  uint64_t snapshots = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed);
    ASSERT_TRUE(board_case.ok()) << board_case.status();
    disturbed += !board_case->flips.empty();
    const char* second = kSeconds[seed % kSeconds.size()];
    const BoardVerdict verdict =
        CheckBoardCase({*engines::FindEngine("ref"), *engines::FindEngine(second)}, *board_case);
    ASSERT_TRUE(verdict.status.ok()) << verdict.status;
    EXPECT_FALSE(verdict.mismatch) << "seed " << seed << ", " << second << ", "
                                   << verdict.mismatch->after << " cycles from the beginning\n"
                                   << verdict.mismatch->report;
    snapshots += verdict.snapshots;
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
  RecordProperty("snapshots", absl::StrCat(snapshots));
  EXPECT_GT(snapshots, 50u);
  EXPECT_GT(disturbed, 15u);
  EXPECT_GT(sum.instructions, 250'000u);
  EXPECT_GT(sum.interrupts, 100u);
  EXPECT_GT(sum.outputs, 10u);
  EXPECT_GT(sum.idle_cycles, 10'000u);
}

}  // namespace
}  // namespace isochron::conformance
