#include "machine/devices/ide/ali_ide.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "machine/bus/device_testing.h"
#include "machine/bus/pci_bus.h"
#include "machine/devices/ide/ata_drive.h"
#include "machine/devices/ide/ide_testing.h"
#include "machine/disks/disk_testing.h"

namespace isochron::machine {
namespace {

using Reg = AtaRegister;

constexpr uint64_t kCommand = 0x1f0, kControl = 0x3f6, kSecondCommand = 0x170, kMaster = 0xf000;
constexpr uint8_t kReady = 0x50, kDataRequest = 0x58, kBusy = 0x80;
constexpr uint64_t kSectors = 1000;
constexpr uint64_t kTable = 0x8000;  // of descriptors

struct Rig {
  // Disks 0 and 2, so that the second channel has one and device 1 of the first is missing.
  explicit Rig(bool read_only = false)
      : contents(std::make_shared<BytesContents>(PatternBytes(kSectors * kSectorSize))),
        disk(contents, read_only) {
    ide.Attach(0, disk);
    bus.Attach(15, 0, ide);
    bus.Reset();
    ide.Reset();
  }

  uint8_t In(uint64_t port) { return static_cast<uint8_t>(bus.io().Read({port, 1, 0})); }
  void Out(uint64_t port, uint64_t value, int size = 1) { bus.io().Write({port, size, 0}, value); }
  uint16_t InWord() { return static_cast<uint16_t>(bus.io().Read({kCommand, 2, 0})); }

  // A command with an LBA of 28 bits.
  void Command(uint8_t code, uint64_t lba = 0, uint8_t count = 0) {
    Out(kCommand + Reg::kCount, count);
    Out(kCommand + Reg::kLow, lba & 0xff);
    Out(kCommand + Reg::kMid, lba >> 8 & 0xff);
    Out(kCommand + Reg::kHigh, lba >> 16 & 0xff);
    Out(kCommand + Reg::kDevice, 0xe0 | (lba >> 24));
    Out(kCommand + Reg::kCommand, code);
  }
  void CommandExtended(uint8_t code, uint64_t lba, uint16_t count) {
    Out(kCommand + Reg::kCount, count >> 8);
    Out(kCommand + Reg::kLow, lba >> 24 & 0xff);
    Out(kCommand + Reg::kMid, lba >> 32 & 0xff);
    Out(kCommand + Reg::kHigh, lba >> 40 & 0xff);
    Command(code, lba & 0xff'ffff, static_cast<uint8_t>(count));
  }
  // Waits for an interrupt, and gives the status behind it.
  uint8_t Wait() {
    EXPECT_TRUE(Await()) << "no interrupt";
    return In(kCommand + Reg::kStatus);
  }
  bool Await() {
    for (int i = 0; i < 1000 && !irqs.levels[14]; ++i) bench.RunFor(kTestHz / 10'000);
    return irqs.levels[14];
  }
  std::string ReadData(uint64_t sectors) {
    std::string bytes;
    for (uint64_t i = 0; i < sectors * kSectorSize / 2; ++i) {
      const uint16_t word = InWord();
      bytes.push_back(static_cast<char>(word));
      bytes.push_back(static_cast<char>(word >> 8));
    }
    return bytes;
  }
  void WriteData(const std::string& bytes) {
    for (size_t i = 0; i < bytes.size(); i += 2) {
      Out(kCommand, static_cast<uint8_t>(bytes[i]) | static_cast<uint8_t>(bytes[i + 1]) << 8, 2);
    }
  }
  void SetDescriptors(const std::vector<std::pair<uint32_t, uint32_t>>& descriptors) {
    size_t at = kTable;
    for (size_t i = 0; i < descriptors.size(); ++i) {
      const uint32_t last = i + 1 == descriptors.size() ? 0x8000'0000 : 0;
      const uint32_t words[] = {descriptors[i].first, (descriptors[i].second & 0xffff) | last};
      std::memcpy(memory.bytes.data() + at, words, sizeof words);
      at += sizeof words;
    }
    Out(kMaster + 4, kTable, 4);
  }
  void Start(bool to_memory) { Out(kMaster, to_memory ? 9 : 1); }
  uint8_t MasterStatus() { return In(kMaster + 2); }
  std::string OnDisk(uint64_t sector, uint64_t count) {
    std::string bytes(count * kSectorSize, '\0');
    disk.Read(sector, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
  }
  std::string Contents(uint64_t sector, uint64_t count) const {
    return contents->bytes().substr(sector * kSectorSize, count * kSectorSize);
  }

  Bench bench;
  FakeIrqs irqs;
  IdeTestMemory memory;
  AbsentTarget absent;
  std::shared_ptr<BytesContents> contents;
  Disk disk;
  PciBus bus{memory, absent, irqs, [](int, int) { return -1; }};
  AliIde ide{bench.events(), {&irqs, 14}, {&irqs, 15}};
};

TEST(AliIde, IsWhereAPcHasIt) {
  Rig rig;
  const auto config = [&](uint64_t reg, int size) {
    return rig.bus.config().Read({15 << 11 | reg, size, 0});
  };
  EXPECT_EQ(config(0, 4), 0x522910b9u);
  EXPECT_EQ(config(8, 4), 0x0101f0c1u) << "an IDE controller in compatibility mode that is master";
  EXPECT_EQ(rig.In(kCommand + Reg::kStatus), kReady);
  EXPECT_EQ(rig.In(kControl), kReady);
  rig.bus.config().Write({15 << 11 | 4, 2, 0}, 0);
  EXPECT_EQ(rig.In(kCommand + Reg::kStatus), 0xff) << "nobody answers without the I/O bit";
}

TEST(AliIde, WhatIsNotThere) {
  Rig rig;
  EXPECT_EQ(rig.In(kSecondCommand + Reg::kStatus), 0x7f) << "no drive";
  rig.Out(kSecondCommand + Reg::kCount, 0x55);
  EXPECT_EQ(rig.In(kSecondCommand + Reg::kCount), 0x7f);
  rig.Out(kCommand + Reg::kDevice, 0xb0);
  EXPECT_EQ(rig.In(kCommand + Reg::kStatus), 0) << "device 0 answers for device 1";
  rig.Out(kCommand + Reg::kCommand, 0xec);
  rig.bench.RunFor(kTestHz / 10);
  EXPECT_FALSE(rig.irqs.levels[14]);
}

TEST(AliIde, IdentifiesItself) {
  Rig rig;
  rig.Command(0xec);
  EXPECT_EQ(rig.In(kControl) & kBusy, kBusy);
  EXPECT_EQ(rig.Wait(), kDataRequest);
  EXPECT_FALSE(rig.irqs.levels[14]) << "reading the status took it back";
  const std::string bytes = rig.ReadData(1);
  EXPECT_EQ(rig.In(kControl), kReady);
  const auto word = [&](size_t i) {
    return static_cast<uint8_t>(bytes[2 * i]) | static_cast<uint8_t>(bytes[2 * i + 1]) << 8;
  };
  EXPECT_EQ(word(60) | word(61) << 16, static_cast<int>(kSectors));
  EXPECT_EQ(word(100), static_cast<int>(kSectors));
  EXPECT_EQ(word(83) & 0xc400, 0x4400) << "48-bit addresses";
  EXPECT_EQ(bytes.substr(54, 18), "SICORHNOH RADDSI K") << "two characters a word";
  uint8_t sum = 0;
  for (const char c : bytes) sum = static_cast<uint8_t>(sum + c);
  EXPECT_EQ(sum, 0);
}

TEST(AliIde, ReadsSectors) {
  Rig rig;
  rig.Command(0x20, 17, 3);
  std::string bytes;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(rig.Wait(), kDataRequest);
    bytes += rig.ReadData(1);
  }
  EXPECT_EQ(bytes, rig.Contents(17, 3));
  EXPECT_EQ(rig.irqs.edges[14], 3);
  EXPECT_EQ(rig.In(kControl), kReady);
  EXPECT_EQ(rig.contents->bytes_read(), 3 * kSectorSize);
}

TEST(AliIde, ReadsAndWritesSeveralAtOnce) {
  Rig rig;
  rig.Command(0xc4, 0, 1);
  EXPECT_EQ(rig.Wait(), kReady | 1) << "not before SET MULTIPLE";
  rig.Command(0xc6, 0, 8);
  EXPECT_EQ(rig.Wait(), kReady);
  rig.Command(0xc4, 100, 11);
  ASSERT_EQ(rig.Wait(), kDataRequest);
  std::string bytes = rig.ReadData(8);
  ASSERT_EQ(rig.Wait(), kDataRequest);
  bytes += rig.ReadData(3);
  EXPECT_EQ(bytes, rig.Contents(100, 11));

  const std::string data = PatternBytes(11 * kSectorSize);
  rig.Command(0xc5, 200, 11);
  EXPECT_EQ(rig.In(kControl), kDataRequest) << "without an interrupt";
  rig.WriteData(data.substr(0, 8 * kSectorSize));
  ASSERT_EQ(rig.Wait(), kDataRequest);
  rig.WriteData(data.substr(8 * kSectorSize));
  ASSERT_EQ(rig.Wait(), kReady);
  EXPECT_EQ(rig.OnDisk(200, 11), data);
}

TEST(AliIde, WritesSectors) {
  Rig rig;
  const std::string data = PatternBytes(2 * kSectorSize);
  rig.Command(0x30, 999, 1);
  rig.WriteData(data.substr(0, kSectorSize));
  EXPECT_EQ(rig.OnDisk(999, 1), rig.Contents(999, 1)) << "it takes its time";
  ASSERT_EQ(rig.Wait(), kReady);
  EXPECT_EQ(rig.OnDisk(999, 1), data.substr(0, kSectorSize));
  rig.Command(0xe7);
  EXPECT_EQ(rig.Wait(), kReady);
}

TEST(AliIde, KnowsCylindersHeadsAndSectors) {
  Rig rig;
  rig.Out(kCommand + Reg::kCount, 10);     // sectors of a track
  rig.Out(kCommand + Reg::kDevice, 0xa3);  // four heads
  rig.Out(kCommand + Reg::kCommand, 0x91);
  ASSERT_EQ(rig.Wait(), kReady);
  rig.Out(kCommand + Reg::kCount, 1);
  rig.Out(kCommand + Reg::kLow, 7);
  rig.Out(kCommand + Reg::kMid, 5);
  rig.Out(kCommand + Reg::kHigh, 0);
  rig.Out(kCommand + Reg::kDevice, 0xa2);
  rig.Out(kCommand + Reg::kCommand, 0x20);
  ASSERT_EQ(rig.Wait(), kDataRequest);
  EXPECT_EQ(rig.ReadData(1), rig.Contents((5 * 4 + 2) * 10 + 6, 1));
  rig.Out(kCommand + Reg::kLow, 11);
  rig.Out(kCommand + Reg::kCommand, 0x20);
  EXPECT_EQ(rig.Wait(), kReady | 1);
  EXPECT_EQ(rig.In(kCommand + Reg::kError), 0x10);
}

TEST(AliIde, TransfersByDma) {
  for (const bool extended : {false, true}) {
    Rig rig;
    // More than one chunk, into pieces of all sorts.
    constexpr uint64_t kCount = 200;
    rig.SetDescriptors({{0x10000, 0x1000},
                        {0x20002, 0x2},
                        {0x30000, 0x0},  // 64 KiB
                        {0x40000, kCount * kSectorSize - 0x11002}});
    if (extended) {
      rig.CommandExtended(0x25, 300, kCount);
    } else {
      rig.Command(0xc8, 300, kCount);
    }
    EXPECT_EQ(rig.MasterStatus(), 0);
    rig.bench.RunFor(kTestHz);
    EXPECT_FALSE(rig.irqs.levels[14]) << "the master has not been started";
    rig.Start(true);
    EXPECT_EQ(rig.MasterStatus(), 1);
    ASSERT_TRUE(rig.Await());
    EXPECT_EQ(rig.MasterStatus(), 4) << "done, and it was this channel";
    EXPECT_EQ(rig.In(kCommand + Reg::kStatus), kReady);
    rig.Out(kMaster + 2, 4);
    EXPECT_EQ(rig.MasterStatus(), 0);
    const std::string& memory = rig.memory.bytes;
    EXPECT_EQ(memory.substr(0x10000, 0x1000) + memory.substr(0x20002, 2) +
                  memory.substr(0x30000, 0x10000) +
                  memory.substr(0x40000, kCount * kSectorSize - 0x11002),
              rig.Contents(300, kCount));
    rig.Out(kMaster, 0);

    rig.SetDescriptors({{0x10000, 0x1000}, {0x30000, 0x2000}});
    const std::string data = memory.substr(0x10000, 0x1000) + memory.substr(0x30000, 0x2000);
    rig.CommandExtended(extended ? 0x35 : 0xca, 700, 0x3000 / kSectorSize);
    rig.Start(false);
    ASSERT_EQ(rig.Wait(), kReady);
    EXPECT_EQ(rig.OnDisk(700, 0x3000 / kSectorSize), data);
  }
}

TEST(AliIde, AMasterWithoutRoomStops) {
  Rig rig;
  rig.SetDescriptors({{0x10000, kSectorSize}});
  rig.Command(0xc8, 0, 2);
  rig.Start(true);
  rig.bench.RunFor(kTestHz);
  EXPECT_EQ(rig.MasterStatus(), 0) << "not active any more, no interrupt";
  EXPECT_EQ(rig.In(kControl), kDataRequest);
  EXPECT_FALSE(rig.irqs.levels[14]);
  // A reset brings it back.
  rig.Out(kControl, 4);
  rig.Out(kControl, 0);
  rig.bench.RunFor(kTestHz / 100);
  EXPECT_EQ(rig.In(kControl), kReady);
}

TEST(AliIde, AMasterTellsWhatItCannotReach) {
  Rig rig;
  rig.SetDescriptors({{0x7000'0000, 2 * kSectorSize}});
  rig.Command(0xc8, 0, 2);
  rig.Start(true);
  rig.bench.RunFor(kTestHz);
  EXPECT_EQ(rig.MasterStatus(), 2);
  rig.Out(kMaster, 0);
  rig.Out(kMaster + 2, 2);
  rig.Out(kMaster + 4, 0x7000'0000, 4);  // not even the table
  rig.Start(true);
  rig.bench.RunFor(kTestHz);
  EXPECT_EQ(rig.MasterStatus(), 2);
  // The other direction.
  rig.Out(kMaster, 0);
  rig.SetDescriptors({{0x10000, 2 * kSectorSize}});
  rig.Start(false);
  rig.bench.RunFor(kTestHz);
  EXPECT_EQ(rig.MasterStatus() & 1, 0);
  EXPECT_EQ(rig.memory.bytes.substr(0x10000, kSectorSize), std::string(kSectorSize, '\0'));
}

TEST(AliIde, AnEventMovesABoundedNumberOfPieces) {
  Rig rig;
  std::vector<std::pair<uint32_t, uint32_t>> descriptors(2 * kSectorSize / 2);
  for (size_t i = 0; i < descriptors.size(); ++i) {
    descriptors[i] = {static_cast<uint32_t>(0x10000 + 2 * i), 2};
  }
  rig.SetDescriptors(descriptors);
  rig.Command(0xc8, 5, 2);
  rig.Start(true);
  uint64_t most = 0;
  while (!rig.irqs.levels[14]) {
    const uint64_t before = rig.memory.transfers;
    ASSERT_NE(rig.bench.events().next(), kNever);
    rig.bench.events().SetNow(rig.bench.events().next());
    rig.bench.events().HandleNext();
    most = std::max(most, rig.memory.transfers - before);
  }
  EXPECT_LE(most, 2u * IdeChannel::kMaxDescriptors + 1);
  EXPECT_EQ(rig.memory.bytes.substr(0x10000, 2 * kSectorSize), rig.Contents(5, 2));
}

TEST(AliIde, RefusesWhatItCannot) {
  Rig rig(/*read_only=*/true);
  const auto refusal = [&] {
    EXPECT_EQ(rig.Wait(), kReady | 1);
    return rig.In(kCommand + Reg::kError);
  };
  rig.Command(0xa1);
  EXPECT_EQ(refusal(), 0x04) << "no ATAPI";
  rig.Command(0x30, 5, 1);
  EXPECT_EQ(refusal(), 0x04) << "read-only";
  rig.Command(0xca, 5, 1);
  EXPECT_EQ(refusal(), 0x04);
  rig.Command(0x20, kSectors, 1);
  EXPECT_EQ(refusal(), 0x10);
  rig.Command(0x20, kSectors - 1, 2);
  EXPECT_EQ(refusal(), 0x10);
  rig.CommandExtended(0x24, uint64_t{1} << 40, 1);
  EXPECT_EQ(refusal(), 0x10);
  rig.Command(0xc6, 0, 3);
  EXPECT_EQ(refusal(), 0x04) << "no power of two";
  rig.Command(0x20, kSectors - 1, 1);
  EXPECT_EQ(rig.Wait(), kDataRequest);
}

TEST(AliIde, ASoftResetShowsTheSignature) {
  Rig rig;
  rig.Command(0x20, 5, 8);
  rig.Out(kControl, 4);
  EXPECT_EQ(rig.In(kControl), kBusy);
  rig.bench.RunFor(kTestHz);
  EXPECT_EQ(rig.In(kControl), kBusy) << "as long as the bit is set";
  rig.Out(kControl, 0);
  EXPECT_EQ(rig.In(kControl), kBusy);
  rig.bench.RunFor(kTestHz / 100);
  EXPECT_EQ(rig.In(kControl), kReady);
  EXPECT_EQ(rig.In(kCommand + Reg::kError), 1);
  EXPECT_EQ(rig.In(kCommand + Reg::kCount), 1);
  EXPECT_EQ(rig.In(kCommand + Reg::kLow), 1);
  EXPECT_EQ(rig.In(kCommand + Reg::kMid), 0);
  EXPECT_FALSE(rig.irqs.levels[14]);
}

TEST(AliIde, InterruptsCanBeDisabled) {
  Rig rig;
  rig.Out(kControl, 2);
  rig.Command(0x20, 5, 1);
  rig.bench.RunFor(kTestHz / 10);
  EXPECT_FALSE(rig.irqs.levels[14]);
  EXPECT_EQ(rig.In(kControl), kDataRequest);
  EXPECT_EQ(rig.ReadData(1), rig.Contents(5, 1));
}

// A write that goes on where the last ended takes no time to get there, but its request's.
TEST(AliIde, EachPioWriteTakesTheTimeOfARequest) {
  Rig rig;
  const auto write = [&](uint64_t lba) {
    rig.Command(0x30, lba, 1);
    const uint64_t begin = rig.bench.events().now();
    rig.WriteData(std::string(kSectorSize, 'x'));
    while (!rig.irqs.levels[14]) rig.bench.RunTo(rig.bench.events().next());
    EXPECT_EQ(rig.In(kCommand + Reg::kStatus), kReady);
    return rig.bench.events().now() - begin;
  };
  constexpr uint64_t kTransfer = 1808, kRequest = 17143, kAccess = 33858;  // cycles
  EXPECT_EQ(write(5), kRequest + kAccess + kTransfer);
  EXPECT_EQ(write(6), kRequest + kTransfer);
  EXPECT_EQ(write(6), kRequest + kAccess + kTransfer);
}

TEST(AliIde, AVerifyTakesTheTimeOfAllItsSectors) {
  Rig rig;
  const auto verify = [&](uint16_t count) {
    rig.CommandExtended(0x42, 0, count);
    const uint64_t begin = rig.bench.events().now();
    while (!rig.irqs.levels[14]) rig.bench.RunTo(rig.bench.events().next());
    EXPECT_EQ(rig.In(kCommand + Reg::kStatus), kReady);
    return rig.bench.events().now() - begin;
  };
  verify(1);  // from here on it is somewhere else
  const uint64_t one = verify(1);
  // 899 sectors at 250 MB/s.
  EXPECT_NEAR(static_cast<double>(verify(900) - one), 899 * 512 * 2.4, 2);
}

TEST(AliIde, DiagnosticsTellOfBothDrives) {
  Rig rig;
  Disk second(rig.contents, false);
  rig.ide.Attach(1, second);
  rig.ide.Reset();
  rig.Out(kCommand + Reg::kDevice, 0xb0);
  rig.Out(kCommand + Reg::kMid, 0x55);
  rig.Out(kCommand + Reg::kCommand, 0x90);
  EXPECT_EQ(rig.Wait(), kReady);
  EXPECT_EQ(rig.In(kCommand + Reg::kDevice), 0xa0) << "device 0 tells it";
  for (const uint8_t device : {0xa0, 0xb0}) {
    rig.Out(kCommand + Reg::kDevice, device);
    EXPECT_FALSE(rig.irqs.levels[14]) << "once";
    EXPECT_EQ(rig.In(kCommand + Reg::kStatus), kReady);
    EXPECT_EQ(rig.In(kCommand + Reg::kError), 1);
    EXPECT_EQ(rig.In(kCommand + Reg::kMid), 0) << "the signature";
  }
}

TEST(AliIde, TheHighHalvesCanBeRead) {
  Rig rig;
  rig.Out(kCommand + Reg::kLow, 0x12);
  rig.Out(kCommand + Reg::kLow, 0x34);
  EXPECT_EQ(rig.In(kCommand + Reg::kLow), 0x34);
  rig.Out(kControl, 0x80);
  EXPECT_EQ(rig.In(kCommand + Reg::kLow), 0x12);
  rig.Out(kCommand + Reg::kMid, 0);
  EXPECT_EQ(rig.In(kCommand + Reg::kLow), 0x34) << "writing a register ends that";
  rig.Out(kControl, 0x80);
  rig.Out(kCommand + Reg::kCommand, 0xe5);
  EXPECT_EQ(rig.In(kCommand + Reg::kLow), 0x34) << "and so does a command";
}

// Saved at any time, it goes on elsewhere as it would have here.
TEST(AliIde, GoesOnFromItsState) {
  Rig rig;
  rig.SetDescriptors({{0x10000, 0x0}, {0x30000, 0x9000}});
  rig.Command(0xc8, 300, 200);
  rig.Start(true);
  int copies = 0;
  while (!rig.irqs.levels[14]) {
    Rig other;
    other.memory.bytes = rig.memory.bytes;
    ASSERT_TRUE(Restore(other.bus, Save(rig.bus)).ok());
    ASSERT_TRUE(CopyInto(rig.ide, rig.bench, other.ide, other.bench).ok());
    EXPECT_EQ(Save(other.ide), Save(rig.ide));
    ASSERT_TRUE(other.Await());
    EXPECT_EQ(
        other.memory.bytes.substr(0x10000, 0x10000) + other.memory.bytes.substr(0x30000, 0x9000),
        rig.Contents(300, 200));
    ++copies;
    rig.bench.RunTo(rig.bench.events().next());
  }
  EXPECT_GE(copies, 2);
  // In the middle of data.
  rig.Out(kMaster, 0);
  rig.Command(0x20, 7, 1);
  ASSERT_EQ(rig.Wait(), kDataRequest);
  for (int i = 0; i < 100; ++i) rig.InWord();
  Rig other;
  ASSERT_TRUE(CopyInto(rig.ide, rig.bench, other.ide, other.bench).ok());
  std::string rest;
  for (int i = 100; i < 256; ++i) {
    const uint16_t word = other.InWord();
    rest.push_back(static_cast<char>(word));
    rest.push_back(static_cast<char>(word >> 8));
  }
  EXPECT_EQ(rest, rig.Contents(7, 1).substr(200));
}

// What no drive can come to is refused, and nothing that is taken leads astray.
TEST(AliIde, ADamagedStateIsRefusedOrHarmless) {
  Rig rig;
  rig.SetDescriptors({{0x10000, 0x0}, {0x30000, 0x9000}});
  rig.Command(0x30, 300, 2);
  for (int i = 0; i < 100; ++i) rig.Out(kCommand, 0x1234, 2);
  const std::string good = Save(rig.ide);
  int refused = 0;
  const size_t chunk = good.find(std::string("\x34\x12\x34\x12"));
  ASSERT_NE(chunk, std::string::npos);
  for (size_t i = 0; i < good.size(); ++i) {
    if (i == chunk) i += kSectorSize;  // any bytes may stand there
    for (const uint8_t change : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      Rig other;
      if (!Restore(other.ide, bad).ok()) {
        ++refused;
        continue;
      }
      other.Start(true);
      for (int word = 0; word < 600; ++word) other.Out(kCommand, 0, 2);
      other.bench.RunFor(kTestHz / 100);
      for (int word = 0; word < 600; ++word) other.InWord();
    }
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace isochron::machine
