#include "machine/disks/disk_timing.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kHz = 1'000'000'000;  // a cycle is a nanosecond

TEST(DiskTimingTest, TheFarthestRowThatIsNotTooFarCounts) {
  constexpr DiskTiming::Seek kSeeks[] = {{0, 0}, {1, 800}, {1000, 5000}};
  const DiskTiming::Way way{.seeks = kSeeks, .bytes_per_second = 20'000'000};
  EXPECT_EQ(DiskTiming::SeekCycles(way, 50, 50, kHz), 0u);
  EXPECT_EQ(DiskTiming::SeekCycles(way, 50, 51, kHz), 800u);
  EXPECT_EQ(DiskTiming::SeekCycles(way, 1049, 50, kHz), 800u) << "backwards is as far";
  EXPECT_EQ(DiskTiming::SeekCycles(way, 50, 1050, kHz), 5000u);
  EXPECT_EQ(DiskTiming::SeekCycles(way, 0, ~uint64_t{0}, kHz), 5000u);
  EXPECT_EQ(DiskTiming::TransferCycles(way, 512, kHz), 25'600u);
  EXPECT_EQ(DiskTiming::TransferCycles(way, 1, kHz), 50u);
  EXPECT_EQ(DiskTiming::TransferCycles(way, 1, kHz / 1000), 1u) << "never too early";
}

TEST(DiskTimingTest, TheSolidStateDiskIsThatOfItsManual) {
  const DiskTiming& disk = kSolidStateDisk;
  EXPECT_EQ(disk.RequestCycles(kHz) + DiskTiming::SeekCycles(disk.read, 0, 8, kHz), 75'000u);
  EXPECT_EQ(disk.RequestCycles(kHz) + DiskTiming::SeekCycles(disk.write, 0, 8, kHz), 85'000u);
  EXPECT_EQ(DiskTiming::TransferCycles(disk.read, 250'000'000, kHz), kHz);
  EXPECT_EQ(DiskTiming::TransferCycles(disk.write, 170'000'000, kHz), kHz);
  EXPECT_EQ(disk.FlushCycles(kHz), 85'000u);
}

}  // namespace
}  // namespace isochron::machine
