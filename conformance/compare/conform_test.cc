// Two machines side by side: agreement, differences, and what the report says of them.

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/compare/conform_testing.h"
#include "conformance/compare/divergence_report.h"
#include "conformance/compare/event_pipe.h"
#include "conformance/compare/machine_twins.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "engines/faulty_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

using testing::Conformance;
using testing::Mnemonic;

constexpr uint64_t kCycles = 12'000'000;

std::vector<engines::NamedEngine> RefAnd(const std::string& fault) {
  return {*engines::FindEngine("ref"), {"ref!" + fault, *engines::FaultyInterpreter(fault)}};
}

TEST(Conform, EveryPairOfEnginesAgrees) {
  for (const std::string& first : engines::EngineNames()) {
    for (const std::string& second : engines::EngineNames()) {
      Conformance conformance("timers",
                              {*engines::FindEngine(first), *engines::FindEngine(second)});
      conformance.Run(kCycles);
      EXPECT_TRUE(conformance.agreed) << first << ", " << second;
      EXPECT_EQ(conformance.compared, conformance.run.events.size());
      EXPECT_GT(conformance.compared, 10u);
    }
  }
}

DivergenceReport Investigate(Conformance& conformance) {
  conformance.Run(kCycles);
  EXPECT_FALSE(conformance.agreed);
  EXPECT_TRUE(conformance.divergence.has_value());
  return conformance.Investigate();
}

TEST(Conform, AFaultyInstructionIsNamed) {
  for (const char* fault : {"beq", "stb"}) {
    Conformance conformance("integer", RefAnd(fault));
    const DivergenceReport report = Investigate(conformance);
    EXPECT_EQ(report.certainty, Certainty::kInstruction);
    EXPECT_EQ(Mnemonic(report.culprit.word), fault) << ReportText(report);
  }
}

TEST(Conform, AFaultThatStrikesOnceIsPlacedToTheCycle) {
  for (const char* fault : {"register@3000000", "cycle@3000000", "memory@3000000"}) {
    Conformance conformance("integer", RefAnd(fault));
    const DivergenceReport report = Investigate(conformance);
    EXPECT_EQ(report.certainty, Certainty::kInstruction) << fault;
    // The boundary before the one at which it struck; a wait for I/O may be long.
    EXPECT_LE(report.culprit.cycle, 3'000'000u) << fault;
    EXPECT_GT(report.culprit.cycle, 2'990'000u) << fault;
    EXPECT_EQ(report.equal_cycle / 1'000'000, 2u);
  }
}

// What a conformance of four CPUs comes to with a fault.
DivergenceReport InvestigateCpus(const std::string& schedule, const std::string& fault) {
  Conformance conformance("litmus", RefAnd(fault));
  conformance.HaveCpus(schedule);
  return Investigate(conformance);
}

// Of several CPUs, too: the instruction, the CPU that executed it, and where that stood.
TEST(Conform, AFaultyInstructionOfSeveralCpusIsNamed) {
  const DivergenceReport report = InvestigateCpus("random:2:1-400", "ldq_l");
  const std::string text = ReportText(report);
  EXPECT_EQ(report.certainty, Certainty::kInstruction);
  EXPECT_EQ(Mnemonic(report.culprit.word), "ldq_l") << text;
  const std::string where = absl::StrCat("the instruction of CPU ", report.culprit.cpu,
                                         " at its cycle ", report.culprit.cycle);
  EXPECT_NE(text.find(where), text.npos) << text;
  EXPECT_NE(ReportHtml(report).find(where), std::string::npos);
}

// The first CPU that comes to the cycle is the one, which the schedule says.
TEST(Conform, AFaultThatStrikesOneCpuOnceIsPlacedToItsCycle) {
  std::set<uint32_t> cpus;
  for (const char* schedule : {"fixed", "random:1:1-40", "random:2:1-40"}) {
    const DivergenceReport report = InvestigateCpus(schedule, "memory@800000");
    EXPECT_EQ(report.certainty, Certainty::kInstruction) << schedule;
    EXPECT_LE(report.culprit.cycle, 800'000u);
    EXPECT_GT(report.culprit.cycle, 790'000u) << ReportText(report);
    cpus.insert(report.culprit.cpu);
  }
  EXPECT_GT(cpus.size(), 1u);
}

// Types at the first input point, and stops there.
class TypeAndStop final : public machine::InputSource {
 public:
  explicit TypeAndStop(std::string_view text) : text_(text) {}
  void Poll(const machine::InputPoint&, std::vector<machine::Input>& inputs) override {
    if (!text_.empty()) inputs.push_back(machine::Input::Bytes(machine::Port::Uart(0), text_));
    inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
  }

 private:
  const std::string text_;
};

std::unique_ptr<machine::Machine> MachineWithTyped(std::string_view text) {
  auto machine = MakeMachine(std::string(ISOCHRON_GUEST_DIR) + "/timers.elf");
  EXPECT_TRUE(machine.ok()) << machine.status();
  TypeAndStop source(text);
  (*machine)->SetInputSource(&source);
  (*machine)->Run();
  (*machine)->SetInputSource(nullptr);
  return *std::move(machine);
}

TEST(Conform, WhatDiffersInADeviceIsNamed) {
  const auto silent = MachineWithTyped("");
  const auto typed = MachineWithTyped("ab");
  EXPECT_EQ(absl::StrJoin(FieldDifferences(*silent, *typed), ""),
            "* uart0.line.size: 0x00000000, 0x00000002\n"
            "* uart0.line[0].byte: none, 0x61\n"
            "* uart0.line[0].errors: none, 0x00\n"
            "* uart0.line[1].byte: none, 0x62\n"
            "* uart0.line[1].errors: none, 0x00\n");
  EXPECT_THAT(FieldDifferences(*silent, *silent), ::testing::IsEmpty());
}

TEST(Conform, TheReportShowsWhatDiffers) {
  Conformance conformance("integer", RefAnd("memory@3000000"));
  const DivergenceReport report = Investigate(conformance);
  ASSERT_EQ(report.memory_words, 1u);
  EXPECT_EQ(report.memory[0].pa, 0x2'0100u);
  EXPECT_EQ(report.memory[0].first ^ report.memory[0].second, 1u);
  const std::string text = ReportText(report);
  EXPECT_NE(text.find("* memory 0x20100"), text.npos) << text;
  EXPECT_NE(text.find("=> "), text.npos);
  const std::string html = ReportHtml(report);
  EXPECT_NE(html.find("memory 0x20100"), html.npos);
  EXPECT_NE(html.find("<div class=\"time\">"), html.npos);
  for (const char* foreign : {"http:", "https:", "src=", "href="}) {
    EXPECT_EQ(html.find(foreign), html.npos) << foreign;
  }
}

TEST(Conform, AFaultThatDoesNotComeBackIsCalledThat) {
  Conformance conformance("integer", RefAnd("vanishing@3000000"));
  const DivergenceReport report = Investigate(conformance);
  EXPECT_EQ(report.certainty, Certainty::kNotReproduced);
  EXPECT_NE(ReportText(report).find("did not come back"), std::string::npos);
  EXPECT_NE(ReportHtml(report).find("did not come back"), std::string::npos);
}

TEST(EventPipe, SaysThatNothingIsBeforeACycle) {
  EventPipe pipe;
  pipe.SetProgress(100);
  EXPECT_TRUE(pipe.NothingBefore(100));
  pipe.Append({0, 120, 0, replaylog::InterruptEvent{1}});
  EXPECT_FALSE(pipe.NothingBefore(100));
  replaylog::Event event;
  EXPECT_TRUE(*pipe.Next(event));
  EXPECT_EQ(event.cycle, 120u);
  pipe.Close();
  EXPECT_FALSE(pipe.NothingBefore(1));
  EXPECT_FALSE(*pipe.Next(event));
}

TEST(EventPipe, AWriterDoesNotLeadByMoreThanAPartOfASecond) {
  EventPipe pipe;
  pipe.SetProgress(EventPipe::kMaxLead);
  std::atomic<bool> there = false;
  std::thread writer([&] {
    pipe.SetProgress(EventPipe::kMaxLead + 100);
    there = true;
    pipe.SetProgress(EventPipe::kMaxLead * 2);
  });
  EXPECT_TRUE(pipe.NothingBefore(99));
  std::this_thread::yield();
  EXPECT_FALSE(there);
  EXPECT_TRUE(pipe.NothingBefore(100));
  pipe.Cancel();
  writer.join();
  EXPECT_TRUE(there);
}

TEST(EventPipe, AReaderThatGivesUpStopsTheWriter) {
  EventPipe pipe;
  EXPECT_TRUE(pipe.status().ok());
  pipe.Cancel();
  EXPECT_FALSE(pipe.status().ok());
}

}  // namespace
}  // namespace isochron::conformance
