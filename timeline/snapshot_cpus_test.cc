// Snapshots of a machine of several CPUs, which do not stand at the same cycle.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/guest_testing.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/observer_list.h"
#include "timeline/recorder.h"
#include "timeline/replayer.h"
#include "timeline/seek.h"
#include "timeline/segment_replay.h"
#include "timeline/snapshot.h"

namespace isochron::timeline {
namespace {

using machine::GuestWork;
using machine::MakeGuest;

constexpr uint64_t kEnd = 3'000'000;
constexpr uint64_t kCheckpoints = 50'000;

machine::MachineConfig ConfigWith(const std::string& schedule) {
  machine::MachineConfig config;
  config.cpus = 3;
  config.schedule = *machine::ScheduleConfig::Parse(schedule);
  config.quantum = 10'000;
  config.input_interval = kCheckpoints;
  config.checkpoint_interval = kCheckpoints;
  return config;
}

// Types now and then, and ends the run.
class Person final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle >= kEnd) inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
    if (point.cycle % 7 == 0) inputs.push_back(machine::Input::Console("x"));
  }
};

// How often a checkpoint came where CPU 0 was behind another.
class BehindCounter final : public machine::Observer {
 public:
  explicit BehindCounter(const machine::Machine& machine) : machine_(machine) {}
  void On(const machine::Event& event) override {
    if (!std::holds_alternative<machine::CheckpointEvent>(event.body)) return;
    if (machine_.cpu().cycle < event.cycle) ++behind;
  }
  absl::Status status() const override { return absl::OkStatus(); }
  int behind = 0;

 private:
  const machine::Machine& machine_;
};

class SeveralCpusSnapshots : public ::testing::TestWithParam<const char*> {
 protected:
  static machine::MachineConfig Config() { return ConfigWith(GetParam()); }

  SeveralCpusSnapshots() {
    const auto machine = MakeGuest(work_, Config());
    const replaylog::LogHeader header = HeaderOf(machine->config());
    auto writer = replaylog::LogWriter::Create(path_, header);
    auto snapshots = SnapshotWriter::Create(SnapshotPath(path_), header);
    EXPECT_TRUE(writer.ok() && snapshots.ok());
    Recorder recorder(**writer);
    SnapshotTaker taker(*machine, **snapshots, 2 * kCheckpoints);
    BehindCounter counter(*machine);
    ObserverList observers;
    observers.Add(&recorder);
    observers.Add(&taker);
    observers.Add(&counter);
    Person person;
    machine->SetObserver(&observers);
    machine->SetInputSource(&person);
    machine->Run();
    EXPECT_GT(counter.behind, 5) << "the case that this is about";
    EXPECT_TRUE(taker.error().ok());
    EXPECT_TRUE((*snapshots)->Finish().ok());
    EXPECT_TRUE((*writer)->Finish().ok());
    end_ = machine->StateDigest();
  }

  const std::string path_ = replaylog::TestPath("log");
  GuestWork work_;
  machine::Digest end_;
};

TEST_P(SeveralCpusSnapshots, AReplayGoesOnFromEach) {
  auto log = replaylog::LogReader::Open(path_);
  ASSERT_TRUE(log.ok()) << log.status();
  auto snapshots = SnapshotReader::Open(SnapshotPath(path_), (*log)->header());
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  const auto fitting = SnapshotsOf(**log, (*snapshots)->snapshots());
  ASSERT_TRUE(fitting.ok());
  EXPECT_GE((*snapshots)->snapshots().size(), kEnd / (2 * kCheckpoints) - 1);
  ASSERT_EQ(fitting->size(), (*snapshots)->snapshots().size()) << "each is of a checkpoint";
  for (const SnapshotInfo* const snapshot : *fitting) {
    SCOPED_TRACE(snapshot->cycle);
    const auto machine = MakeGuest(work_, Config());
    ASSERT_TRUE((*snapshots)->Restore(*snapshot, *machine).ok());
    ASSERT_TRUE(*SeekToSnapshot(**log, *snapshot));
    Replayer replayer(**log, machine->config().clock_hz);
    machine->SetObserver(&replayer);
    machine->SetInputSource(&replayer);
    machine->Run();
    EXPECT_TRUE(replayer.end().has_value()) << replayer.status();
    EXPECT_EQ(machine->StateDigest(), end_);
    machine->SetObserver(nullptr);
    machine->SetInputSource(nullptr);
  }
}

TEST_P(SeveralCpusSnapshots, PartsBetweenThemAreAllOfTheReplay) {
  const MachineMaker make = [this] { return MakeGuest(work_, Config()); };
  SegmentReplayOptions options{path_, SnapshotPath(path_), 1};
  const auto whole = ReplaySegments(options, make);
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_TRUE(whole->end.has_value());
  const auto parts = ListSegments(options, 8);
  ASSERT_TRUE(parts.ok()) << parts.status();
  ASSERT_GT(parts->size(), 5u);
  uint64_t events = 0;
  for (const SegmentBounds& bounds : *parts) {
    SCOPED_TRACE(bounds.from);
    options.only = bounds;
    const auto part = ReplaySegments(options, make);
    ASSERT_TRUE(part.ok()) << part.status();
    EXPECT_FALSE(part->divergence.has_value());
    EXPECT_EQ(part->end.has_value(), bounds.until == machine::kNever);
    events += part->events_compared;
  }
  EXPECT_EQ(events, whole->events_compared) << "none twice, and none left out";
}

INSTANTIATE_TEST_SUITE_P(Schedules, SeveralCpusSnapshots,
                         ::testing::Values("fixed", "random:1:1-50", "random:2", "pct:1:64:5000000",
                                           "pct:2:1",
                                           "switches:0:0-2,90000:2-1,500000:1-0,500000:1-2"));

}  // namespace
}  // namespace isochron::timeline
