// Verifying a log piece by piece, side by side: the verdict is that of a replay in one go.

#include "timeline/segment_replay.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "conformance/guests/guest_recording.h"
#include "gtest/gtest.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_writer.h"
#include "timeline/replayer.h"

namespace isochron::conformance {
namespace {

using replaylog::CheckpointEvent;
using replaylog::Event;
using timeline::SegmentReplayOutcome;

#ifdef ISOCHRON_JIT
constexpr const char* kEngine = "jit";
#else
constexpr const char* kEngine = "ref";
#endif

class SegmentReplay : public ::testing::Test {
 protected:
  SegmentReplay() {
    auto log = replaylog::LogReader::Open(recording_.path());
    EXPECT_TRUE(log.ok()) << log.status();
    header_ = (*log)->header();
    Event event;
    while ((*log)->Next(event).value()) events_.push_back(event);
  }

  // Puts a log of `events_` in the place of the recording.
  void WriteAgain() {
    const std::string other = recording_.path() + ".other";
    auto writer = replaylog::LogWriter::Create(other, header_);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (const Event& event : events_) (*writer)->Append(event);
    ASSERT_TRUE((*writer)->Finish().ok());
    std::filesystem::rename(other, recording_.path());
  }

  absl::StatusOr<SegmentReplayOutcome> Replay(int jobs) {
    return timeline::ReplaySegments({recording_.path(), recording_.snapshot_path(), jobs},
                                    [this]() -> absl::StatusOr<std::unique_ptr<machine::Machine>> {
                                      return recording_.Make(kEngine);
                                    });
  }

  // What a replay in one go comes to.
  void ExpectAsInOneGo(const SegmentReplayOutcome& outcome) {
    auto log = replaylog::LogReader::Open(recording_.path());
    ASSERT_TRUE(log.ok()) << log.status();
    const std::unique_ptr<machine::Machine> machine = recording_.Make("ref");
    timeline::Replayer replayer(**log, machine->config().clock_hz);
    machine->SetObserver(&replayer);
    machine->SetInputSource(&replayer);
    machine->Run();
    EXPECT_EQ(outcome.cycle, machine->cpu().cycle);
    EXPECT_EQ(outcome.pc, machine->cpu().pc);
    EXPECT_EQ(outcome.events_compared, replayer.events_compared());
    EXPECT_EQ(outcome.end.has_value(), replayer.end().has_value());
    ASSERT_EQ(outcome.divergence.has_value(), replayer.divergence().has_value());
    if (!outcome.divergence.has_value()) return;
    EXPECT_EQ(outcome.divergence->expected, replayer.divergence()->expected);
    EXPECT_EQ(outcome.divergence->actual, replayer.divergence()->actual);
    EXPECT_EQ(outcome.divergence->before, replayer.divergence()->before);
    EXPECT_EQ(outcome.divergence->bytes_equal, replayer.divergence()->bytes_equal);
  }

  // Makes the checkpoint behind this part of the log another one.
  void SpoilCheckpoint(size_t numerator, size_t denominator) {
    for (size_t i = events_.size() * numerator / denominator; i < events_.size(); ++i) {
      auto* checkpoint = std::get_if<CheckpointEvent>(&events_[i].body);
      if (checkpoint == nullptr) continue;
      ++checkpoint->state.low;
      return;
    }
    FAIL() << "there is no checkpoint";
  }

  GuestRecording recording_{"timers"};
  replaylog::LogHeader header_;
  std::vector<Event> events_;
};

TEST_F(SegmentReplay, ComparesAllOfTheLogHoweverManyDoIt) {
  for (const int jobs : {1, 2, 3, 50}) {
    SCOPED_TRACE(jobs);
    const absl::StatusOr<SegmentReplayOutcome> outcome = Replay(jobs);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->segments > 1, jobs > 1);
    EXPECT_EQ(outcome->events_compared, events_.size());
    ExpectAsInOneGo(*outcome);
  }
}

TEST_F(SegmentReplay, NamesTheFirstDifference) {
  SpoilCheckpoint(1, 2);
  SpoilCheckpoint(3, 4);
  WriteAgain();
  for (const int jobs : {1, 2, 3, 50}) {
    SCOPED_TRACE(jobs);
    const absl::StatusOr<SegmentReplayOutcome> outcome = Replay(jobs);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    ASSERT_TRUE(outcome->divergence.has_value());
    ExpectAsInOneGo(*outcome);
  }
}

// A snapshot of another run begins no segment.
TEST_F(SegmentReplay, LeavesSnapshotsOutThatDoNotBelongToTheLog) {
  const absl::StatusOr<SegmentReplayOutcome> before = Replay(50);
  ASSERT_TRUE(before.ok()) << before.status();
  auto snapshots = timeline::SnapshotReader::Open(recording_.snapshot_path());
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  const timeline::SnapshotInfo& second = (*snapshots)->snapshots()[1];
  for (Event& event : events_) {
    auto* checkpoint = std::get_if<CheckpointEvent>(&event.body);
    if (checkpoint != nullptr && event.cycle == second.cycle) ++checkpoint->state.low;
  }
  WriteAgain();
  const absl::StatusOr<SegmentReplayOutcome> after = Replay(50);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->segments, before->segments - 1);
  ExpectAsInOneGo(*after);
}

TEST_F(SegmentReplay, TellsOfMachinesThatCannotBeMade) {
  const absl::StatusOr<SegmentReplayOutcome> outcome =
      timeline::ReplaySegments({recording_.path(), recording_.snapshot_path(), 3},
                               []() -> absl::StatusOr<std::unique_ptr<machine::Machine>> {
                                 return absl::ResourceExhaustedError("no memory");
                               });
  EXPECT_EQ(outcome.status(), absl::ResourceExhaustedError("no memory"));
}

}  // namespace
}  // namespace isochron::conformance
