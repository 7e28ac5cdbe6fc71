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
  const auto fill = [&](alpha::Memory& memory) -> absl::StatusOr<std::string> {
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
  bytes += replaylog::FrameCompressor().Compress(first).value() + page_frames;
  const uint64_t size = bytes.size() - offset;
  std::memcpy(&bytes[offset - sizeof size], &size, sizeof size);
  replaylog::WriteBytes(path, bytes);
  return path;
}

std::string PageFrame(const std::vector<uint64_t>& zero_pages) {
  std::string content;
  replaylog::AppendVarint(zero_pages.size(), content);
  for (uint64_t page : zero_pages) replaylog::AppendVarint(page << 1 | 1, content);
  return replaylog::FrameCompressor().Compress(content).value();
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
