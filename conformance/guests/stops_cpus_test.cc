// Stops of several CPUs, which are inside of PALcode at the same time and interrupted at the same
// boundary: held against what shows to who looks at each boundary.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alpha/exceptions.h"
#include "conformance/guests/guest_recording.h"
#include "debug/gdb/timeline_debuggee.h"
#include "debug/osf_calls.h"
#include "debug/stops.h"
#include "debug/symbols.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hostio/sanitizers.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "timeline/arrival_testing.h"
#include "timeline/timeline.h"

namespace isochron::conformance {
namespace {

using debug::StopReport;
using machine::Machine;
using machine::StopCondition;
using ::testing::HasSubstr;
using timeline::Arrival;
using timeline::ExpectThere;
using timeline::Timeline;

constexpr int kCpus = 3;
constexpr int kPlaces = hostio::kAddressSanitizer ? 20 : 60;

// Moments, and the CPUs of which there is something to stop at.
using Hits = std::map<uint64_t, std::set<int>>;

machine::MachineConfig Config(const std::string& schedule) {
  machine::MachineConfig config = GuestRecording::Config();
  config.cpus = kCpus;
  config.quantum = 2'000;
  config.schedule = *machine::ScheduleConfig::Parse(schedule);
  config.command_line = "i";  // they interrupt each other as often as they can
  return config;
}

class StopsOfCpus : public ::testing::TestWithParam<std::string> {
 protected:
  StopsOfCpus() : recording_("misuse", Config(GetParam())) {
    auto log = replaylog::LogReader::Open(recording_.path());
    EXPECT_TRUE(log.ok()) << log.status();
    // Few snapshots, so that a search has to do with more than one part, and many.
    Timeline::Options options;
    options.snapshot_interval = 5'000;
    auto timeline = Timeline::Create(*std::move(log), nullptr, recording_.Make("ref"), options);
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    timeline_ = *std::move(timeline);
    symbols_ = std::make_unique<debug::Symbols>(machine().kernel());
    debuggee_ = std::make_unique<debug::TimelineDebuggee>(*timeline_, *symbols_);
    stops_ = std::make_unique<debug::Stops>(*timeline_);
  }

  const Machine& machine() const { return timeline_->machine(); }
  uint64_t Random(uint64_t below) { return random_() % below; }

  void Set(const std::string& line) {
    const auto stop = debug::StopNamed(line, *symbols_);
    ASSERT_TRUE(stop.ok()) << stop.status();
    ASSERT_TRUE(stops_->Add(*stop).ok());
  }

  // Runs from the middle of the storm on, to each boundary. `look` is told where that is, and adds
  // what there is to stop at.
  template <typename Look>
  Hits LookAtEach(Look look) {
    const std::unique_ptr<Machine> straight = recording_.StraightRun();
    EXPECT_FALSE(straight->RunUntil(StopCondition::AtCycle(recording_.end() / 2)).has_value());
    begin_ = straight->moment();
    Hits hits;
    for (int i = 0; i < 15'000; ++i) {
      EXPECT_FALSE(straight->RunUntil(StopCondition::AtMoment(straight->moment() + 1)).has_value());
      look(*straight, hits[straight->moment()]);
    }
    end_ = straight->moment();
    std::erase_if(hits, [](const auto& hit) { return hit.second.empty(); });
    EXPECT_GT(hits.size(), 20u);
    return hits;
  }

  // Where the run has stopped, which must be one of these, and for which of them.
  void ExpectAt(const absl::StatusOr<Arrival>& arrival, Hits::const_iterator hit) {
    ExpectThere(arrival);
    ASSERT_EQ(machine().moment(), hit->first);
    const std::optional<timeline::Selection>& selection = timeline_->selection();
    ASSERT_TRUE(selection.has_value());
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      const bool named = selection->why.find(absl::StrCat(", CPU ", cpu)) != std::string::npos;
      EXPECT_EQ(named, hit->second.contains(cpu)) << selection->why;
    }
    ASSERT_TRUE(selection->cpu.has_value());
    EXPECT_TRUE(hit->second.contains(*selection->cpu)) << selection->why;
  }

  // From anywhere the next and the last are those that they should be.
  void ExpectFromAnywhere(const Hits& hits) {
    for (int i = 0; i < kPlaces; ++i) {
      // Where those that are inside of something were before is in what was looked at.
      const uint64_t quarter = (end_ - begin_) / 4;
      ExpectThere(timeline_->GoToMoment(begin_ + quarter + Random(2 * quarter)));
      const uint64_t here = machine().moment();
      SCOPED_TRACE(absl::StrCat("from ", here));
      const auto next = hits.upper_bound(here);
      ASSERT_NE(next, hits.end());
      ASSERT_LT(hits.begin()->first, here);
      ASSERT_NO_FATAL_FAILURE(ExpectAt(timeline_->RunForward({}, *stops_), next));
      ExpectThere(timeline_->GoToMoment(here));
      const auto last = std::prev(hits.lower_bound(here));
      ASSERT_NO_FATAL_FAILURE(ExpectAt(timeline_->RunBackward({}, *stops_), last));
    }
  }

  GuestRecording recording_;
  std::unique_ptr<Timeline> timeline_;
  std::unique_ptr<debug::Symbols> symbols_;
  std::unique_ptr<debug::TimelineDebuggee> debuggee_;
  std::unique_ptr<debug::Stops> stops_;
  std::mt19937_64 random_{20261129};
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
};

TEST_P(StopsOfCpus, CallsReturnWhoeverExecutesNext) {
  constexpr uint32_t kWripir = 0x0d;
  bool inside[kCpus] = {};
  const Hits hits = LookAtEach([&](const Machine& straight, std::set<int>& here) {
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      if (inside[cpu] && !straight.cpu(cpu).pal_mode()) here.insert(cpu);
      inside[cpu] = inside[cpu] && straight.cpu(cpu).pal_mode();
    }
    if (!straight.next_cpu().has_value()) return;
    const alpha::Cpu& next = straight.cpu(*straight.next_cpu());
    for (const uint32_t function : {debug::osf::kRti, kWripir}) {
      if (next.pc == alpha::CallPalPc(next, function)) inside[next.index] = true;
    }
  });
  Set("callpal rti after");
  Set("callpal wripir after");
  ExpectFromAnywhere(hits);
}

TEST_P(StopsOfCpus, InterruptsAreOfTheCpuThatTakesThem) {
  uint64_t taken[kCpus] = {};
  bool known = false;
  const Hits hits = LookAtEach([&](const Machine& straight, std::set<int>& here) {
    for (int cpu = 0; cpu < kCpus; ++cpu) {
      const uint64_t before = std::exchange(taken[cpu], straight.cpu(cpu).counters.interrupts);
      if (known && taken[cpu] != before) here.insert(cpu);
    }
    known = true;
  });
  Set("interrupt");
  ExpectFromAnywhere(hits);
}

// Between rounds nobody knows who executes next, so no breakpoint is met there.
TEST_P(StopsOfCpus, AreNoBreakpointsWhereNobodyExecutesNext) {
  const auto monitor = [&](const std::string& line) {
    return debuggee_->Monitor(0, line, [] { return false; });
  };
  const auto go = [&] { return debuggee_->Go({}, [] { return false; }); };
  ExpectThere(timeline_->GoToCycle(recording_.end() / 2));
  EXPECT_THAT(monitor("stop checkpoint"), HasSubstr("checkpoint"));
  EXPECT_THAT(go().message, HasSubstr("checkpoint"));
  ASSERT_FALSE(machine().inside_round());
  const uint64_t checkpoint = machine().moment();
  const uint64_t pc = machine().cpu(0).pc;
  ASSERT_TRUE(debuggee_->Insert({debug::Stoppoint::Kind::kSoftwareBreakpoint, pc & ~3, 4}).ok());
  ExpectThere(timeline_->StepBackward());
  const StopReport there = go();
  EXPECT_EQ(machine().moment(), checkpoint);
  EXPECT_THAT(there.message, HasSubstr("checkpoint"));
  EXPECT_EQ(there.reason, StopReport::Reason::kStepped);
  StopReport behind = go();
  EXPECT_EQ(behind.reason, StopReport::Reason::kStoppoint);
  EXPECT_EQ(machine().cpu(*machine().next_cpu()).pc & ~uint64_t{3}, pc & ~uint64_t{3});
}

INSTANTIATE_TEST_SUITE_P(Schedules, StopsOfCpus, ::testing::Values("fixed", "random:5:1-60"));

}  // namespace
}  // namespace isochron::conformance
