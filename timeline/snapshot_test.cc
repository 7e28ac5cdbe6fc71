#include "timeline/snapshot.h"

#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "hostio/sanitizers.h"
#include "machine/machine.h"
#include "replaylog/host_cost_testing.h"
#include "replaylog/log_testing.h"
#include "replaylog/varint.h"
#include "replaylog/zstd_frame.h"
#include "timeline/machine_testing.h"

namespace isochron::timeline {
namespace {

// Fills `bytes` of RAM with what no compressor makes smaller.
void FillWithNoise(machine::Machine& machine, uint64_t bytes) {
  const std::string state = machine.SaveWithoutMemory();
  const auto fill = [&](alpha::Memory& memory,
                        std::span<machine::Disk>) -> absl::StatusOr<std::string> {
    uint64_t noise = 1;
    for (uint64_t pa = 0; pa < bytes; pa += sizeof noise) {
      noise = noise * 6364136223846793005u + 1442695040888963407u;
      memory.Store(pa, noise ^ noise >> 29);
    }
    return state;
  };
  ASSERT_TRUE(machine.Restore(fill).ok());
}

// A file with one good snapshot, of which `page_frames` stand in place of its page frames.
std::string WithPageFrames(machine::Machine& machine, const std::string& page_frames,
                           uint64_t count) {
  const std::string path = replaylog::TestPath("snapshots");
  auto writer = SnapshotWriter::Create(path, replaylog::SmallHeader());
  EXPECT_TRUE(writer.ok() && (*writer)->Take(machine).ok() && (*writer)->Finish().ok());
  std::string bytes = replaylog::ReadBytes(path);
  const uint64_t offset = (*SnapshotReader::Open(path))->snapshots()[0].offset;
  bytes.resize(offset);
  const std::string small = machine.SaveWithoutMemory();
  std::string first;
  replaylog::AppendVarint(small.size(), first);
  first += small;
  replaylog::AppendVarint(count, first);
  bytes += replaylog::FrameCompressor().Compress(first).value();
  bytes += page_frames;
  const uint64_t size = bytes.size() - offset;
  std::memcpy(&bytes[offset - sizeof size], &size, sizeof size);
  replaylog::WriteBytes(path, bytes);
  return path;
}

std::string PageFrame(const std::vector<uint64_t>& zero_pages) {
  std::string content;
  replaylog::AppendVarint(zero_pages.size(), content);
  for (uint64_t page : zero_pages) replaylog::AppendVarint(page << 1 | 1, content);
  return std::string(replaylog::FrameCompressor().Compress(content).value());
}

absl::Status RestoreFirst(const std::string& path, machine::Machine& machine) {
  auto reader = SnapshotReader::Open(path, replaylog::SmallHeader());
  if (!reader.ok()) return reader.status();
  return (*reader)->Restore((*reader)->snapshots()[0], machine);
}

TEST(SnapshotTest, TakingOneHoldsNoMoreThanAFrame) {
  if (hostio::kAddressSanitizer) GTEST_SKIP() << "AddressSanitizer keeps what has been freed";
  auto machine = MakeMachine();
  FillWithNoise(*machine, uint64_t{32} << 20);
  auto writer = SnapshotWriter::Create(replaylog::TestPath("snapshots"), replaylog::SmallHeader());
  ASSERT_TRUE(writer.ok());
  machine->StateDigest();
  const std::optional<uint64_t> before = replaylog::ResetPeakMemory();
  if (!before.has_value()) GTEST_SKIP() << "the host does not tell a process's peak memory";
  ASSERT_TRUE((*writer)->Take(*machine).ok());
  EXPECT_LT(replaylog::PeakMemory() - *before, uint64_t{16} << 20);
  ASSERT_TRUE((*writer)->Finish().ok());
  auto again = MakeMachine();
  EXPECT_TRUE(RestoreFirst(replaylog::TestPath("snapshots"), *again).ok());
}

TEST(SnapshotTest, ReadingCostsWhatTheFileHolds) {
  constexpr uint64_t kFrames = 3000;
  std::string frames;
  for (uint64_t i = 0; i < kFrames; ++i) frames += PageFrame({i});
  auto machine = MakeMachine();
  const std::string path = WithPageFrames(*machine, frames, kFrames);
  const uint64_t before = replaylog::BytesRead();
  EXPECT_FALSE(RestoreFirst(path, *machine).ok());  // its pages are not those of its digest
  EXPECT_LT(replaylog::BytesRead() - before, 4 * frames.size() + (1 << 20));
}

TEST(SnapshotTest, NoPageComesTwice) {
  auto machine = MakeMachine();
  for (const std::string& frames : {PageFrame({7, 7}), PageFrame({8, 7})}) {
    const absl::Status status = RestoreFirst(WithPageFrames(*machine, frames, 1), *machine);
    EXPECT_NE(status.message().find("not in order"), std::string::npos) << status;
  }
  const std::string two = PageFrame({7}) + PageFrame({7});
  const absl::Status status = RestoreFirst(WithPageFrames(*machine, two, 2), *machine);
  EXPECT_NE(status.message().find("not in order"), std::string::npos) << status;
}

TEST(SnapshotTest, AFrameHasABoundedNumberOfPages) {
  auto machine = MakeMachine();
  std::vector<uint64_t> pages(129);
  for (size_t i = 0; i < pages.size(); ++i) pages[i] = i;
  const absl::Status status = RestoreFirst(WithPageFrames(*machine, PageFrame(pages), 1), *machine);
  EXPECT_NE(status.message().find("too many pages"), std::string::npos) << status;
}

// Changes every page of memory but one.
void ChangePages(machine::Machine& machine, uint8_t value) {
  const std::string state = machine.SaveWithoutMemory();
  const auto change = [&](alpha::Memory& memory,
                          std::span<machine::Disk>) -> absl::StatusOr<std::string> {
    uint64_t pa = alpha::kPageSize;
    for (; pa < memory.size(); pa += alpha::kPageSize) memory.Store(pa, value);
    return state;
  };
  ASSERT_TRUE(machine.Restore(change).ok());
}

// However much has changed in however many snapshots before it, restoring one takes no more than
// five times the pages of memory.
TEST(SnapshotTest, RestoringTakesABoundedNumberOfPages) {
  constexpr uint64_t kMemory = uint64_t{16} << 20;
  constexpr uint64_t kCycles = 1000;
  auto machine = MakeMachine(kMemory);
  const std::string path = replaylog::TestPath("snapshots");
  auto writer = SnapshotWriter::Create(path, replaylog::SmallHeader());
  ASSERT_TRUE(writer.ok());
  constexpr uint8_t kSnapshots = 7;
  for (uint8_t i = 1; i <= kSnapshots; ++i) {
    ChangePages(*machine, i);
    machine->RunUntil(machine::StopCondition::AtCycle(i * kCycles));
    ASSERT_TRUE((*writer)->Take(*machine).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  auto reader = SnapshotReader::Open(path, replaylog::SmallHeader());
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_EQ((*reader)->snapshots().size(), kSnapshots);
  for (const SnapshotInfo& snapshot : (*reader)->snapshots()) {
    auto again = MakeMachine(kMemory);
    const absl::Status status = (*reader)->Restore(snapshot, *again);
    EXPECT_TRUE(status.ok()) << snapshot.cycle << ": " << status;
  }
}

TEST(SnapshotTest, AFileThatWouldTakeMoreIsRefused) {
  auto machine = MakeMachine(uint64_t{16} << 20);
  // All pages but the last, so that none of the snapshots makes those before it needless.
  std::string frames;
  uint64_t count = 0;
  const uint64_t end = (uint64_t{16} << 20 >> alpha::kPageShift) - 1;
  for (uint64_t page = 0; page < end; ++count) {
    std::vector<uint64_t> pages;
    while (page < end && pages.size() < 128) pages.push_back(page++);
    frames += PageFrame(pages);
  }
  const std::string path = WithPageFrames(*machine, frames, count);
  const SnapshotInfo first = (*SnapshotReader::Open(path))->snapshots()[0];
  constexpr uint64_t kIndexBytes = 40;
  const std::string bytes = replaylog::ReadBytes(path);
  std::string file = bytes.substr(0, first.offset - kIndexBytes);
  for (uint64_t cycle = 1; cycle <= 7; ++cycle) {
    std::string snapshot = bytes.substr(first.offset - kIndexBytes);
    std::memcpy(&snapshot[8], &cycle, sizeof cycle);
    file += snapshot;
  }
  replaylog::WriteBytes(path, file);
  auto reader = SnapshotReader::Open(path, replaylog::SmallHeader());
  ASSERT_TRUE(reader.ok()) << reader.status();
  const absl::Status status = (*reader)->Restore((*reader)->snapshots().back(), *machine);
  EXPECT_NE(status.message().find("more pages than a writer leaves"), std::string::npos) << status;
}

TEST(SnapshotTest, RestoringCanBeBrokenOff) {
  auto machine = MakeMachine();
  const std::string path = replaylog::TestPath("snapshots");
  auto writer = SnapshotWriter::Create(path, replaylog::SmallHeader());
  ASSERT_TRUE(writer.ok() && (*writer)->Take(*machine).ok() && (*writer)->Finish().ok());
  auto reader = SnapshotReader::Open(path, replaylog::SmallHeader());
  ASSERT_TRUE(reader.ok());
  int asked = 0;
  const absl::Status status = (*reader)->Restore((*reader)->snapshots()[0], *machine, [&asked] {
    return ++asked == 2 ? absl::CancelledError("enough") : absl::OkStatus();
  });
  EXPECT_NE(status.message().find("enough"), std::string::npos) << status;
  EXPECT_EQ(asked, 2);
}

TEST(SnapshotTest, AKilledWritersFileIsGoodToItsLastWholeSnapshot) {
  auto machine = MakeMachine();
  FillWithNoise(*machine, uint64_t{2} << 20);
  const std::string path = replaylog::TestPath("snapshots");
  auto writer = SnapshotWriter::Create(path, replaylog::SmallHeader());
  ASSERT_TRUE(writer.ok() && (*writer)->Take(*machine).ok() && (*writer)->Finish().ok());
  const std::string bytes = replaylog::ReadBytes(path);
  const uint64_t begin = (*SnapshotReader::Open(path))->snapshots()[0].offset;
  for (size_t size : {size_t{begin}, size_t{begin + 1}, bytes.size() - 1, bytes.size()}) {
    // Whoever is killed has not yet said how long it is.
    std::string cut = bytes.substr(0, size);
    const uint64_t open = ~uint64_t{0};
    std::memcpy(&cut[begin - sizeof open], &open, sizeof open);
    replaylog::WriteBytes(path, cut);
    auto reader = SnapshotReader::Open(path, replaylog::SmallHeader());
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_TRUE((*reader)->snapshots().empty() && (*reader)->breaks_off());
  }
}

TEST(SnapshotTest, PartialSnapshotsAreFoundBesideTheirLog) {
  const std::string log = replaylog::TestPath("log");
  EXPECT_EQ(SnapshotPath(log), log + ".snapshots");
  EXPECT_EQ(SnapshotPath(log + ".partial"), log + ".snapshots");
  EXPECT_EQ(FindSnapshots(log + ".partial"), log + ".snapshots");
  replaylog::WriteBytes(log + ".snapshots.partial", "x");
  EXPECT_EQ(FindSnapshots(log), log + ".snapshots.partial");
  EXPECT_EQ(FindSnapshots(log + ".partial"), log + ".snapshots.partial");
  replaylog::WriteBytes(log + ".snapshots", "x");
  EXPECT_EQ(FindSnapshots(log), log + ".snapshots");
  EXPECT_EQ(FindSnapshots(log + ".partial"), log + ".snapshots.partial");
}

}  // namespace
}  // namespace isochron::timeline
