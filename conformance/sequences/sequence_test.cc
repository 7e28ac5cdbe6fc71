// Random sequences: their files, their generator, and that each kind of fault is found and named.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alpha/decode.h"
#include "alpha/fetch_word.h"
#include "conformance/sequences/sequence.h"
#include "conformance/sequences/sequence_check.h"
#include "conformance/sequences/sequence_coverage.h"
#include "conformance/sequences/sequence_generator.h"
#include "conformance/sequences/sequence_machine.h"
#include "engines/engines.h"
#include "engines/faulty_engine.h"
#include "gtest/gtest.h"
#include "machine/stop_condition.h"

namespace isochron::conformance {
namespace {

std::vector<engines::NamedEngine> RefAnd(const std::string& fault) {
  return {*engines::FindEngine("ref"), {"ref!" + fault, *engines::FaultyInterpreter(fault)}};
}

// The first of some seeds at which the engines part.
struct Finding {
  uint64_t seed = 0;
  Sequence sequence;
  SequenceMismatch mismatch;
};
std::optional<Finding> Find(const std::vector<engines::NamedEngine>& engines, uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Sequence sequence = GenerateSequence(seed);
    SequenceVerdict verdict = CheckSequence(engines, sequence, nullptr);
    if (verdict.mismatch) return Finding{seed, sequence, *verdict.mismatch};
  }
  return std::nullopt;
}

TEST(Sequence, SurvivesItsFile) {
  const Sequence sequence = GenerateSequence(7);
  const std::string text = FormatSequence(sequence);
  absl::StatusOr<Sequence> parsed = ParseSequence(text);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(FormatSequence(*parsed), text);
  const std::vector<engines::NamedEngine> engines = {*engines::FindEngine("ref"),
                                                     *engines::FindEngine("ref")};
  const SequenceVerdict a = CheckSequence(engines, sequence, nullptr);
  const SequenceVerdict b = CheckSequence(engines, *parsed, nullptr);
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_GT(a.instructions, 1000u);
}

TEST(Sequence, FilesThatMakeNoSenseAreRefused) {
  const std::string good = "isochron-sequence 1\ncycles 10\ntlb_entries 8\n";
  EXPECT_TRUE(ParseSequence(good).ok());
  EXPECT_TRUE(ParseSequence(good + "# a comment\n\nr 3 12\n").ok());
  for (const char* bad : {"r 28 0\n", "r 1\n", "f 20 1\n", "words 10000\n", "words 7fffc 1 2\n",
                          "words 10001 1\n", "words 10000 100000000\n", "fill 0 7 0\n",
                          "fill 0 ffffffffffffffff 1\n", "pc\n", "unknown 1\n", "pc xyz\n"}) {
    absl::StatusOr<Sequence> parsed = ParseSequence(good + bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_NE(parsed.status().message().find("line 4"), absl::string_view::npos) << parsed.status();
  }
  EXPECT_FALSE(ParseSequence("").ok());
  EXPECT_FALSE(ParseSequence("something else\n").ok());
  EXPECT_FALSE(ParseSequence("isochron-sequence 1\n").ok());
  EXPECT_FALSE(ParseSequence("isochron-sequence 1\ncycles 10\ntlb_entries 0\n").ok());
}

TEST(Sequence, ASeedGivesOneSequence) {
  EXPECT_EQ(FormatSequence(GenerateSequence(3)), FormatSequence(GenerateSequence(3)));
  EXPECT_NE(FormatSequence(GenerateSequence(3)), FormatSequence(GenerateSequence(4)));
}

// What a run is to show that stops at some PCs: found one instruction at a time, on the engine that
// remembers nothing.
struct Visits {
  std::vector<uint64_t> pcs;
  std::vector<uint64_t> cycles;
};
Visits StepForVisits(const Sequence& sequence) {
  struct Place {
    uint64_t pc;
    uint64_t cycle;
    bool executes;
  };
  std::vector<Place> places;
  SequenceMachine machine(sequence, engines::FindEngine("oracle")->factory);
  const alpha::Cpu& cpu = machine.cpu();
  for (;;) {
    machine.RunTo(cpu.cycle + 1);
    if (machine.stopped() || cpu.cycle >= sequence.cycles) break;
    const bool executes =
        !cpu.InterruptDeliverable() && alpha::FetchWord(cpu, machine.memory(), cpu.pc).has_value();
    places.push_back({cpu.pc, cpu.cycle, executes});
  }
  Visits visits;
  for (size_t i = 1; i <= 3 && !places.empty(); ++i) {
    visits.pcs.push_back(places[(sequence.seed * i * 7919) % places.size()].pc);
  }
  for (const Place& place : places) {
    const bool chosen =
        std::find(visits.pcs.begin(), visits.pcs.end(), place.pc) != visits.pcs.end();
    if (chosen && place.executes) visits.cycles.push_back(place.cycle);
  }
  return visits;
}

TEST(Sequence, EveryEngineStopsAtEachVisitOfAPc) {
  std::vector<std::string> names = {"oracle", "ref"};
#ifdef ISOCHRON_JIT
  names.insert(names.end(), {"jit", "jit:threshold=1"});
#endif
  size_t stops = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const Sequence sequence = GenerateSequence(seed);
    const Visits visits = StepForVisits(sequence);
    machine::StopCondition condition = machine::StopCondition::AtPcs(visits.pcs);
    condition.cycle = sequence.cycles;
    stops += visits.cycles.size();
    for (const std::string& name : names) {
      SequenceMachine machine(sequence, engines::FindEngine(name)->factory);
      std::vector<uint64_t> cycles;
      for (;;) {
        machine.RunUntil(condition);
        if (machine.stopped() || machine.cpu().cycle >= sequence.cycles) break;
        cycles.push_back(machine.cpu().cycle);
      }
      EXPECT_EQ(cycles, visits.cycles) << name << ", seed " << seed;
    }
  }
  EXPECT_GT(stops, 500u);
}

TEST(Sequence, CoverageKnowsEveryInstruction) {
  std::set<alpha::Op> seen;
  for (const CoveragePair& pair : AllCoveragePairs()) seen.insert(pair.op);
  EXPECT_EQ(seen.size(), alpha::kOpCount);
  EXPECT_TRUE(CanHave(alpha::Op::kLdq, Outcome::kUnaligned));
  EXPECT_FALSE(CanHave(alpha::Op::kLdqU, Outcome::kUnaligned));
  EXPECT_FALSE(CanHave(alpha::Op::kStq, Outcome::kFaultOnRead));
  EXPECT_EQ(SequenceCoverage().Holes().size(), AllCoveragePairs().size());
}

TEST(Sequence, StepsAreCounted) {
  const std::vector<engines::NamedEngine> engines = {*engines::FindEngine("ref"),
                                                     *engines::FindEngine("ref")};
  SequenceCoverage coverage;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const SequenceVerdict verdict = CheckSequence(engines, GenerateSequence(seed), &coverage);
    ASSERT_FALSE(verdict.mismatch) << verdict.mismatch->report;
  }
  EXPECT_GT(coverage.instructions(), 100'000u);
  EXPECT_LT(coverage.Holes().size(), AllCoveragePairs().size() / 3);
}

class InstructionFaultTest : public ::testing::TestWithParam<std::string> {};

TEST_P(InstructionFaultTest, IsFoundAndNamed) {
  const std::vector<engines::NamedEngine> engines = RefAnd(GetParam());
  const std::optional<Finding> finding = Find(engines, 300);
  ASSERT_TRUE(finding) << "no seed shows it";
  const std::string named = alpha::Info(alpha::Decode(finding->mismatch.word).op).mnemonic.data();
  const std::string meant = GetParam() == "callpal" ? "call_pal" : GetParam();
  EXPECT_EQ(named, meant) << finding->mismatch.report;

  const Sequence small = ShrinkSequence(engines, finding->sequence, finding->mismatch, 300);
  EXPECT_TRUE(CheckPlan(engines, small, finding->mismatch.plan));
  EXPECT_LT(ListSequence(small).size(), ListSequence(finding->sequence).size() / 4);
}

INSTANTIATE_TEST_SUITE_P(All, InstructionFaultTest,
                         ::testing::ValuesIn(engines::InstructionFaults()),
                         [](const auto& info) { return info.param; });

TEST(SequenceFault, BookkeepingIsComparedToo) {
  for (const char* fault : {"memory@3000", "cycle@3000", "register@3000", "tlb@3000"}) {
    EXPECT_TRUE(Find(RefAnd(fault), 60)) << fault;
  }
}

TEST(SequenceFault, OneThatDoesNotComeBackIsCalledThat) {
  // The factory's first engine has the fault: that of the first run. Where the register is dead
  // nobody notices.
  int found = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const SequenceVerdict verdict =
        CheckSequence(RefAnd("vanishing@5000"), GenerateSequence(seed), nullptr);
    if (!verdict.mismatch) continue;
    ++found;
    EXPECT_FALSE(verdict.mismatch->reproduced);
  }
  EXPECT_GT(found, 0);
}

TEST(Engines, PairsAreParsed) {
  EXPECT_TRUE(engines::ParseEnginePair("ref,ref").ok());
  for (const char* bad : {"", "ref", "ref,", ",ref", "ref,none", "ref,ref,ref"}) {
    EXPECT_FALSE(engines::ParseEnginePair(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace isochron::conformance
