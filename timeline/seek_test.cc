#include "timeline/seek.h"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "machine/machine.h"
#include "replaylog/log_testing.h"
#include "timeline/machine_testing.h"

namespace isochron::timeline {
namespace {

using replaylog::CheckpointEvent;

// Snapshots at the first checkpoints of a run, and those checkpoints as the log of the run has
// them.
class Seek : public ::testing::Test {
 protected:
  static constexpr size_t kSnapshots = 4;

  Seek() {
    auto machine = MakeMachine();
    auto writer = SnapshotWriter::Create(path_, replaylog::SmallHeader());
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (size_t i = 0; i < kSnapshots; ++i) {
      machine->RunUntil(machine::StopCondition::AtEvent<machine::CheckpointEvent>());
      const alpha::Cpu& cpu = machine->cpu();
      events_.push_back(
          {0, cpu.cycle, 0, CheckpointEvent{cpu.instructions, machine->StateDigest()}});
      EXPECT_TRUE((*writer)->Take(*machine).ok());
    }
    EXPECT_TRUE((*writer)->Finish().ok());
    events_.push_back({0, machine->cpu().cycle, 0, replaylog::EndEvent{}});
    snapshots_ = *SnapshotReader::Open(path_, replaylog::SmallHeader());
  }

  // The log has other checkpoints from number `first` on.
  void MakeOther(size_t first) {
    for (size_t i = first; i < kSnapshots; ++i)
      ++std::get<CheckpointEvent>(events_[i].body).state.low;
  }

  // The number of the snapshot that is found, or kSnapshots; the log must stand behind its
  // checkpoint.
  size_t Find(uint64_t cycle) {
    const std::string path = replaylog::TestPath("log");
    replaylog::WriteLog(path, events_);
    auto log = replaylog::LogReader::Open(path);
    EXPECT_TRUE(log.ok()) << log.status();
    const absl::StatusOr<const SnapshotInfo*> found = SeekToLastSnapshot(**log, *snapshots_, cycle);
    EXPECT_TRUE(found.ok()) << found.status();
    if (*found == nullptr) return kSnapshots;
    const auto number = static_cast<size_t>(*found - snapshots_->snapshots().data());
    replaylog::Event next;
    EXPECT_TRUE((*log)->Next(next).value());
    EXPECT_EQ(next.number, number + 1);
    return number;
  }
  uint64_t CycleOf(size_t snapshot) const { return events_[snapshot].cycle; }

  const std::string path_ = replaylog::TestPath("snapshots");
  std::vector<replaylog::Event> events_;
  std::unique_ptr<SnapshotReader> snapshots_;
};

TEST_F(Seek, FindsTheLastAtOrBeforeACycle) {
  EXPECT_EQ(Find(CycleOf(0) - 1), kSnapshots) << "none";
  EXPECT_EQ(Find(CycleOf(0)), 0u);
  EXPECT_EQ(Find(CycleOf(2) - 1), 1u);
  EXPECT_EQ(Find(CycleOf(2)), 2u);
  EXPECT_EQ(Find(CycleOf(3) + 1'000'000), 3u);
}

// Somebody recorded anew under the same name, or with another input behind some checkpoint.
TEST_F(Seek, PassesThoseOfAnotherRun) {
  MakeOther(2);
  EXPECT_EQ(Find(CycleOf(3)), 1u);
  EXPECT_EQ(Find(CycleOf(0)), 0u);
  MakeOther(0);
  EXPECT_EQ(Find(CycleOf(3)), kSnapshots);
}

TEST_F(Seek, ReadsUpToTheCheckpointAndNoFurther) {
  const std::string path = replaylog::TestPath("log");
  replaylog::WriteLog(path, events_);
  auto log = *replaylog::LogReader::Open(path);
  std::vector<uint64_t> cycles;
  const auto take = [&](const replaylog::Event& event) { cycles.push_back(event.cycle); };
  EXPECT_TRUE(*ReadToSnapshot(*log, snapshots_->snapshots()[1], take));
  EXPECT_EQ(cycles, (std::vector<uint64_t>{CycleOf(0), CycleOf(1)}));
  EXPECT_FALSE(*ReadToSnapshot(*log, snapshots_->snapshots()[1], take)) << "it lies behind";
}

}  // namespace
}  // namespace isochron::timeline
