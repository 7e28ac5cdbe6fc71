#include "machine/devices/ide/atapi_drive.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "machine/bus/device_testing.h"
#include "machine/bus/pci_bus.h"
#include "machine/devices/ide/ali_ide.h"
#include "machine/devices/ide/ide_testing.h"
#include "machine/disks/disk_testing.h"

namespace isochron::machine {
namespace {

using Reg = AtaRegister;
using Packet = std::array<uint8_t, AtapiDrive::kPacketBytes>;

constexpr uint64_t kPorts = 0x1f0, kControl = 0x3f6, kMaster = 0xf000, kTable = 0x8000;
constexpr uint8_t kReady = 0x50, kDataRequest = 0x58, kFailed = 0x51, kBusy = 0x80;
constexpr uint64_t kBlocks = 200, kBlock = AtapiDrive::kBlockSize;

// A CD-ROM as device 1 of the first channel, behind a disk.
struct Rig {
  Rig() {
    ide.Attach(0, disk);
    ide.Attach(1, disc, true);
    bus.Attach(15, 0, ide);
    bus.Reset();
    ide.Reset();
    Out(Reg::kDevice, 0x10);
  }

  uint8_t In(int reg) { return static_cast<uint8_t>(bus.io().Read({kPorts + reg, 1, 0})); }
  void Out(int reg, uint64_t value) { bus.io().Write({kPorts + reg, 1, 0}, value); }
  uint8_t Wait() {
    for (int i = 0; i < 10'000 && !irqs.levels[14]; ++i) bench.RunFor(kTestHz / 10'000);
    EXPECT_TRUE(irqs.levels[14]) << "no interrupt";
    return In(Reg::kStatus);
  }
  void Send(const Packet& packet, uint16_t limit = 0xfffe, bool dma = false) {
    Out(Reg::kFeatures, dma ? 1 : 0);
    Out(Reg::kMid, limit & 0xff);
    Out(Reg::kHigh, limit >> 8);
    Out(Reg::kCommand, 0xa0);
    EXPECT_EQ(In(Reg::kStatus), kDataRequest);
    EXPECT_EQ(In(Reg::kCount) & 3, 1) << "a packet to the drive";
    for (size_t i = 0; i < packet.size(); i += 2) {
      bus.io().Write({kPorts, 2, 0}, uint64_t{packet[i]} | packet[i + 1] << 8);
    }
  }
  std::string Words(size_t bytes) {
    std::string data;
    for (size_t i = 0; i < bytes; i += 2) {
      const uint64_t word = bus.io().Read({kPorts, 2, 0});
      data.push_back(static_cast<char>(word));
      data.push_back(static_cast<char>(word >> 8));
    }
    return data;
  }
  // What a packet gives back, by as many parts as the drive makes; the last status in `status`.
  std::string Ask(const Packet& packet, uint16_t limit = 0xfffe) {
    Send(packet, limit);
    std::string reply;
    parts = 0;
    while ((status = Wait()) == kDataRequest) {
      EXPECT_EQ(In(Reg::kCount) & 3, 2) << "data to the host";
      const size_t size = In(Reg::kMid) | In(Reg::kHigh) << 8;
      EXPECT_GT(size, 0u);
      EXPECT_LE(size, limit);
      reply += Words(size);
      ++parts;
    }
    EXPECT_EQ(In(Reg::kCount) & 3, 3) << "the end";
    return reply;
  }
  // Sense key, code and qualifier of a packet that fails.
  uint32_t Refused(const Packet& packet) {
    EXPECT_EQ(Ask(packet), "");
    EXPECT_EQ(status, kFailed);
    const uint8_t error = In(Reg::kError);
    const std::string sense = Ask({0x03, 0, 0, 0, 18});
    EXPECT_EQ(status, kReady);
    EXPECT_EQ(sense.size(), 18u);
    EXPECT_EQ(error >> 4, sense[2]);
    return static_cast<uint32_t>(sense[2] << 16 | sense[12] << 8 | sense[13]);
  }
  // Past what a drive tells first.
  void TakeAttention() { EXPECT_EQ(Refused({0x00}), 0x06'29'00u); }
  std::string Contents(uint64_t block, uint64_t count) const {
    return contents->bytes().substr(block * kBlock, count * kBlock);
  }

  std::shared_ptr<BytesContents> contents =
      std::make_shared<BytesContents>(PatternBytes(kBlocks * kBlock));
  Disk disc{contents, true};
  Disk disk{contents, false};
  IdeTestMemory memory;
  Bench bench;
  FakeIrqs irqs;
  AliIde ide{bench.events(), {&irqs, 14}, {&irqs, 15}};
  AbsentTarget isa;
  PciBus bus{memory, isa, irqs, [](int, int) { return -1; }};
  uint8_t status = 0;
  int parts = 0;
};

TEST(Atapi, ShowsWhatItIs) {
  Rig rig;
  EXPECT_EQ(rig.In(Reg::kMid), 0x14);
  EXPECT_EQ(rig.In(Reg::kHigh), 0xeb);
  rig.Out(Reg::kMid, 0);
  rig.Out(Reg::kCommand, 0xec);
  EXPECT_EQ(rig.Wait(), kFailed) << "it is no disk";
  EXPECT_EQ(rig.In(Reg::kError), 0x04);
  EXPECT_EQ(rig.In(Reg::kMid), 0x14);
  EXPECT_EQ(rig.In(Reg::kHigh), 0xeb);
  rig.Out(Reg::kCommand, 0xa1);
  EXPECT_EQ(rig.Wait(), kDataRequest);
  const std::string identity = rig.Words(512);
  EXPECT_EQ(rig.In(Reg::kStatus), kReady);
  EXPECT_EQ(identity.substr(0, 2), "\xc0\x85");
  uint8_t sum = 0;
  for (const char byte : identity) sum = static_cast<uint8_t>(sum + byte);
  EXPECT_EQ(sum, 0);
  const std::string inquiry = rig.Ask({0x12, 0, 0, 0, 36});
  EXPECT_EQ(inquiry.substr(8), "ISOCHRONCD-ROM          1.0 ");
  EXPECT_EQ(inquiry[0], 5);
  EXPECT_EQ(rig.Ask({0x12, 0, 0, 0, 5}).size(), 6u) << "a word at a time";
  rig.Out(Reg::kCommand, 0x30);
  EXPECT_EQ(rig.Wait(), kFailed);
}

TEST(Atapi, TellsOfTheDisc) {
  Rig rig;
  rig.TakeAttention();
  rig.Ask({0x00});
  EXPECT_EQ(rig.status, kReady);
  EXPECT_EQ(rig.Ask({0x25}), std::string("\0\0\0\xc7\0\0\x08\0", 8));
  EXPECT_EQ(rig.Ask({0x43, 0, 0, 0, 0, 0, 0, 0, 255}),
            std::string("\0\x12\1\1\0\x14\1\0\0\0\0\0\0\x14\xaa\0\0\0\0\xc8", 20));
  // 2 seconds of lead-in, and 200 blocks of 75 a second.
  EXPECT_EQ(rig.Ask({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255}),
            std::string("\0\x0a\1\1\0\x14\xaa\0\0\0\4\x32", 12));
  EXPECT_EQ(rig.Ask({0x43, 0, 1, 0, 0, 0, 0, 0, 12}),
            std::string("\0\x0a\1\1\0\x14\1\0\0\0\0\0", 12));
  const std::string modes = rig.Ask({0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255});
  EXPECT_EQ(modes.size(), 8u + 22);
  EXPECT_EQ(modes.substr(0, 3), std::string("\0\x1c\1", 3));
  EXPECT_EQ(modes.substr(8, 2), "\x2a\x14");
  EXPECT_EQ(rig.Ask({0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255}).size(), 8u + 8 + 22);
  const std::string features = rig.Ask({0x46, 0, 0, 0, 0, 0, 0, 0, 255});
  EXPECT_EQ(features.substr(0, 16), std::string("\0\0\0\x20\0\0\0\x08\0\0\3\4\0\x08\1\0", 16));
  EXPECT_EQ(rig.Ask({0x46, 2, 0, 0x1e, 0, 0, 0, 0, 255}).size(), 12u);
  EXPECT_EQ(rig.Ask({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8}), std::string("\0\6\4\x10\0\2\0\0", 8));
}

TEST(Atapi, ReadsByPio) {
  Rig rig;
  rig.TakeAttention();
  EXPECT_EQ(rig.Ask({0x28, 0, 0, 0, 0, 7, 0, 0, 3}) == rig.Contents(7, 3), true);
  EXPECT_EQ(rig.parts, 1);
  // No more than the host says that it takes, whole words, over several chunks.
  EXPECT_EQ(rig.Ask({0xa8, 0, 0, 0, 0, 50, 0, 0, 0, 40}, 0x801) == rig.Contents(50, 40), true);
  EXPECT_EQ(rig.parts, 40);
  EXPECT_EQ(rig.status, kReady);
  EXPECT_EQ(rig.Ask({0x28, 0, 0, 0, 0, 7, 0, 0, 0}), "") << "no blocks";
  EXPECT_EQ(rig.status, kReady);
}

TEST(Atapi, ReadsByDmaAtTheSpeedOfTheDrive) {
  Rig rig;
  rig.TakeAttention();
  const uint32_t descriptor[] = {0x10000, uint32_t{40 * kBlock & 0xffff} | 0x8000'0000};
  const uint32_t first[] = {0x20000, 0};
  std::memcpy(rig.memory.bytes.data() + kTable, first, 8);
  std::memcpy(rig.memory.bytes.data() + kTable + 8, descriptor, 8);
  rig.bus.io().Write({kMaster + 4, 4, 0}, kTable);
  rig.Send({0x28, 0, 0, 0, 0, 100, 0, 0, 40}, 0, true);
  const uint64_t begin = rig.bench.events().now();
  rig.bus.io().Write({kMaster, 1, 0}, 9);
  EXPECT_EQ(rig.Wait(), kReady);
  EXPECT_EQ(rig.In(Reg::kCount) & 3, 3);
  EXPECT_EQ(rig.memory.bytes.substr(0x20000, 0x10000) == rig.Contents(100, 32), true);
  EXPECT_EQ(rig.memory.bytes.substr(0x10000, 8 * kBlock) == rig.Contents(132, 8), true);
  // 80 ms to get there, and 80 KiB at 6.144 MB/s, told within 0.1 ms.
  const double ms = 1e3 * static_cast<double>(rig.bench.events().now() - begin) / kTestHz;
  EXPECT_GT(ms, 80 + 13.3);
  EXPECT_LT(ms, 80 + 13.3 + 0.3);
}

TEST(Atapi, RefusesWhatCannotBe) {
  Rig rig;
  rig.TakeAttention();
  EXPECT_EQ(rig.Refused({0x28, 0, 0, 0, 0, 199, 0, 0, 2}), 0x05'21'00u);
  EXPECT_EQ(rig.Refused({0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 0x05'21'00u);
  EXPECT_EQ(rig.Refused({0x2b, 0, 0, 0, 0, 200}), 0x05'21'00u);
  EXPECT_EQ(rig.Refused({0x2a, 0, 0, 0, 0, 0, 0, 0, 1}), 0x05'20'00u) << "it writes nothing";
  EXPECT_EQ(rig.Refused({0x43, 0, 5, 0, 0, 0, 0, 0, 255}), 0x05'24'00u);
  EXPECT_EQ(rig.Refused({0x43, 0, 0, 0, 0, 0, 2, 0, 255}), 0x05'24'00u);
  EXPECT_EQ(rig.Refused({0x5a, 0, 0x0d, 0, 0, 0, 0, 0, 255}), 0x05'24'00u);
  EXPECT_EQ(rig.Refused({0x5a, 0, 0xea, 0, 0, 0, 0, 0, 255}), 0x05'39'00u);
  EXPECT_EQ(rig.Refused({0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8}), 0x05'24'00u);
  EXPECT_EQ(rig.Refused({0x12, 1, 0, 0, 36}), 0x05'24'00u);
  EXPECT_EQ(rig.Ask({0x03, 0, 0, 0, 18})[2], 0) << "it is told once";
}

TEST(Atapi, TheTrayOpensUnlessItIsLocked) {
  Rig rig;
  rig.TakeAttention();
  rig.Ask({0x1e, 0, 0, 0, 1});
  EXPECT_EQ(rig.Refused({0x1b, 0, 0, 0, 2}), 0x05'53'02u);
  rig.Ask({0x1e, 0, 0, 0, 0});
  rig.Ask({0x1b, 0, 0, 0, 2});
  EXPECT_EQ(rig.status, kReady);
  EXPECT_EQ(rig.Refused({0x00}), 0x02'3a'02u);
  EXPECT_EQ(rig.Refused({0x28, 0, 0, 0, 0, 0, 0, 0, 1}), 0x02'3a'02u);
  EXPECT_EQ(rig.Ask({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8})[5], 1);
  rig.Ask({0x1b, 0, 0, 0, 3});
  EXPECT_EQ(rig.Refused({0x00}), 0x06'28'00u);
  rig.Ask({0x00});
  EXPECT_EQ(rig.status, kReady);
}

TEST(Atapi, ResetsShowTheSignature) {
  Rig rig;
  rig.TakeAttention();
  rig.Send({0x28, 0, 0, 0, 0, 7, 0, 0, 3});
  EXPECT_EQ(rig.In(Reg::kStatus) & kBusy, kBusy);
  rig.Out(Reg::kCommand, 0x08);
  EXPECT_EQ(rig.In(Reg::kStatus), 0);
  EXPECT_EQ(rig.In(Reg::kMid), 0x14);
  rig.bench.RunFor(kTestHz);
  EXPECT_EQ(rig.In(Reg::kStatus), 0);
  rig.bus.io().Write({kControl, 1, 0}, 4);
  rig.bench.RunFor(kTestHz / 100);
  rig.bus.io().Write({kControl, 1, 0}, 0);
  rig.bench.RunFor(kTestHz / 100);
  EXPECT_EQ(rig.In(Reg::kMid), 0) << "device 0 is selected, the disk";
  rig.Out(Reg::kDevice, 0x10);
  EXPECT_EQ(rig.In(Reg::kMid), 0x14);
  EXPECT_EQ(rig.In(Reg::kStatus), 0);
}

TEST(Atapi, GoesOnFromItsState) {
  Rig rig;
  rig.TakeAttention();
  rig.Send({0x28, 0, 0, 0, 0, 7, 0, 0, 40}, 2048);
  std::string read;
  int copies = 0;
  while (rig.Wait() == kDataRequest) {
    read += rig.Words(1000);
    Rig other;
    ASSERT_TRUE(Restore(other.bus, Save(rig.bus)).ok());
    ASSERT_TRUE(CopyInto(rig.ide, rig.bench, other.ide, other.bench).ok());
    EXPECT_EQ(Save(other.ide), Save(rig.ide));
    const std::string rest = rig.Words(1048);
    EXPECT_EQ(other.Words(1048), rest);
    read += rest;
    ++copies;
  }
  EXPECT_EQ(copies, 40);
  EXPECT_EQ(read == rig.Contents(7, 40), true);
}

// What no drive can come to is refused, and nothing that is taken leads astray.
TEST(Atapi, ADamagedStateIsRefusedOrHarmless) {
  Rig rig;
  rig.TakeAttention();
  rig.Send({0x28, 0, 0, 0, 0, 7, 0, 0, 1}, 2048);
  ASSERT_EQ(rig.Wait(), kDataRequest);
  rig.Words(100);
  const std::string good = Save(rig.ide);
  const size_t chunk = good.find(rig.Contents(7, 1));
  ASSERT_NE(chunk, std::string::npos);
  int refused = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    if (i == chunk) i += kBlock;  // any bytes may stand there
    for (const uint8_t change : {0x01, 0xff}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ change);
      Rig other;
      if (!Restore(other.ide, bad).ok()) {
        ++refused;
        continue;
      }
      other.bus.io().Write({kMaster, 1, 0}, 9);
      other.Words(4096);
      other.bench.RunFor(kTestHz / 5);
      for (int word = 0; word < 8; ++word) other.bus.io().Write({kPorts, 2, 0}, 0);
      other.Words(4096);
    }
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace isochron::machine
