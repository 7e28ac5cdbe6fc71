#include "replaylog/disk_overlay.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hostio/temporary_directory.h"
#include "machine/events/digest.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using ::testing::HasSubstr;
// What a guest has written: blocks with one letter each, or so many of zeros.
using Written = std::map<uint64_t, char>;

constexpr uint64_t kBytes = 10 * kOverlayBlock + 512;  // the last block is a sector long

DiskOverlay::GiveRuns Give(const Written& written) {
  return [written](const DiskOverlay::TakeRun& take) {
    for (const auto& [block, letter] : written) {
      const std::string bytes(kOverlayBlock, letter);
      take({block, 1, letter == '0' ? nullptr : reinterpret_cast<const uint8_t*>(bytes.data())});
    }
  };
}

class DiskOverlayTest : public ::testing::Test {
 protected:
  DiskOverlayTest() {
    WriteFile(directory_.Path("image"), bytes_);
    image_ = *FileSource::Open(directory_.Path("image"));
  }

  static void WriteFile(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::string path() const { return directory_.Path("overlay"); }
  OverlayBase Base() const {
    return {bytes_.size(), machine::DigestOf(bytes_), directory_.Path("image")};
  }
  std::shared_ptr<DiskOverlay> Open() const {
    auto overlay = DiskOverlay::OpenToExtend(path(), Base());
    EXPECT_TRUE(overlay.ok()) << overlay.status();
    return overlay.value_or(nullptr);
  }
  std::string Refusal() const {
    return std::string(DiskOverlay::OpenToExtend(path(), Base()).status().message());
  }
  // The bytes of the disk; of a damaged block, why they cannot be had.
  static std::string BytesOf(const FileSource& disk) {
    std::string bytes;
    const absl::Status status = disk.ReadAt(0, kBytes, bytes);
    return status.ok() ? bytes : std::string(status.message());
  }
  std::string Shown(const DiskOverlay& overlay) const { return BytesOf(**overlay.Over(*image_)); }
  absl::StatusOr<std::string> Generation(const machine::Digest& digest) const {
    const auto disk = DiskOverlay::OpenGeneration(*FileSource::Open(path()), digest, DigestCache());
    if (!disk.ok()) return disk.status();
    return BytesOf(**disk);
  }
  // Adds a generation, and to `bytes_of_disk` what it has.
  void Extend(const Written& written, std::string& bytes_of_disk) const {
    const auto overlay = Open();
    const auto disk = overlay->Over(*image_);
    const absl::Status status = overlay->Append(Give(written), **disk, DigestCache());
    ASSERT_TRUE(status.ok()) << status;
    for (const auto& [block, letter] : written) {
      const uint64_t size = std::min(kOverlayBlock, kBytes - block * kOverlayBlock);
      bytes_of_disk.replace(block * kOverlayBlock, size, size, letter == '0' ? '\0' : letter);
    }
    EXPECT_EQ(Shown(*overlay), bytes_of_disk);
    EXPECT_EQ(overlay->digest(), machine::DigestOf(bytes_of_disk));
  }

  const hostio::TemporaryDirectory directory_;
  const std::string bytes_ = std::string(kBytes, 'i');
  std::unique_ptr<FileSource> image_;
};

TEST_F(DiskOverlayTest, EveryGenerationCanBeSeen) {
  std::string first = bytes_;
  Extend({{1, 'a'}, {2, 'b'}, {3, '0'}, {4, '0'}, {10, 'z'}}, first);
  std::string second = first;
  Extend({{2, 'c'}, {4, 'd'}, {7, '0'}}, second);
  EXPECT_EQ(Shown(*Open()), second);
  for (const std::string& bytes : {bytes_, first, second}) {
    EXPECT_EQ(*Generation(machine::DigestOf(bytes)), bytes);
  }
  EXPECT_TRUE(absl::IsNotFound(Generation({1, 2}).status()));
}

// Of a long run of zeros the middle may be written later, and zeros may lie over zeros.
TEST_F(DiskOverlayTest, RunsOfZerosComeApart) {
  auto overlay = Open();
  const auto zeros = [](uint64_t first, uint64_t count) {
    return [=](const DiskOverlay::TakeRun& take) { take({first, count, nullptr}); };
  };
  ASSERT_TRUE(overlay->Append(zeros(1, 8), *image_, DigestCache()).ok());
  overlay.reset();
  std::string bytes = bytes_;
  bytes.replace(kOverlayBlock, 8 * kOverlayBlock, 8 * kOverlayBlock, '\0');
  Extend({{4, 'm'}}, bytes);
  overlay = Open();
  ASSERT_TRUE(overlay->Append(zeros(3, 7), *image_, DigestCache()).ok());
  bytes.replace(3 * kOverlayBlock, 7 * kOverlayBlock, 7 * kOverlayBlock, '\0');
  EXPECT_EQ(Shown(*overlay), bytes);
  overlay.reset();
  EXPECT_EQ(Shown(*Open()), bytes);
}

// Any part of the disk, as a controller asks for it.
TEST_F(DiskOverlayTest, PartsAreThoseOfTheWhole) {
  std::string bytes = bytes_;
  Extend({{1, 'a'}, {3, 'b'}, {4, '0'}}, bytes);
  const auto disk = Open()->Over(*image_);
  for (uint64_t offset = 0; offset < kBytes; offset += 1536) {
    for (const size_t size : {512, 4096, 8192, 20'000}) {
      std::string part;
      ASSERT_TRUE((*disk)->ReadAt(offset, size, part).ok());
      EXPECT_EQ(part, bytes.substr(offset, size)) << offset << ", " << size;
    }
  }
}

TEST_F(DiskOverlayTest, OneThatNothingWasPutIntoIsGoneAgain) {
  { EXPECT_EQ(Shown(*Open()), bytes_); }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(DiskOverlayTest, IsExtendedByOneAtATime) {
  const auto overlay = Open();
  EXPECT_THAT(Refusal(), HasSubstr("overlay: somebody else uses it"));
}

TEST_F(DiskOverlayTest, BelongsToOneImage) {
  std::string bytes = bytes_;
  Extend({{1, 'a'}}, bytes);
  OverlayBase other = Base();
  other.digest.low ^= 1;
  const absl::Status status = DiskOverlay::OpenToExtend(path(), other).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("overlay: is an overlay for "));
  // Also when the image has become another.
  WriteFile(directory_.Path("image"), std::string(kBytes, 'j'));
  EXPECT_THAT(std::string(Generation(machine::DigestOf(bytes)).status().message()),
              HasSubstr("overlay: is an overlay for "));
}

TEST_F(DiskOverlayTest, WhatWasNotCompletedIsNotThere) {
  std::string bytes = bytes_;
  Extend({{1, 'a'}, {2, 'b'}}, bytes);
  const std::string whole = ReadBytes(path());
  // A writer that was killed has left blocks, and no header before them.
  WriteFile(path(), whole + std::string(kOverlayBlock, '\0') + std::string(9999, 'x'));
  EXPECT_EQ(Shown(*Open()), bytes);
  WriteFile(path(), whole + std::string(kOverlayBlock, '\0'));
  Extend({{2, 'c'}}, bytes);
  EXPECT_EQ(Shown(*Open()), bytes);
}

TEST_F(DiskOverlayTest, ADamagedOneIsRefusedOrShowsNothingElse) {
  std::string bytes = bytes_;
  Extend({{1, 'a'}, {2, '0'}}, bytes);
  Extend({{3, 'b'}}, bytes);
  const std::string whole = ReadBytes(path());
  int refused = 0;
  for (size_t at = 0; at < whole.size(); at += 29) {
    std::string damaged = whole;
    damaged[at] ^= 1;
    WriteFile(path(), damaged);
    const auto overlay = DiskOverlay::OpenToExtend(path(), Base());
    refused += !overlay.ok();
    if (!overlay.ok()) continue;
    const std::string shown = Shown(**overlay);
    EXPECT_TRUE(shown == bytes || shown.ends_with("of the disk is not what was written to it"))
        << "byte " << at;
  }
  EXPECT_GT(refused, 10);
  for (size_t size = 512; size < whole.size(); size += 512) {
    WriteFile(path(), whole.substr(0, size));
    // Where a generation ends, so may a file.
    const bool is_end = size == kOverlayBlock || size == 4 * kOverlayBlock;
    EXPECT_EQ(DiskOverlay::OpenToExtend(path(), Base()).ok(), is_end) << size;
  }
  WriteFile(path(), "no overlay");
  EXPECT_THAT(Refusal(), HasSubstr("overlay: is no overlay of a disk"));
}

TEST_F(DiskOverlayTest, StaysAsItWasWhereThereIsNoRoom) {
  std::string bytes = bytes_;
  Extend({{1, 'a'}}, bytes);
  const std::string whole = ReadBytes(path());
  const auto overlay = Open();
  rlimit unlimited;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const rlimit limited = {whole.size() + 2 * kOverlayBlock, unlimited.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
  const absl::Status status = overlay->Append(Give({{1, 'x'}, {2, 'y'}, {3, 'z'}}),
                                              **overlay->Over(*image_), DigestCache());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot write "));
  EXPECT_EQ(ReadBytes(path()), whole);
  EXPECT_EQ(Shown(*overlay), bytes);
}

TEST_F(DiskOverlayTest, AnotherFileUnderItsNameIsNotTouched) {
  const auto overlay = Open();
  std::filesystem::rename(path(), path() + ".moved");
  WriteFile(path(), "another");
  const absl::Status status = overlay->Append(Give({{1, 'x'}}), *image_, DigestCache());
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(ReadBytes(path()), "another");
}

}  // namespace
}  // namespace isochron::replaylog
