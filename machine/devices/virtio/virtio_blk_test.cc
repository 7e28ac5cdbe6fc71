#include "machine/devices/virtio/virtio_blk.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "machine/devices/virtio/virtio_testing.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kSectors = 2048;
constexpr uint16_t kWrite = VirtioDescriptor::kWrite;

// Every sector full of its number.
std::string Pattern() {
  std::string bytes(kSectors * kSectorSize, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i / kSectorSize);
  return bytes;
}

struct OwnsDisk {
  explicit OwnsDisk(bool read_only) : disk(std::make_shared<BytesContents>(Pattern()), read_only) {}
  Disk disk;
};

// A disk with its controller and a driver.
class BlkRig : public OwnsDisk, public VirtioRig<VirtioBlk> {
 public:
  static constexpr uint64_t kHeader = kBuffers, kStatus = kBuffers + 0x20,
                            kData = kBuffers + 0x1000;
  static constexpr uint64_t kSecond = 100'000'000'000;  // more cycles than any request takes

  explicit BlkRig(bool read_only = false)
      : OwnsDisk(read_only), VirtioRig(disk, kSolidStateDisk, "a disk") {}

  struct Header {
    VirtioBlkRequest type = VirtioBlkRequest::kIn;
    uint32_t reserved = 0;
    uint64_t sector = 0;
  };
  // Asks for `data` in one segment; `slot`: whose header and status, of several in flight.
  uint16_t Ask(VirtioBlkRequest type, uint64_t sector, VirtioDescriptor data, int slot = 0) {
    const uint64_t shift = 0x40 * static_cast<uint64_t>(slot);
    memory.Put(kHeader + shift, Header{type, 0, sector});
    memory.Put(kStatus + shift, uint8_t{0xee});
    std::vector<VirtioDescriptor> chain = {{kHeader + shift, sizeof(Header), 0, 0}};
    if (data.size != 0) chain.push_back(data);
    chain.push_back({kStatus + shift, 1, kWrite, 0});
    return Add(0, std::move(chain));
  }
  // Asks, waits, and returns the status; 0xee when there was none.
  int Do(VirtioBlkRequest type, uint64_t sector, VirtioDescriptor data = {}) {
    Ask(type, sector, data);
    Kick(0);
    bench.RunFor(kSecond);
    return memory.Get<uint8_t>(kStatus);
  }
  uint8_t OnDisk(uint64_t sector) {
    std::vector<uint8_t> bytes(kSectorSize);
    disk.Read(sector, bytes);
    return bytes[17];
  }
};

constexpr int kOk = 0, kIoError = 1, kUnsupported = 2, kNone = 0xee;
constexpr uint64_t kAll =
    VirtioBlkFeature::kFlush | VirtioBlkFeature::kDiscard | VirtioBlkFeature::kWriteZeroes;

TEST(VirtioBlkTest, TellsWhatItIs) {
  BlkRig rig;
  EXPECT_EQ(rig.Config(0, 4), 0x10011af4u);
  EXPECT_EQ(rig.Config(PciRegister::kRevision, 4), 0x01000000u);
  EXPECT_EQ(rig.Config(PciRegister::kSubsystemVendor, 4), 0x00021af4u);
  EXPECT_EQ(rig.In(0x14, 8), kSectors) << "what a legacy driver sees";
  EXPECT_EQ(rig.Read(VirtioLayout::kDevice, 8), kSectors);
  EXPECT_EQ(rig.Read(VirtioLayout::kDevice + 0x0c, 4), 126u);
  EXPECT_EQ(rig.Read(VirtioLayout::kDevice + 0x14, 4), 512u);
  EXPECT_EQ(rig.Read(VirtioLayout::kDevice + 0x3c, 4), 0u) << "behind it";
  rig.Write(VirtioLayout::kDevice, 8, 5);
  EXPECT_EQ(rig.Read(VirtioLayout::kDevice, 8), kSectors);
  EXPECT_EQ(rig.In(0, 4), 0x38006246u);
  rig.Config(PciRegister::kBar0, 4, 0xffffffff);
  EXPECT_EQ(rig.Config(PciRegister::kBar0, 4), 0xffffff81u) << "128 bytes";
}

class VirtioBlkInterfaceTest : public testing::TestWithParam<bool> {
 protected:
  void Start(BlkRig& rig) {
    if (GetParam()) {
      rig.StartLegacy(static_cast<uint32_t>(kAll));
    } else {
      rig.Start(kAll | VirtioFeature::kAccessPlatform);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Interfaces, VirtioBlkInterfaceTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Legacy" : "Modern"; });

TEST_P(VirtioBlkInterfaceTest, ReadsWritesAndInterrupts) {
  BlkRig rig;
  Start(rig);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 7, {BlkRig::kData, 1024, kWrite, 0}), kOk);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kData + 511), 7);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kData + 512), 8);
  EXPECT_EQ(rig.UsedIndex(0), 1);
  EXPECT_EQ(rig.UsedEntry(0, 0), (BlkRig::Used{0, 1025}));
  EXPECT_TRUE(rig.Interrupted());
  EXPECT_EQ(GetParam() ? rig.In(0x13, 1) : rig.Isr(), VirtioIsr::kQueue);
  EXPECT_FALSE(rig.Interrupted());
  EXPECT_EQ(GetParam() ? rig.In(0x13, 1) : rig.Isr(), 0u);

  rig.memory.Put(BlkRig::kData + 17, uint8_t{0xab});
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kOut, kSectors - 1, {BlkRig::kData, 512, 0, 0}), kOk);
  EXPECT_EQ(rig.OnDisk(kSectors - 1), 0xab);
  EXPECT_EQ(rig.UsedEntry(0, 1), (BlkRig::Used{3, 1}));
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kFlush, 0), kOk);
}

TEST_P(VirtioBlkInterfaceTest, HowTheDriverCutsItsBuffersMeansNothing) {
  BlkRig rig;
  Start(rig);
  // Header, data and status run into each other.
  rig.memory.Put(BlkRig::kHeader, BlkRig::Header{VirtioBlkRequest::kIn, 0, 3});
  rig.Add(0, {{BlkRig::kHeader, 5, 0, 0},
              {BlkRig::kHeader + 5, 11, 0, 0},
              {BlkRig::kData, 100, kWrite, 0},
              {BlkRig::kData + 100, 413, kWrite, 0}});
  rig.Kick(0);
  rig.bench.RunFor(BlkRig::kSecond);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kData + 511), 3);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kData + 512), kOk);
  EXPECT_EQ(rig.UsedEntry(0, 0).written, 513u);
}

TEST(VirtioBlkTest, RequestsThatCannotBeFailWithAStatus) {
  BlkRig rig;
  rig.Start(kAll);
  const VirtioDescriptor in{BlkRig::kData, 512, kWrite, 0}, out{BlkRig::kData, 512, 0, 0};
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, kSectors, in), kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, ~uint64_t{0}, in), kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kOut, kSectors, out), kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, kSectors - 1, {BlkRig::kData, 1024, kWrite, 0}),
            kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 0, {BlkRig::kData, 100, kWrite, 0}), kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest{2}, 0, out), kUnsupported) << "a SCSI command";
  EXPECT_EQ(rig.Do(VirtioBlkRequest{0xffffffff}, 0), kUnsupported);
  EXPECT_EQ(rig.UsedEntry(0, 0).written, 1u);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 0), kOk) << "of nothing";
  EXPECT_EQ(rig.OnDisk(kSectors - 1), 0xff);
  EXPECT_EQ(rig.Status() & VirtioStatus::kNeedsReset, 0);
}

TEST(VirtioBlkTest, AReadOnlyDiskIsNotWritten) {
  BlkRig rig(true);
  EXPECT_EQ(rig.In(0, 4) & (VirtioBlkFeature::kReadOnly | kAll),
            VirtioBlkFeature::kReadOnly | VirtioBlkFeature::kFlush);
  rig.Start(VirtioBlkFeature::kReadOnly);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kOut, 3, {BlkRig::kData, 512, 0, 0}), kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kDiscard, 0, {BlkRig::kData, 16, 0, 0}), kIoError);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kWriteZeroes, 0, {BlkRig::kData, 16, 0, 0}), kIoError);
  EXPECT_EQ(rig.OnDisk(3), 3);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 3, {BlkRig::kData, 512, kWrite, 0}), kOk);
}

TEST(VirtioBlkTest, HasAName) {
  BlkRig rig;
  rig.Start(0);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kGetId, 0, {BlkRig::kData, 20, kWrite, 0}), kOk);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(&rig.memory.ram[BlkRig::kData])), "a disk");
  EXPECT_EQ(rig.UsedEntry(0, 0).written, 21u);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kGetId, 0, {BlkRig::kData, 3, kWrite, 0}), kOk);
  EXPECT_EQ(rig.UsedEntry(0, 1).written, 4u);
}

struct Range {
  uint64_t sector;
  uint32_t sectors;
  uint32_t flags;
};

TEST(VirtioBlkTest, MakesRangesZero) {
  BlkRig rig;
  rig.Start(kAll);
  rig.memory.Put(BlkRig::kData, std::array<Range, 2>{{{10, 5, 0}, {kSectors - 1, 1, 0}}});
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kWriteZeroes, 0, {BlkRig::kData, 32, 0, 0}), kOk);
  EXPECT_EQ(rig.OnDisk(9), 9);
  EXPECT_EQ(rig.OnDisk(10), 0);
  EXPECT_EQ(rig.OnDisk(14), 0);
  EXPECT_EQ(rig.OnDisk(15), 15);
  EXPECT_EQ(rig.OnDisk(kSectors - 1), 0);
  rig.memory.Put(BlkRig::kData, Range{20, 1, 1});
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kDiscard, 0, {BlkRig::kData, 16, 0, 0}), kUnsupported);
  EXPECT_EQ(rig.OnDisk(20), 20);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kWriteZeroes, 0, {BlkRig::kData, 16, 0, 0}), kOk);
  EXPECT_EQ(rig.OnDisk(20), 0);
}

TEST(VirtioBlkTest, MakesAllRangesZeroOrNone) {
  BlkRig rig;
  rig.Start(kAll);
  for (const Range& bad : {Range{kSectors, 1, 0}, Range{~uint64_t{0}, 2, 0},
                           Range{0, VirtioBlk::kMaxZeroedSectors + 1, 0}}) {
    rig.memory.Put(BlkRig::kData, std::array<Range, 2>{{{10, 5, 0}, bad}});
    EXPECT_EQ(rig.Do(VirtioBlkRequest::kDiscard, 0, {BlkRig::kData, 32, 0, 0}), kIoError);
    EXPECT_EQ(rig.OnDisk(10), 10);
  }
  for (const uint32_t size : {0u, 15u, 17u, 16 * (VirtioBlk::kMaxZeroedRanges + 1)}) {
    EXPECT_EQ(rig.Do(VirtioBlkRequest::kWriteZeroes, 0, {BlkRig::kData, size, 0, 0}), kIoError);
  }
}

TEST(VirtioBlkTest, TakesAsLongAsItsTableSays) {
  BlkRig rig;
  rig.Start(0);
  const auto cycles = [&](VirtioBlkRequest type, uint64_t sector, VirtioDescriptor data) {
    rig.Isr();
    rig.Ask(type, sector, data);
    const uint64_t start = rig.bench.events().now();
    rig.Kick(0);
    while (!rig.Interrupted()) rig.bench.RunTo(rig.bench.events().next());
    return rig.bench.events().now() - start;
  };
  // 600 MHz: 75 us, and 4 KiB at 250 MB/s.
  constexpr uint64_t kTransfer = 9831;
  EXPECT_EQ(cycles(VirtioBlkRequest::kIn, 100, {BlkRig::kData, 4096, kWrite, 0}),
            17143u + 27858 + kTransfer);
  EXPECT_EQ(cycles(VirtioBlkRequest::kIn, 108, {BlkRig::kData, 4096, kWrite, 0}),
            17143u + kTransfer)
      << "it was there";
  EXPECT_EQ(cycles(VirtioBlkRequest::kOut, 0, {BlkRig::kData, 4096, 0, 0}), 17143u + 33858 + 14457);
  EXPECT_EQ(cycles(VirtioBlkRequest::kFlush, 0, {}), 17143u + 51000);
  EXPECT_EQ(cycles(VirtioBlkRequest::kIn, kSectors, {BlkRig::kData, 4096, kWrite, 0}), 17143u);
}

TEST(VirtioBlkTest, NoEventMovesMoreThanAPiece) {
  BlkRig rig;
  rig.Start(0);
  constexpr uint32_t kBytes = 0x40000;
  rig.Ask(VirtioBlkRequest::kIn, 0, {BlkRig::kData, kBytes, kWrite, 0});
  rig.Kick(0);
  int events = 0;
  while (rig.bench.events().next() != kNever) {
    rig.memory.transferred = 0;
    rig.bench.RunTo(rig.bench.events().next());
    EXPECT_LE(rig.memory.transferred, VirtioBlk::kPieceBytes + 1024);
    ++events;
  }
  EXPECT_GE(events, 5);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kStatus), kOk);
  for (uint64_t sector = 0; sector < kBytes / kSectorSize; ++sector) {
    ASSERT_EQ(rig.memory.Get<uint8_t>(BlkRig::kData + sector * kSectorSize + 5),
              static_cast<uint8_t>(sector));
  }
}

TEST(VirtioBlkTest, ServesSeveralRequestsInTheirOrder) {
  BlkRig rig;
  rig.Start(VirtioFeature::kEventIndex);
  const uint16_t first = rig.Ask(VirtioBlkRequest::kIn, 1, {BlkRig::kData, 512, kWrite, 0}, 0);
  const uint16_t second =
      rig.Ask(VirtioBlkRequest::kIn, 2, {BlkRig::kData + 512, 512, kWrite, 0}, 1);
  rig.Kick(0);
  rig.bench.RunFor(1000);
  EXPECT_EQ(rig.UsedIndex(0), 0) << "it takes its time";
  rig.Kick(0);
  rig.bench.RunFor(BlkRig::kSecond);
  EXPECT_EQ(rig.UsedIndex(0), 2);
  EXPECT_EQ(rig.UsedEntry(0, 0).head, first);
  EXPECT_EQ(rig.UsedEntry(0, 1).head, second);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kData + 512), 2);
}

TEST(VirtioBlkTest, WhatADriverMayNotDoStopsTheDevice) {
  const std::vector<VirtioDescriptor> kBad[] = {
      {{BlkRig::kHeader, 16, 0, 0}},                                   // no status
      {{BlkRig::kStatus, 1, kWrite, 0}},                               // no header
      {{BlkRig::kHeader, 15, 0, 0}, {BlkRig::kStatus, 1, kWrite, 0}},  // a short one
      {{TestRam::kSize, 16, 0, 0}, {BlkRig::kStatus, 1, kWrite, 0}},   // outside RAM
      {{BlkRig::kHeader, 16, 0, 0}, {~uint64_t{0}, 513, kWrite, 0}},
      {{BlkRig::kHeader, 16, 0, 0}, {uint64_t{1} << 36, 513, kWrite, 0}},
      {{BlkRig::kHeader, 16, 0, 0}, {BlkRig::kData, 512, kWrite, 0}, {0x7fffffff, 1, kWrite, 0}},
      {{BlkRig::kStatus, 1, kWrite, 0}, {BlkRig::kHeader, 16, 0, 0}},  // the wrong way round
  };
  for (size_t i = 0; i < std::size(kBad); ++i) {
    SCOPED_TRACE(i);
    BlkRig rig;
    rig.Start(0);
    rig.Add(0, kBad[i]);
    rig.Kick(0);
    rig.bench.RunFor(BlkRig::kSecond);
    EXPECT_NE(rig.Status() & VirtioStatus::kNeedsReset, 0);
    EXPECT_EQ(rig.Isr(), VirtioIsr::kConfig);
    EXPECT_EQ(rig.UsedIndex(0), 0);
    rig.Kick(0);
    EXPECT_EQ(rig.bench.events().next(), kNever) << "it does nothing";
    rig.Start(0);
    EXPECT_EQ(rig.Status() & VirtioStatus::kNeedsReset, 0);
    EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 5, {BlkRig::kData, 512, kWrite, 0}), kOk);
  }
}

TEST(VirtioBlkTest, ALegacyDriverHearsNothingOfItsFault) {
  BlkRig rig;
  rig.StartLegacy(0);
  rig.Add(0, {{BlkRig::kHeader, 16, 0, 0}});
  rig.Kick(0);
  rig.bench.RunFor(BlkRig::kSecond);
  EXPECT_EQ(rig.In(0x12, 1), 7u);
  EXPECT_FALSE(rig.Interrupted());
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 5), kNone);
  rig.StartLegacy(0);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 5), kOk);
}

TEST(VirtioBlkTest, OverlappingBuffersAreUsedInTheirOrder) {
  BlkRig rig;
  rig.Start(0);
  // The data go over the header, which has been read, and the status over the data.
  rig.memory.Put(BlkRig::kHeader, BlkRig::Header{VirtioBlkRequest::kIn, 0, 9});
  rig.Add(0, {{BlkRig::kHeader, 16, 0, 0},
              {BlkRig::kHeader, 512, kWrite, 0},
              {BlkRig::kHeader + 511, 1, kWrite, 0}});
  rig.Kick(0);
  rig.bench.RunFor(BlkRig::kSecond);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kHeader), 9);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kHeader + 511), kOk);
  EXPECT_EQ(rig.UsedIndex(0), 1);
}

TEST(VirtioBlkTest, AResetForgetsWhatWasInFlight) {
  BlkRig rig;
  rig.Start(0);
  rig.Ask(VirtioBlkRequest::kOut, 1, {BlkRig::kData, 0x20000, 0, 0});
  rig.Kick(0);
  rig.bench.RunFor(1000);
  EXPECT_NE(rig.bench.events().next(), kNever);
  rig.Write(0x14, 1, 0);
  EXPECT_EQ(rig.bench.events().next(), kNever);
  rig.bench.RunFor(BlkRig::kSecond);
  EXPECT_EQ(rig.UsedIndex(0), 0);
  EXPECT_EQ(rig.OnDisk(1), 1);
}

TEST(VirtioBlkTest, ALegacyQueueThatMovesStartsAnew) {
  BlkRig rig;
  rig.StartLegacy(0);
  rig.Ask(VirtioBlkRequest::kIn, 1, {BlkRig::kData, 512, kWrite, 0});
  rig.Kick(0);
  rig.bench.RunFor(1000);
  rig.Out(0x08, 4, 0x30);
  rig.bench.RunFor(BlkRig::kSecond);
  EXPECT_EQ(rig.UsedIndex(0), 0);
  EXPECT_EQ(rig.memory.Get<uint8_t>(BlkRig::kStatus), kNone);
  rig.Out(0x08, 4, 0);
  EXPECT_EQ(rig.In(0x08, 4), 0u);
  rig.Kick(0);
  EXPECT_EQ(rig.bench.events().next(), kNever) << "there is no queue";
}

TEST(VirtioBlkTest, AFunctionThatIsNoMasterCannotServe) {
  BlkRig rig;
  rig.Start(0);
  rig.Config(PciRegister::kCommand, 2, PciCommand::kMemory);
  EXPECT_EQ(rig.Do(VirtioBlkRequest::kIn, 1), kNone);
  EXPECT_NE(rig.Status() & VirtioStatus::kNeedsReset, 0);
}

TEST(VirtioBlkTest, IsRestoredInTheMiddleOfARequest) {
  constexpr uint32_t kBytes = 0x30000;
  for (const VirtioBlkRequest type : {VirtioBlkRequest::kIn, VirtioBlkRequest::kOut}) {
    BlkRig rig;
    rig.Start(kAll | VirtioFeature::kAccessPlatform);
    const uint16_t flags = type == VirtioBlkRequest::kIn ? kWrite : 0;
    rig.Ask(type, 64, {BlkRig::kData, kBytes, flags, 0}, 0);
    rig.Ask(type, 900, {BlkRig::kData + kBytes, 4096, flags, 0}, 1);
    rig.Kick(0);
    for (int steps = 0; rig.bench.events().next() != kNever; ++steps) {
      rig.bench.RunTo(rig.bench.events().next());
      BlkRig other;
      ASSERT_TRUE(rig.CopyTo(other).ok()) << rig.CopyTo(other);
      ASSERT_EQ(other.Save(), rig.Save());
      other.disk.SetWritten(rig.disk.written());
      other.bench.RunFor(BlkRig::kSecond);
      EXPECT_EQ(other.UsedIndex(0), 2);
      EXPECT_EQ(other.memory.Get<uint8_t>(BlkRig::kStatus + 0x40), kOk);
      const uint64_t last = kBytes / kSectorSize - 1;
      if (type == VirtioBlkRequest::kIn) {
        EXPECT_EQ(other.memory.Get<uint8_t>(BlkRig::kData + last * kSectorSize),
                  static_cast<uint8_t>(64 + last));
      } else {
        EXPECT_EQ(other.OnDisk(64 + last), 0);
      }
    }
  }
}

TEST(VirtioBlkTest, RefusesStatesThatCannotBe) {
  BlkRig rig;
  rig.Start(0);
  rig.Ask(VirtioBlkRequest::kIn, 64, {BlkRig::kData, 0x30000, kWrite, 0});
  rig.Kick(0);
  rig.bench.RunFor(100'000);
  const std::string good = Save(rig.device);
  // Whatever byte is changed, the result is refused or is a state like others: it runs.
  for (size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      BlkRig other;
      ASSERT_TRUE(rig.CopyTo(other).ok());
      std::string state = good;
      state[at] = static_cast<char>(state[at] ^ flip);
      if (Restore(other.device, state).ok()) other.bench.RunFor(BlkRig::kSecond);
    }
  }
  BlkRig idle;
  EXPECT_FALSE(Restore(idle.device, good).ok()) << "a request without its event";
  idle.Start(0);
  const std::string quiet = Save(idle.device);
  ASSERT_TRUE(rig.CopyTo(idle).ok());
  EXPECT_FALSE(Restore(idle.device, quiet).ok()) << "an event without its request";
}

}  // namespace
}  // namespace isochron::machine
