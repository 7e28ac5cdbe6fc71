// What a survey of several CPUs tells of the time for which each stands still.

#include "debug/report/survey.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "debug/answers.h"
#include "debug/query.h"
#include "debug/report/series.h"
#include "debug/symbols.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "machine/machine_rounds_testing.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"
#include "timeline/timeline.h"

namespace isochron::debug {
namespace {

using machine::Machine;
using machine::Rig;
using machine::StopCondition;

constexpr uint32_t kCpus = 3;
constexpr uint64_t kQuantum = 3'000;

struct Waits final : SurveyListener {
  explicit Waits(const Spans& spans) : of(kCpus, Series(spans)) {}
  void OnRow(Topic, const Row&) override {}
  void OnMode(int, uint64_t, bool) override {}
  void OnWait(int cpu, uint64_t cycle, uint64_t cycles) override { of[cpu].Add(cycle, cycles); }

  std::vector<Series> of;
};

// As one sees who looks at each boundary: a CPU that does something and then stands still has done
// so last.
Waits LookAtEach(const Spans& spans, uint64_t end) {
  Waits waits(spans);
  Rig rig(kCpus, kQuantum, "random:7:1-900");
  const Machine& machine = *rig.machine;
  std::vector<uint64_t> waited(kCpus);
  while (machine.now() < end) {
    EXPECT_FALSE(rig.machine->RunUntil(StopCondition::AtMoment(machine.moment() + 1)).has_value());
    for (uint32_t i = 0; i < kCpus; ++i) {
      const int cpu = static_cast<int>(i);
      const uint64_t cycles = machine.wait_cycles(cpu) - waited[i];
      waited[i] += cycles;
      waits.of[i].AddCycles(machine.cpu(cpu).cycle - cycles, machine.cpu(cpu).cycle);
    }
  }
  return waits;
}

TEST(Survey, TimeStoodStillIsOfTheSpanInWhichItWas) {
  const std::string path = replaylog::TestPath("log");
  uint64_t end = 0;
  {
    Rig rig(kCpus, kQuantum, "random:7:1-900");
    auto writer = replaylog::LogWriter::Create(path, timeline::HeaderOf(rig.machine->config()));
    ASSERT_TRUE(writer.ok()) << writer.status();
    timeline::Recorder recorder(**writer);
    rig.machine->SetObserver(&recorder);
    rig.machine->Run();
    end = rig.machine->now();
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  const Spans spans = Spans::Over(end, 64);

  auto log = replaylog::LogReader::Open(path);
  ASSERT_TRUE(log.ok()) << log.status();
  Rig rig(kCpus, kQuantum, "random:7:1-900");
  rig.machine->SetObserver(nullptr);
  auto timeline = timeline::Timeline::Create(*std::move(log), nullptr, std::move(rig.machine), {});
  ASSERT_TRUE(timeline.ok()) << timeline.status();
  const Symbols symbols((*timeline)->machine().kernel());
  Waits seen(spans);
  Survey survey(symbols, spans, &seen);
  Answers answers([](const Row&) { return true; });
  const absl::Status status =
      SearchRange(**timeline, survey, {0, end + 1}, [&](const Sighting& sighting) {
        survey.Tell(sighting, answers);
        return true;
      });
  ASSERT_TRUE(status.ok()) << status;

  const Waits truth = LookAtEach(spans, spans.width * (spans.count - 1));
  uint64_t total = 0;
  uint64_t off = 0;
  for (uint32_t cpu = 0; cpu < kCpus; ++cpu) {
    for (size_t span = 0; span + 1 < spans.count; ++span) {
      const uint64_t waited = truth.of[cpu].at(span);
      const uint64_t told = seen.of[cpu].at(span);
      total += waited;
      off += std::max(told, waited) - std::min(told, waited);
    }
  }
  EXPECT_GT(total, kCpus * end / 4);
  // What comes to the end of a round has perhaps not been looked at since its turn began.
  EXPECT_LT(off, total / 50);
}

}  // namespace
}  // namespace isochron::debug
