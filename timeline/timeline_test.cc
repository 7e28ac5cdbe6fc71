// What it costs to go about in a recording, in instructions that are run again.

#include "timeline/timeline.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/guest_testing.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_testing.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"

namespace isochron::timeline {
namespace {

using machine::GuestWork;
using machine::MakeGuest;
using machine::StopCondition;

// How far a run goes rather than be put to a snapshot that is nearer.
constexpr uint64_t kAhead = uint64_t{1} << 24;
// What is no farther has been passed just now.
constexpr uint64_t kNear = uint64_t{1} << 20;

class RecordedGuest : public ::testing::Test {
 protected:
  static constexpr uint64_t kEnd = uint64_t{1} << 31;

  static machine::MachineConfig Config() {
    machine::MachineConfig config;
    config.checkpoint_interval = uint64_t{1} << 25;
    config.input_interval = uint64_t{1} << 25;
    return config;
  }

  RecordedGuest() {
    const auto machine = MakeGuest(work_, Config());
    const replaylog::LogHeader header = HeaderOf(machine->config());
    auto writer = replaylog::LogWriter::Create(path_, header);
    EXPECT_TRUE(writer.ok()) << writer.status();
    Recorder recorder(**writer);
    machine->SetObserver(&recorder);
    EXPECT_FALSE(machine->RunUntil(StopCondition::AtCycle(kEnd)).has_value());
    machine->Inject(machine::Input::Stop(machine::StopCause::kQuit));
    EXPECT_TRUE((*writer)->Finish().ok());
  }

  std::unique_ptr<Timeline> Open(const Timeline::Options& options) {
    auto log = replaylog::LogReader::Open(path_);
    EXPECT_TRUE(log.ok()) << log.status();
    auto timeline = Timeline::Create(*std::move(log), nullptr, MakeGuest(work_, Config()), options);
    EXPECT_TRUE(timeline.ok()) << timeline.status();
    return *std::move(timeline);
  }

  // What it costs to go there.
  uint64_t Cost(Timeline& timeline, uint64_t cycle) {
    const uint64_t before = work_.instructions;
    const auto arrival = timeline.GoToCycle(cycle);
    EXPECT_TRUE(arrival.ok()) << arrival.status();
    EXPECT_EQ(timeline.machine().cpu().cycle, cycle);
    return work_.instructions - before;
  }

  const std::string path_ = replaylog::TestPath("log");
  GuestWork work_;
};

TEST_F(RecordedGuest, WithRoomForAllASeekCostsOneInterval) {
  Timeline::Options options;
  options.snapshot_interval = uint64_t{1} << 26;
  const auto timeline = Open(options);
  ASSERT_TRUE(timeline->GoToEnd().ok());
  ASSERT_GE(timeline->memory_snapshots().count(), kEnd / options.snapshot_interval);
  std::mt19937_64 random(1);
  for (int i = 0; i < 200; ++i) {
    const uint64_t from = timeline->position().cycle;
    const uint64_t to = random() % kEnd;
    SCOPED_TRACE(absl::StrCat("from ", from, " to ", to));
    const uint64_t ahead = to > from ? kAhead : 0;
    EXPECT_LE(Cost(*timeline, to), options.snapshot_interval + ahead);
  }
  for (int i = 0; i < 200; ++i) {
    const uint64_t to = random() % kEnd;
    ASSERT_TRUE(timeline->GoToCycle(to).ok());
    const uint64_t before = work_.instructions;
    ASSERT_TRUE(timeline->StepBackward().ok());
    EXPECT_LE(work_.instructions - before, options.snapshot_interval);
    // And the next is near.
    const uint64_t again = work_.instructions;
    ASSERT_TRUE(timeline->StepBackward().ok());
    EXPECT_LE(work_.instructions - again, uint64_t{1} << 13);
  }
}

// However few there is room for, no place is much farther than if they lay evenly, and what has
// been passed just now is near.
TEST_F(RecordedGuest, WithLittleRoomASeekCostsAShareOfTheRun) {
  for (const uint64_t megabytes : {10, 40}) {
    Timeline::Options options;
    options.snapshot_interval = uint64_t{1} << 22;  // 512 of them
    options.snapshot_bytes = megabytes << 20;
    const auto timeline = Open(options);
    ASSERT_TRUE(timeline->GoToEnd().ok());
    const size_t kept = timeline->memory_snapshots().count();
    ASSERT_LT(kept, 64u);
    constexpr uint64_t kSeeks = 100;
    std::mt19937_64 random(2);
    uint64_t all = 0;
    uint64_t all_near = 0;
    for (uint64_t i = 0; i < kSeeks; ++i) {
      const uint64_t from = timeline->position().cycle;
      const uint64_t to = random() % kEnd;
      SCOPED_TRACE(absl::StrCat("from ", from, " to ", to, " with ", kept, " snapshots"));
      const uint64_t cost = Cost(*timeline, to);
      EXPECT_LE(cost, 5 * kEnd / kept + kAhead);
      all += cost;
      all_near += Cost(*timeline, to - std::min(to, kNear));
    }
    EXPECT_LE(all / kSeeks, 2 * kEnd / kept) << "with " << kept << " snapshots";
    EXPECT_LE(all_near / kSeeks, 3 * options.snapshot_interval) << "with " << kept << " snapshots";
  }
}

TEST_F(RecordedGuest, ABranchStaysWithinItsBytes) {
  Timeline::Options options;
  options.snapshot_interval = uint64_t{1} << 24;
  options.snapshot_bytes = uint64_t{8} << 20;
  const auto timeline = Open(options);
  ASSERT_TRUE(timeline->GoToCycle(kEnd / 2).ok());
  ASSERT_GT(timeline->memory_snapshots().bytes(), options.snapshot_bytes * 3 / 4);
  ASSERT_TRUE(timeline->Branch(nullptr, nullptr).ok());
  EXPECT_LE(timeline->memory_snapshots().bytes(), options.snapshot_bytes * 3 / 4);
  ASSERT_TRUE(timeline->GoToCycle(kEnd).ok());
  EXPECT_LE(timeline->memory_snapshots().bytes(), options.snapshot_bytes * 3 / 4);
  ASSERT_TRUE(timeline->GoToCycle(kEnd / 3).ok());
  EXPECT_TRUE(timeline->in_past());
}

}  // namespace
}  // namespace isochron::timeline
