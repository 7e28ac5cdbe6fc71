// Every fault that can be planted in the translator is found, and the report names the instruction;
// so is every break of determinism that can be planted in devices and recorder.

#include <algorithm>
#include <fstream>
#include <optional>
#include <ostream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "alpha/encode.h"
#include "conformance/compare/conform_testing.h"
#include "conformance/guests/litmus_testing.h"
#include "conformance/sequences/board_case.h"
#include "conformance/sequences/board_check.h"
#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_check.h"
#include "conformance/sequences/sequence_generator.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/sequence_palcode.h"
#include "engines/engines.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "jit/planted_bugs.h"
#include "machine/events/digest.h"
#include "machine/events/planted_breaks.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using alpha::words::BranchOp;
using alpha::words::CallPal;
using alpha::words::HwLoad;
using alpha::words::HwStore;
using alpha::words::MemoryOp;
using alpha::words::Operate;
using alpha::words::OperateLiteral;
using testing::Conformance;
using testing::Mnemonic;
using Layout = SequenceLayout;

// How a fault is made to show.
enum class By : uint8_t {
  kGuest,       // `isochron conform` with a guest of conformance/guests
  kSeeds,       // the first random sequence that does
  kRegression,  // a file in conformance/sequences/regressions
  kProgram,     // a program below
  kCpus,        // a guest of conformance/guests for several CPUs
};

struct Planting {
  std::string_view bug;
  By by;
  std::string_view what;   // guest, file or program
  std::string_view named;  // mnemonics, one of which the report must name
  Certainty certainty = Certainty::kInstruction;
};

// ctest shows it behind the test's name.
void PrintTo(const Planting& planting, std::ostream* out) { *out << planting.named; }

// The faults that a new translation of a few instructions does not show, because they are in what a
// whole region does with its registers, or in when translations are left, are known to the region.
constexpr Certainty kRegion = Certainty::kRegion;
constexpr Planting kPlantings[] = {
    {"addl-not-extended", By::kGuest, "integer", "addl"},
    {"carry-for-overflow", By::kGuest, "integer", "addl/v"},
    {"umulh-signed", By::kGuest, "byte", "umulh"},
    {"shift-of-32", By::kGuest, "byte", "sll"},
    {"cmov-inverted", By::kGuest, "integer", "cmovge"},
    {"sextb-unsigned", By::kGuest, "byte", "sextb"},
    {"zap-loses-byte-7", By::kGuest, "byte", "zapnot"},
    {"mask-high-one-bit-off", By::kGuest, "byte", "inswh"},
    {"displacement-unsigned", By::kGuest, "byte", "lda|ldah"},
    {"rpcc-at-block-start", By::kGuest, "byte", "rpcc"},
    {"rounding-ignored", By::kGuest, "ieee", "adds"},
    {"cvttq-rounds", By::kSeeds, "", "cvttq"},
    {"cvtql-overflow-missed", By::kSeeds, "", "cvtql"},
    {"single-not-rounded", By::kGuest, "ieee", "adds"},
    {"mxcsr-flag-ignored", By::kSeeds, "", "mult"},
    {"result-not-checked", By::kGuest, "ieee_traps", "adds"},
    {"normal-after-slow-path", By::kSeeds, "", "s4subl", kRegion},
    {"fpcr-inexact-lost", By::kGuest, "ieee", "adds"},
    {"fpcr-summary-lost", By::kGuest, "fpcr", "mt_fpcr"},
    {"float-not-saved", By::kGuest, "ieee", "itoft|ldt|mf_fpcr", kRegion},
    {"fen-ignored", By::kGuest, "callpal", "cpys"},
    {"ldl-not-extended", By::kGuest, "integer", "ldl"},
    {"alignment-not-checked", By::kGuest, "unaligned", "ldwu"},
    {"ldq_u-not-masked", By::kGuest, "integer", "ldq_u"},
    {"group-end-not-checked", By::kSeeds, "", "stb"},
    {"group-aligned-as-first", By::kSeeds, "", "stl"},
    {"stale-data-context", By::kGuest, "asn", "stq"},
    {"lock-not-cleared", By::kGuest, "llsc", "stq_c"},
    {"page-not-marked-dirty", By::kGuest, "mmu", "hw_st"},
    {"code-store-not-seen", By::kProgram, "physical store to code", "addq"},
    {"shadow-bank-ignored", By::kGuest, "byte", "hw_ld"},
    {"call_pal-link-unshadowed", By::kGuest, "callpal", "call_pal"},
    {"pal-call-not-counted", By::kGuest, "callpal", "call_pal"},
    {"hw_ld-not-aligned", By::kProgram, "misaligned physical load", "hw_ld"},
    {"vpte-always-quadword", By::kSeeds, "", "hw_ld"},
    {"va_form-one-bit-short", By::kGuest, "mmu", "hw_mfpr"},
    {"dtb-invalidate-skipped", By::kGuest, "mmu", "hw_mtpr"},
    {"interrupt-late", By::kGuest, "interrupts", "hw_ret"},
    {"counter-interrupt-missed", By::kGuest, "perf", "hw_ret"},
    {"counts-at-slice-start", By::kGuest, "perf", "hw_mtpr"},
    {"flags-outlive-compare", By::kGuest, "integer", "beq|bne"},
    {"copy-outlives-write", By::kSeeds, "", "beq", kRegion},
    {"copy-not-reloaded", By::kSeeds, "", "maxsw4", kRegion},
    {"dirty-not-stored", By::kSeeds, "", "s8subq", kRegion},
    {"dead-store-too-eager", By::kSeeds, "", "addq/v", kRegion},
    {"branch-costs-too-much", By::kGuest, "byte", "bne"},
    {"block-at-deadline", By::kRegression, "seed-3210-opcdec-at-deadline", "jmp"},
    {"io-does-not-leave", By::kGuest, "byte", "hw_ld"},
    {"old-code-goes-on", By::kGuest, "smc", "lda", kRegion},
    {"links-outlive-code", By::kGuest, "smc", "lda", kRegion},
    {"golden-outlives-code", By::kGuest, "unaligned", "stw"},
    {"exit-linked-anywhere", By::kSeeds, "", "bne", kRegion},
    // The jump is right; what it enters is the code of another address space.
    {"asn-not-in-context", By::kGuest, "asn", "call_pal", kRegion},
    {"alias-ignored", By::kGuest, "mmu", "br"},
    {"lock-outlives-store", By::kCpus, "patching", "stq"},
    {"code-outlives-other", By::kCpus, "patching", "lda", kRegion},
};

// Everything is translated when it is first seen.
std::vector<engines::NamedEngine> RefAndPlanted(std::string_view bug) {
  return {*engines::FindEngine("ref"),
          *engines::FindEngine(absl::StrCat("jit!", std::string(bug), ":threshold=1"))};
}

// What a report says.
struct Verdict {
  uint32_t word = 0;
  Certainty certainty = Certainty::kNotReproduced;
  std::string text;
};

std::optional<Verdict> RunGuest(const Planting& planting) {
  Conformance conformance(std::string(planting.what), RefAndPlanted(planting.bug));
  if (planting.by == By::kCpus) conformance.HaveCpus("random:1:1-40");
  conformance.Run(12'000'000);
  if (!conformance.divergence) return std::nullopt;
  const DivergenceReport report = conformance.Investigate();
  return Verdict{report.culprit.word, report.certainty, ReportText(report)};
}

std::optional<Verdict> RunSequence(const Planting& planting, const Sequence& sequence) {
  const SequenceVerdict verdict = CheckSequence(RefAndPlanted(planting.bug), sequence, nullptr);
  if (!verdict.mismatch) return std::nullopt;
  return Verdict{verdict.mismatch->word, verdict.mismatch->certainty, verdict.mismatch->report};
}

std::optional<Verdict> RunSeeds(const Planting& planting) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    if (auto verdict = RunSequence(planting, GenerateSequence(seed))) return verdict;
  }
  return std::nullopt;
}

std::optional<Verdict> RunRegression(const Planting& planting) {
  std::ifstream file(
      absl::StrCat(ISOCHRON_REGRESSION_DIR "/", std::string(planting.what), ".sequence"));
  std::stringstream text;
  text << file.rdbuf();
  absl::StatusOr<Sequence> sequence = ParseSequence(text.str());
  EXPECT_TRUE(sequence.ok()) << sequence.status();
  return RunSequence(planting, *sequence);
}

constexpr uint32_t Pal(SequencePal function) {
  return CallPal(0x80 + static_cast<uint32_t>(function));
}

// A turn of the programs below, 20 times.
std::vector<uint32_t> Loop(std::vector<uint32_t> words, std::vector<uint32_t> turn) {
  words.push_back(MemoryOp(Op::kLda, 8, 20, 31));
  words.insert(words.end(), turn.begin(), turn.end());
  words.push_back(OperateLiteral(Op::kSubq, 8, 1, 8));
  words.push_back(BranchOp(Op::kBne, 8, -static_cast<int>(turn.size()) - 2));
  words.push_back(Pal(SequencePal::kStop));
  return words;
}

Sequence Program(std::string_view name) {
  Sequence sequence;
  Random random;
  InstallPalcode(random, Layout::kKseg, sequence);
  sequence.pc = Layout::kKseg + Layout::kCode;
  sequence.i_ctl = uint64_t{2} << alpha::i_ctl::kSpeShift | alpha::i_ctl::kShadowEnable;
  sequence.m_ctl = uint64_t{2} << 1;
  sequence.cycles = 10'000;
  sequence.fills.push_back({Layout::kData, Layout::kDataSize, 1});
  std::vector<uint32_t> words;
  if (name == "misaligned physical load") {
    sequence.r[16] = Layout::kData;
    words =
        Loop({Pal(SequencePal::kEnterPalMode)}, {HwLoad(alpha::HwLoadType::kPhysical, 1, 3, 16)});
  } else if (name == "physical store to code") {
    // The literal of the ADDQ behind it grows by one in every turn.
    const uint32_t target = OperateLiteral(Op::kAddq, 3, 0, 3);
    sequence.r[2] = target;
    sequence.r[17] = 1 << 13;
    sequence.r[16] = Layout::kCode + 4 * 4;
    constexpr uint32_t kQuadword = uint32_t{alpha::kHwQuadword} << 12;
    words = Loop({Pal(SequencePal::kEnterPalMode)},
                 {HwStore(alpha::HwStoreType::kPhysical, 2, 0, 16) & ~kQuadword,
                  Operate(Op::kAddq, 2, 17, 2), target});
  }
  sequence.segments.push_back({Layout::kCode, words});
  return sequence;
}

class PlantedBug : public ::testing::TestWithParam<Planting> {};

TEST_P(PlantedBug, IsFoundAndNamed) {
  const Planting& planting = GetParam();
  std::optional<Verdict> verdict;
  switch (planting.by) {
    case By::kGuest:
    case By::kCpus: verdict = RunGuest(planting); break;
    case By::kSeeds: verdict = RunSeeds(planting); break;
    case By::kRegression: verdict = RunRegression(planting); break;
    case By::kProgram: verdict = RunSequence(planting, Program(planting.what)); break;
  }
  ASSERT_TRUE(verdict) << "not found";
  const std::vector<std::string> expected = absl::StrSplit(std::string(planting.named), '|');
  const std::set<std::string> named(expected.begin(), expected.end());
  EXPECT_TRUE(named.contains(Mnemonic(verdict->word))) << Mnemonic(verdict->word) << "\n"
                                                       << verdict->text;
  EXPECT_EQ(verdict->certainty, planting.certainty) << verdict->text;
}

INSTANTIATE_TEST_SUITE_P(All, PlantedBug, ::testing::ValuesIn(kPlantings), [](const auto& info) {
  std::string name(info.param.bug);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// The first seed whose board case parts these engines; 0 when none of so many does.
uint64_t FirstBoardCase(const std::vector<engines::NamedEngine>& engines, uint64_t seeds,
                        BoardKind kind = BoardKind::kPlain, std::string* report = nullptr) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed, kind);
    EXPECT_TRUE(board_case.ok()) << board_case.status();
    if (!board_case.ok()) return 0;
    const BoardVerdict verdict = CheckBoardCase(engines, *board_case);
    EXPECT_TRUE(verdict.status.ok()) << verdict.status;
    if (verdict.mismatch && report != nullptr) *report = verdict.mismatch->report;
    if (verdict.mismatch) return seed;
  }
  return 0;
}

constexpr uint64_t kBoardSeeds = 160;

// Random programs on the whole board find the same faults.
TEST_P(PlantedBug, IsFoundOnTheBoard) {
  const std::string_view bug = GetParam().bug;
  const bool misses_pages = bug == "page-not-marked-dirty" || bug == "code-store-not-seen";
  if (machine::kChecksDigests && misses_pages) GTEST_SKIP() << "this build stops the process there";
  const BoardKind kind = GetParam().by == By::kCpus ? BoardKind::kCpus : BoardKind::kPlain;
  const uint64_t seed = FirstBoardCase(RefAndPlanted(GetParam().bug), kBoardSeeds, kind);
  RecordProperty("seed", absl::StrCat(seed));
  EXPECT_NE(seed, 0u);
}

// What a failing case is narrowed to still fails, is so many times shorter, and is the same when it
// comes from its text.
void ExpectShrinks(std::string_view bug, BoardKind kind, int tries, int factor) {
  const std::vector<engines::NamedEngine> engines = RefAndPlanted(bug);
  const uint64_t seed = FirstBoardCase(engines, kBoardSeeds, kind);
  const absl::StatusOr<BoardCase> board_case = GenerateBoardCase(seed, kind);
  ASSERT_TRUE(board_case.ok()) << board_case.status();
  const BoardVerdict found = CheckBoardCase(engines, *board_case);
  ASSERT_TRUE(found.mismatch);
  const BoardCase shrunk = ShrinkBoardCase(engines, *board_case, *found.mismatch, tries);
  const std::string listed = ListBoardCase(shrunk);
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_GT(lines(ListBoardCase(*board_case)), factor * lines(listed)) << listed;
  const absl::StatusOr<BoardCase> again = ParseBoardCase(FormatBoardCase(shrunk));
  ASSERT_TRUE(again.ok()) << again.status();
  const BoardVerdict verdict = CheckBoardCase(engines, *again);
  ASSERT_TRUE(verdict.mismatch);
  const std::vector<engines::NamedEngine> sound = {engines[0],
                                                   *engines::FindEngine("jit:threshold=1")};
  EXPECT_FALSE(CheckBoardCase(sound, *again).mismatch);
}

TEST(PlantedBugs, AFailingBoardCaseShrinksToWhatMatters) {
  ExpectShrinks("alias-ignored", BoardKind::kPlain, 120, 6);
}

TEST(PlantedBugs, AFailingCaseOfSeveralCpusShrinksToo) {
  ExpectShrinks("lock-outlives-store", BoardKind::kCpus, 150, 2);
}

// Guest code and host code side by side.
TEST(PlantedBugs, TheReportListsTheTranslation) {
  Conformance conformance("integer", RefAndPlanted("ldl-not-extended"));
  conformance.Run(12'000'000);
  ASSERT_TRUE(conformance.divergence);
  const DivergenceReport report = conformance.Investigate();
  const size_t guest = report.code.find("  ldl  ");
  ASSERT_NE(guest, std::string::npos) << report.code;
  EXPECT_NE(report.code.find("bytes of host code: "), std::string::npos);
  // Its host code is in the lines behind it, indented.
  const size_t host = report.code.find('\n', guest) + 1;
  EXPECT_GE(report.code.find_first_not_of(' ', host), host + 10) << report.code;
  EXPECT_NE(ReportText(report).find(report.code), std::string::npos);
}

// What is run for each fault shows nothing without one.
TEST(PlantedBugs, AreAllThereAndTheProgramsAreSound) {
  std::set<std::string> planted;
  for (const Planting& planting : kPlantings) planted.emplace(planting.bug);
  std::set<std::string> known;
#define ISOCHRON_BUG(enumerator, name) known.emplace(name);
  ISOCHRON_PLANTED_BUGS_OF_JIT(ISOCHRON_BUG)
#undef ISOCHRON_BUG
  EXPECT_EQ(planted, known);
  const std::vector<engines::NamedEngine> sound = {*engines::FindEngine("ref"),
                                                   *engines::FindEngine("jit:threshold=1")};
  for (const char* name : {"misaligned physical load", "physical store to code"}) {
    const SequenceVerdict verdict = CheckSequence(sound, Program(name), nullptr);
    EXPECT_FALSE(verdict.mismatch) << verdict.mismatch->report;
    EXPECT_GT(verdict.instructions, 60u);
  }
  for (const std::string guest : {"integer", "byte", "mmu", "asn", "litmus", "patching"}) {
    Conformance conformance(guest, sound);
    if (guest == "litmus" || guest == "patching") conformance.HaveCpus("random:1:1-40");
    conformance.Run(12'000'000);
    EXPECT_TRUE(conformance.agreed) << guest;
  }
}

// Breaks of determinism in devices and recorder; two machines on the same engine part then.
class PlantedBreak : public ::testing::Test {
 protected:
  void TearDown() override { machine::planted_break = machine::Break::kNone; }

  // The first event that is not repeated.
  static std::optional<timeline::Divergence> Repeat(machine::Break which,
                                                    const std::string& guest) {
    const std::vector<engines::NamedEngine> engines = {*engines::FindEngine("ref"),
                                                       *engines::FindEngine("ref")};
    Conformance sound(guest, engines);
    sound.Run(12'000'000);
    EXPECT_TRUE(sound.agreed);
    machine::planted_break = which;
    Conformance broken(guest, engines);
    broken.Run(12'000'000);
    EXPECT_FALSE(broken.agreed);
    return broken.divergence;
  }
};

TEST_F(PlantedBreak, AUartThatRemembersOtherRunsIsFound) {
  const auto divergence = Repeat(machine::Break::kUartTime, "console");
  ASSERT_TRUE(divergence);
  EXPECT_TRUE(std::holds_alternative<replaylog::OutputRun>(divergence->actual.body));
}

TEST_F(PlantedBreak, ATimerThatRemembersOtherRunsIsFound) {
  const auto divergence = Repeat(machine::Break::kTimerTime, "timers");
  ASSERT_TRUE(divergence);
}

TEST_F(PlantedBreak, AnInputThatIsRecordedLateIsFound) {
  const auto divergence = Repeat(machine::Break::kInputLate, "console");
  ASSERT_TRUE(divergence && divergence->expected);
  EXPECT_TRUE(divergence->expected->is_input());
}

TEST_F(PlantedBreak, ADigestThatMissesAPageIsFound) {
  machine::planted_break = machine::Break::kDigestSkipsPage;
  const std::vector<engines::NamedEngine> engines = {*engines::FindEngine("ref"),
                                                     *engines::FindEngine("ref")};
  const SequenceVerdict verdict = CheckSequence(engines, GenerateSequence(1), nullptr);
  ASSERT_TRUE(verdict.mismatch);
  EXPECT_NE(verdict.mismatch->report.find("has changed without its dirty mark"), std::string::npos)
      << verdict.mismatch->report;
}

// What devices and digests must not do shows in random programs as well.
TEST_F(PlantedBreak, BoardCasesFindDevicesThatRememberAndDigestsThatMiss) {
  const std::vector<engines::NamedEngine> engines = {*engines::FindEngine("ref"),
                                                     *engines::FindEngine("ref")};
  for (const machine::Break which : {
           machine::Break::kUartTime,
           machine::Break::kTimerTime,
           machine::Break::kDigestSkipsPage,
       }) {
    if (machine::kChecksDigests && which == machine::Break::kDigestSkipsPage) continue;
    machine::planted_break = which;
    EXPECT_NE(FirstBoardCase(engines, kBoardSeeds), 0u) << static_cast<int>(which);
  }
}

// What a device that writes to memory must not do shows where one does so in random programs. Two
// engines that both remember code may be wrong alike: the oracle remembers none.
TEST_F(PlantedBreak, DmaThatIsNotAStoreShowsInBoardCases) {
  constexpr uint64_t kDmaSeeds = 40;
  const engines::NamedEngine ref = *engines::FindEngine("ref");
  const engines::NamedEngine oracle = *engines::FindEngine(std::string(engines::kOracle));
  const engines::NamedEngine jit = *engines::FindEngine("jit:threshold=1");
  const struct {
    machine::Break which;
    const engines::NamedEngine &first, &second;
  } kCases[] = {
      {machine::Break::kDmaIntoCodeUnseen, oracle, ref},
      {machine::Break::kDmaIntoCodeUnseen, oracle, jit},
      {machine::Break::kDmaLeavesPagesClean, ref, jit},
      {machine::Break::kInterruptLost, ref, jit},
      {machine::Break::kOneDescriptorTooMany, ref, jit},
  };
  for (const auto& [which, first, second] : kCases) {
    if (machine::kChecksDigests && which == machine::Break::kDmaLeavesPagesClean) continue;
    machine::planted_break = which;
    EXPECT_NE(FirstBoardCase({first, second}, kDmaSeeds, BoardKind::kDma), 0u)
        << static_cast<int>(which) << " " << first.name << " " << second.name;
  }
  machine::planted_break = machine::Break::kNone;
  EXPECT_EQ(FirstBoardCase({oracle, jit}, 5, BoardKind::kDma), 0u);
}

// A lock that all engines keep alike shows where a guest loses an update.
TEST_F(PlantedBreak, AContendedCounterFindsALockThatOutlivesAStore) {
  const auto lost = [] {
    auto seen = testing::OutcomesIn(testing::RunLitmus("ref", "random:1:1-40", "20").transcript);
    int outcomes = 0;
    for (const auto& [outcome, count] : seen["LLSC"]) {
      outcomes += !testing::Allowed().at("LLSC").contains(outcome);
    }
    return outcomes;
  };
  EXPECT_EQ(lost(), 0);
  machine::planted_break = machine::Break::kLockOutlivesStore;
  EXPECT_GT(lost(), 0);
}

// What several CPUs must not do to one another, or the host to their order.
TEST_F(PlantedBreak, CasesOfSeveralCpusFindWhatTheSequencerMustNotDo) {
  const engines::NamedEngine ref = *engines::FindEngine("ref");
  const struct {
    machine::Break which;
    const char* report;  // a regular expression
  } kCases[] = {
      {machine::Break::kIpiLate, "does not see the interrupts"},
      {machine::Break::kTimeGoesBack, "device time goes back"},
      // An event that the other run does not have, or has elsewhere.
      {machine::Break::kOrderOfHost, "[0-9]\\.[0-9]+ +(interrupt|output|checkpoint)"},
  };
  for (const auto& [which, expected] : kCases) {
    machine::planted_break = which;
    std::string report;
    EXPECT_NE(FirstBoardCase({ref, ref}, kBoardSeeds, BoardKind::kCpus, &report), 0u)
        << static_cast<int>(which);
    EXPECT_THAT(report, ::testing::ContainsRegex(expected));
  }
  machine::planted_break = machine::Break::kNone;
  EXPECT_EQ(FirstBoardCase({ref, ref}, 5, BoardKind::kCpus), 0u);
}

TEST(PlantedBugs, UnknownOnesAreRefused) {
  EXPECT_FALSE(engines::FindEngine("jit!no-such-bug").ok());
  EXPECT_FALSE(engines::FindEngine("jit!addl-not-extended:nonsense").ok());
}

}  // namespace
}  // namespace isochron::conformance
