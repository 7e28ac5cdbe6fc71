// Disks in snapshots, in files and in memory.

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "alpha/state_visitor.h"
#include "gtest/gtest.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"
#include "replaylog/log_testing.h"
#include "replaylog/varint.h"
#include "replaylog/zstd_frame.h"
#include "timeline/machine_testing.h"
#include "timeline/memory_snapshots.h"
#include "timeline/snapshot.h"

namespace isochron::timeline {
namespace {

using machine::BlockTree;
using machine::Disk;
using machine::kSectorSize;
using machine::Machine;

constexpr uint64_t kMemory = uint64_t{16} << 20;
constexpr uint64_t kLarge = uint64_t{1} << 40;  // bytes of the first disk
constexpr uint64_t kSmall = 100 * kSectorSize;  // of the second

std::unique_ptr<Machine> MachineWithDisks() {
  return MakeMachine(kMemory,
                     {std::make_shared<machine::ZeroContents>(kLarge),
                      std::make_shared<machine::BytesContents>(machine::PatternBytes(kSmall))});
}

replaylog::LogHeader HeaderWithDisks() {
  replaylog::LogHeader header = replaylog::SmallHeader();
  for (size_t i = 0; i < 2; ++i) {
    const uint64_t bytes = i == 0 ? kLarge : kSmall;
    header.config.disks.push_back({.bytes = bytes});
    header.images.push_back({replaylog::ImageRecord::DiskRole(i), bytes, {5, i}});
  }
  return header;
}

// Does to the disks what a controller would.
template <typename Act>
void WithDisks(Machine& machine, Act act) {
  const absl::Status status = machine.RestoreOver(
      [&](alpha::Memory&, std::span<Disk> disks) -> absl::StatusOr<std::string> {
        act(disks);
        return machine.SaveWithoutMemory();
      });
  ASSERT_TRUE(status.ok()) << status;
}

void Write(Disk& disk, uint64_t sector, uint64_t sectors, uint8_t byte) {
  disk.Write(sector, std::vector<uint8_t>(sectors * kSectorSize, byte));
}

// Some cycles later, something else is on the disks.
void RunAndWrite(Machine& machine, uint32_t seed) {
  machine.RunUntil(machine::StopCondition::AtCycle(machine.cpu().cycle + 1000));
  std::mt19937 random(seed);
  const auto below = [&](uint64_t end) {
    return std::uniform_int_distribution<uint64_t>(0, end - 1)(random);
  };
  WithDisks(machine, [&](std::span<Disk> disks) {
    for (int i = 0; i < 20; ++i) {
      const uint64_t near = below(64) * below(64);
      Write(disks[0], below(4) == 0 ? below(disks[0].sectors() - 20) : near, 1 + below(20),
            static_cast<uint8_t>(below(256)));
      if (below(8) == 0) disks[0].Zero(near, 1 + below(uint64_t{1} << 30));
      Write(disks[1], below(90), 1 + below(10), static_cast<uint8_t>(below(256)));
    }
  });
}

// Snapshots of a run, with the state at each.
struct Taken {
  Taken() {
    auto writer = SnapshotWriter::Create(path, HeaderWithDisks());
    EXPECT_TRUE(writer.ok()) << writer.status();
    for (uint32_t i = 0; i < 12; ++i) {
      if (i != 0 && i != 5) RunAndWrite(*machine, i);
      if (i == 5) machine->RunUntil(machine::StopCondition::AtCycle(machine->cpu().cycle + 1000));
      EXPECT_TRUE((*writer)->Take(*machine).ok());
      states.push_back(alpha::StateBytes(*machine));
    }
    EXPECT_TRUE((*writer)->Finish().ok());
  }

  const std::string path = replaylog::TestPath("snapshots");
  std::unique_ptr<Machine> machine = MachineWithDisks();
  std::vector<std::string> states;
};

TEST(SnapshotDisks, AFileBringsThemBack) {
  Taken taken;
  auto reader = SnapshotReader::Open(taken.path, HeaderWithDisks());
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_EQ((*reader)->snapshots().size(), taken.states.size());
  const auto again = MachineWithDisks();
  for (const size_t i : {11, 0, 5, 4, 7, 1, 11}) {
    const absl::Status status = (*reader)->Restore((*reader)->snapshots()[i], *again);
    ASSERT_TRUE(status.ok()) << i << ": " << status;
    EXPECT_EQ(alpha::StateBytes(*again), taken.states[i]) << i;
  }
  EXPECT_LT((*reader)->snapshots()[5].bytes, (*reader)->snapshots()[6].bytes)
      << "what has not changed is not in the file again";
}

TEST(SnapshotDisks, MemoryBringsThemBack) {
  const auto machine = MachineWithDisks();
  MemorySnapshots snapshots(*machine, uint64_t{1} << 30);
  std::vector<std::string> states;
  std::vector<uint64_t> cycles;
  for (uint32_t i = 0; i < 12; ++i) {
    if (i != 0) RunAndWrite(*machine, i);
    snapshots.Take({});
    states.push_back(alpha::StateBytes(*machine));
    cycles.push_back(machine->cpu().cycle);
  }
  for (const size_t i : {11, 0, 5, 4, 7, 1, 11}) {
    ASSERT_TRUE(snapshots.Restore(*snapshots.FindAtOrBefore(cycles[i])).ok());
    EXPECT_EQ(alpha::StateBytes(*machine), states[i]) << i;
  }
}

TEST(SnapshotDisks, WhatTheyHoldInMemoryCounts) {
  constexpr uint64_t kWritten = uint64_t{8} << 20;
  const auto machine = MachineWithDisks();
  MemorySnapshots snapshots(*machine, uint64_t{40} << 20);
  snapshots.Take({});
  const uint64_t at_first = snapshots.bytes();
  const auto write_all = [&](uint8_t byte) {
    machine->RunUntil(machine::StopCondition::AtCycle(machine->cpu().cycle + 1000));
    WithDisks(*machine,
              [&](std::span<Disk> disks) { Write(disks[0], 0, kWritten / kSectorSize, byte); });
  };
  write_all(1);
  snapshots.Take({});
  EXPECT_LT(snapshots.bytes(), at_first + (1 << 20)) << "the machine has the same blocks itself";
  write_all(2);
  EXPECT_GE(snapshots.bytes(), at_first + kWritten) << "now only the snapshot holds the first";
  for (uint8_t i = 3; i < 30; ++i) {
    snapshots.Take({});
    write_all(i);
  }
  snapshots.Take({});
  EXPECT_LT(snapshots.count(), 12u) << "more do not fit";
}

// However much has been written in however many snapshots, restoring one does not read all of it.
TEST(SnapshotDisks, NowAndThenASnapshotHasAllBlocks) {
  const auto machine = MachineWithDisks();
  DiskFollower follower(machine->disks()[0].written());
  uint64_t runs = 0;
  int whole = 0;
  for (uint8_t i = 1; i < 20; ++i) {
    WithDisks(*machine, [&](std::span<Disk> disks) { Write(disks[0], 0, 16'000, i); });
    const DiskChanges changes = follower.Next(machine->disks()[0].written());
    if (changes.whole) {
      ++whole;
      runs = 0;
    }
    runs += changes.runs.size();
    EXPECT_LE(runs, 5u * 2000);
  }
  EXPECT_GE(whole, 3);
  EXPECT_LE(whole, 5);
  EXPECT_TRUE(follower.Next(machine->disks()[0].written().Empty()).whole) << "after going back";
}

TEST(SnapshotDisks, AFileTellsItsVersion) {
  const auto version_of = [](const replaylog::LogHeader& header) {
    const std::string path = replaylog::TestPath("versions");
    auto writer = SnapshotWriter::Create(path, header);
    EXPECT_TRUE(writer.ok() && (*writer)->Finish().ok());
    std::string content;
    replaylog::FrameDecompressor decompressor;
    EXPECT_TRUE(decompressor.Decompress(replaylog::ReadBytes(path), 4096, content).ok());
    return content.at(8);
  };
  EXPECT_EQ(version_of(replaylog::SmallHeader()), 1);
  EXPECT_EQ(version_of(HeaderWithDisks()), 2);

  const std::string path = replaylog::TestPath("newer");
  replaylog::WriteBytes(path, replaylog::FrameCompressor()
                                  .Compress(std::string("ISOCSNAP\x03") + std::string(16, '\0'))
                                  .value());
  EXPECT_EQ(SnapshotReader::Open(path).status().message(),
            path + ": snapshots of version 3; this program reads versions 1 to 2");
}

// A file with one snapshot, of whose second disk `frames` tell with `key` in front.
absl::Status RestoreWith(uint64_t key, const std::vector<std::string>& frames, uint64_t disks = 2) {
  const auto machine = MachineWithDisks();
  const std::string path = replaylog::TestPath("damaged");
  auto writer = SnapshotWriter::Create(path, HeaderWithDisks());
  EXPECT_TRUE(writer.ok() && (*writer)->Take(*machine).ok() && (*writer)->Finish().ok());
  std::string bytes = replaylog::ReadBytes(path);
  const uint64_t offset = (*SnapshotReader::Open(path))->snapshots()[0].offset;
  bytes.resize(offset);
  const std::string small = machine->SaveWithoutMemory();
  std::string first;
  replaylog::AppendVarint(small.size(), first);
  first += small;
  for (const uint64_t number : {uint64_t{0}, disks, uint64_t{1}, key}) {
    replaylog::AppendVarint(number, first);
  }
  bytes += replaylog::FrameCompressor().Compress(first).value();
  for (const std::string& frame : frames) {
    bytes += replaylog::FrameCompressor().Compress(frame).value();
  }
  const uint64_t size = bytes.size() - offset;
  std::memcpy(&bytes[offset - sizeof size], &size, sizeof size);
  replaylog::WriteBytes(path, bytes);
  auto reader = SnapshotReader::Open(path, HeaderWithDisks());
  EXPECT_TRUE(reader.ok()) << reader.status();
  return (*reader)->Restore((*reader)->snapshots()[0], *machine);
}

// A frame of zeros: first block and number.
std::string Zeros(const std::vector<std::pair<uint64_t, uint64_t>>& runs) {
  std::string content;
  replaylog::AppendVarint(runs.size(), content);
  for (const auto& [first, count] : runs) {
    replaylog::AppendVarint(first << 1 | 1, content);
    replaylog::AppendVarint(count, content);
  }
  return content;
}

void ExpectDamaged(const absl::Status& status, const std::string& what) {
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("damaged at byte "), std::string::npos) << status;
  EXPECT_NE(status.message().find(what), std::string::npos) << status;
}

TEST(SnapshotDisks, DamageIsToldWithItsPlace) {
  const auto one_frame = [](const std::string& frame) { return RestoreWith(1 << 1 | 1, {frame}); };
  constexpr uint64_t kBlocks = 13;  // of the second disk
  ExpectDamaged(one_frame(Zeros({{kBlocks, 1}})), "a block lies behind the end of its disk");
  ExpectDamaged(one_frame(Zeros({{kBlocks - 1, 2}})), "zeros lie behind the end of their disk");
  ExpectDamaged(one_frame(Zeros({{~uint64_t{0} >> 1, 1}})), "a block lies behind the end");
  ExpectDamaged(one_frame(Zeros({{1, ~uint64_t{0}}})), "zeros lie behind the end of their disk");
  ExpectDamaged(one_frame(Zeros({{3, 0}})), "zeros lie behind");
  ExpectDamaged(one_frame(Zeros({{3, 2}, {4, 1}})), "the blocks are not in order");
  ExpectDamaged(one_frame(Zeros({{3, 1}, {3, 1}})), "the blocks are not in order");
  ExpectDamaged(one_frame(Zeros({{3, 1}}) + "x"), "bytes are left over");
  ExpectDamaged(one_frame(Zeros({{3, 1}}).substr(0, 2)), "the blocks are cut short");
  ExpectDamaged(one_frame(std::string("\x01\x06") + std::string(4095, 'a')),
                "a block is cut short");
  ExpectDamaged(one_frame(std::string("\x81\x02")), "too many blocks in a frame");
  ExpectDamaged(RestoreWith(2 << 1 | 1, {Zeros({{1, 1}})}), "");
  ExpectDamaged(RestoreWith(1, {Zeros({{1, 1}})}), "bytes are left over");
  ExpectDamaged(RestoreWith(0, {}), "no snapshot has all blocks of a disk");
  ExpectDamaged(RestoreWith(1, {}, 3), "there are 3 disks, but the machine has 2");
  // Well-formed: but the pages are missing, or the blocks are not those that the state names.
  const absl::Status pages = RestoreWith(1, {});
  EXPECT_NE(pages.message().find("has not the state that its digest says"), std::string::npos)
      << pages;
  const absl::Status other = one_frame(Zeros({{3, 1}}));
  EXPECT_EQ(other.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(other.message().find("has not the blocks that its digest names"), std::string::npos)
      << other;
}

}  // namespace
}  // namespace isochron::timeline
