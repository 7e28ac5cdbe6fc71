// Two machines side by side: agreement, differences, and what the report says of them.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alpha/decode.h"
#include "conformance/divergence_report.h"
#include "conformance/engines.h"
#include "conformance/event_pipe.h"
#include "conformance/faulty_engine.h"
#include "conformance/follower.h"
#include "conformance/guest_run.h"
#include "conformance/machine_twins.h"
#include "gtest/gtest.h"
#include "machine/image_file.h"

namespace isochron::conformance {
namespace {

machine::BootImages Guest(const std::string& name) {
  const auto file =
      machine::ReadImageFile(std::string(ISOCHRON_GUEST_DIR) + "/" + name + ".elf");
  EXPECT_TRUE(file.ok()) << file.status();
  auto kernel = machine::ParseKernel(*file);
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  machine::BootImages images;
  images.kernel = *std::move(kernel);
  return images;
}

// What `isochron conform` does, without a terminal.
struct Conformance {
  Conformance(const std::string& guest, std::vector<NamedEngine> two) : engines(std::move(two)) {
    run.config.memory_bytes = uint64_t{32} << 20;
    run.config.input_interval = 100'000;
    run.config.checkpoint_interval = 1'000'000;
    run.images = Guest(guest);
  }

  void Run(uint64_t cycles) {
    auto first = machine::Machine::Create(run.config, run.images, engines[0].factory);
    auto second = machine::Machine::Create(run.config, run.images, engines[1].factory);
    ASSERT_TRUE(first.ok() && second.ok());
    EventPipe pipe;
    LeaderObserver leader(pipe, **first);
    Follower follower(*std::move(second), pipe, true);
    (*first)->SetObserver(&leader);
    follower.Start();
    RunTo(**first, cycles);
    pipe.Close();
    follower.Join();
    run.events = pipe.events();
    divergence = follower.replayer().divergence();
    agreed = follower.replayer().end().has_value();
    compared = follower.replayer().events_compared();
  }

  std::vector<NamedEngine> engines;
  RecordedRun run;
  std::optional<replaylog::Divergence> divergence;
  bool agreed = false;
  uint64_t compared = 0;
};

constexpr uint64_t kCycles = 12'000'000;

std::vector<NamedEngine> RefAnd(const std::string& fault) {
  return {*FindEngine("ref"), *FaultyInterpreter(fault)};
}

TEST(Conform, EveryPairOfEnginesAgrees) {
  for (const std::string& first : EngineNames()) {
    for (const std::string& second : EngineNames()) {
      Conformance conformance("timers", {*FindEngine(first), *FindEngine(second)});
      conformance.Run(kCycles);
      EXPECT_TRUE(conformance.agreed) << first << ", " << second;
      EXPECT_EQ(conformance.compared, conformance.run.events.size());
      EXPECT_GT(conformance.compared, 10u);
    }
  }
}

// The instruction that the report names.
std::string Named(const DivergenceReport& report) {
  return std::string(alpha::Info(alpha::Decode(report.culprit.word).op).mnemonic);
}

DivergenceReport Investigate(Conformance& conformance) {
  conformance.Run(kCycles);
  EXPECT_FALSE(conformance.agreed);
  EXPECT_TRUE(conformance.divergence.has_value());
  auto report =
      InvestigateDivergence(conformance.run, conformance.engines, *conformance.divergence);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

TEST(Conform, AFaultyInstructionIsNamed) {
  for (const char* fault : {"beq", "stb"}) {
    Conformance conformance("integer", RefAnd(fault));
    const DivergenceReport report = Investigate(conformance);
    EXPECT_EQ(report.certainty, Certainty::kInstruction);
    EXPECT_EQ(Named(report), fault) << ReportText(report);
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
  EXPECT_NE(html.find("<svg"), html.npos);
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

TEST(EventPipe, AReaderThatGivesUpStopsTheWriter) {
  EventPipe pipe;
  EXPECT_TRUE(pipe.status().ok());
  pipe.Cancel();
  EXPECT_FALSE(pipe.status().ok());
}

}  // namespace
}  // namespace isochron::conformance
