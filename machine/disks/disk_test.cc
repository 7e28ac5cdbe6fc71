#include "machine/disks/disk.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "machine/disks/disk_testing.h"
#include "machine/events/config.h"

namespace isochron::machine {
namespace {

struct Rig {
  explicit Rig(uint64_t sectors)
      : contents(std::make_shared<BytesContents>(PatternBytes(sectors * kSectorSize))),
        disk(contents, false),
        model(contents->bytes()) {}

  std::string Read(uint64_t sector, uint64_t count) {
    std::string bytes(count * kSectorSize, 'x');
    disk.Read(sector, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
  }
  void Write(uint64_t sector, const std::string& bytes) {
    disk.Write(sector, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    model.replace(sector * kSectorSize, bytes.size(), bytes);
  }
  void Zero(uint64_t sector, uint64_t count) {
    disk.Zero(sector, count);
    model.replace(sector * kSectorSize, count * kSectorSize, count * kSectorSize, '\0');
  }

  std::shared_ptr<BytesContents> contents;
  Disk disk;
  std::string model;
};

TEST(Disk, ReadsItsContents) {
  Rig rig(100);
  EXPECT_EQ(rig.disk.sectors(), 100u);
  EXPECT_EQ(rig.Read(0, 100), rig.model);
  EXPECT_EQ(rig.contents->reads(), 1u) << "in one piece";
  EXPECT_EQ(rig.Read(13, 2), rig.model.substr(13 * kSectorSize, 2 * kSectorSize));
  EXPECT_EQ(rig.contents->bytes_read(), 102 * kSectorSize) << "and no more than that";
  EXPECT_EQ(rig.disk.written().blocks(), 0u);
}

TEST(Disk, HoldsWhatIsWritten) {
  for (const uint64_t sectors : {1, 7, 8, 9, 100, 1003}) {
    Rig rig(sectors);
    std::mt19937 random(3);
    const auto below = [&](uint64_t end) {
      return std::uniform_int_distribution<uint64_t>(0, end - 1)(random);
    };
    for (int step = 0; step < 150; ++step) {
      const uint64_t first = below(sectors);
      const uint64_t count = 1 + below(std::min<uint64_t>(sectors - first, 40));
      if (below(3) == 0) {
        rig.Zero(first, count);
      } else {
        rig.Write(first, std::string(count * kSectorSize, static_cast<char>(below(256))));
      }
      const uint64_t from = below(sectors);
      const uint64_t size = 1 + below(sectors - from);
      ASSERT_EQ(rig.Read(from, size), rig.model.substr(from * kSectorSize, size * kSectorSize));
    }
    ASSERT_EQ(rig.Read(0, sectors), rig.model);
    EXPECT_TRUE(rig.disk.error().ok());
  }
}

TEST(Disk, ZeroesAnyNumberOfSectors) {
  constexpr uint64_t kSize = DiskConfig::kMaxBytes;
  Disk disk(std::make_shared<ZeroContents>(kSize), false);
  std::vector<uint8_t> bytes(2 * kSectorSize, 'a');
  const uint64_t last = disk.sectors() - 2;
  disk.Write(last, bytes);
  disk.Write(0, bytes);
  disk.Zero(1, disk.sectors() - 2);
  EXPECT_EQ(disk.written().blocks(), kSize / BlockTree::kBlockSize);
  EXPECT_LT(disk.written().bytes(), 100'000u);
  disk.Read(last, bytes);
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[kSectorSize], 'a');
  disk.Read(0, bytes);
  EXPECT_EQ(bytes[0], 'a');
  EXPECT_EQ(bytes[kSectorSize], 0);
}

TEST(Disk, TellsWhatTheHostCannotRead) {
  Rig rig(64);
  rig.contents->Break(9 * kSectorSize, 10 * kSectorSize);
  EXPECT_EQ(rig.Read(0, 9), rig.model.substr(0, 9 * kSectorSize));
  EXPECT_TRUE(rig.disk.error().ok());
  EXPECT_EQ(rig.Read(8, 4), std::string(4 * kSectorSize, '\0'));
  EXPECT_EQ(rig.disk.error().message(), "test.img: Input/output error");
  rig.disk.SetWritten(rig.disk.written().Empty());
  EXPECT_TRUE(rig.disk.error().ok());
  rig.Write(8, std::string(kSectorSize, 'a'));  // of a block the rest of which is needed
  EXPECT_FALSE(rig.disk.error().ok());
}

TEST(Disk, ComesBackToWhatWasWritten) {
  Rig rig(64);
  rig.Write(3, std::string(kSectorSize, 'a'));
  const BlockTree snapshot = rig.disk.written();
  const std::string then = rig.Read(0, 64);
  const std::string state = alpha::StateBytes(rig.disk);
  rig.Write(2, std::string(20 * kSectorSize, 'b'));
  EXPECT_NE(alpha::StateBytes(rig.disk), state);

  alpha::StateReader early(state);
  early.Whole(rig.disk);
  rig.disk.CheckRestored(early);
  EXPECT_FALSE(early.Finish().ok()) << "the blocks are others";
  rig.disk.SetWritten(snapshot);
  alpha::StateReader reader(state);
  reader.Whole(rig.disk);
  rig.disk.CheckRestored(reader);
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_EQ(rig.Read(0, 64), then);
  EXPECT_EQ(alpha::StateBytes(rig.disk), state);
}

TEST(Disk, TheStateTellsOfOneByte) {
  Rig one(64);
  Rig other(64);
  std::string bytes(kSectorSize, 'a');
  one.Write(40, bytes);
  bytes[100] = 'b';
  other.Write(40, bytes);
  EXPECT_NE(alpha::StateBytes(one.disk), alpha::StateBytes(other.disk));
  bytes[100] = 'a';
  other.Write(40, bytes);
  EXPECT_EQ(alpha::StateBytes(one.disk), alpha::StateBytes(other.disk));
}

}  // namespace
}  // namespace isochron::machine
