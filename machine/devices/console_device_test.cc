#include "machine/devices/console_device.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "machine/bus/device_testing.h"
#include "machine/disks/disk_testing.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kSectors = 64;
constexpr uint64_t kRamBytes = uint64_t{1} << 20;

class ConsoleDeviceTest : public testing::Test {
 protected:
  ConsoleDeviceTest() { device_.Reset(); }

  uint64_t Get(uint64_t reg) { return device_.Read({reg, 8}); }
  void Set(uint64_t reg, uint64_t value) { device_.Write({reg, 8}, value); }
  void Begin(uint64_t command, uint64_t unit, uint64_t block, uint64_t count, uint64_t address) {
    Set(FW_CONSOLE_DEVICE_UNIT, unit);
    Set(FW_CONSOLE_DEVICE_BLOCK, block);
    Set(FW_CONSOLE_DEVICE_COUNT, count);
    Set(FW_CONSOLE_DEVICE_ADDRESS, address);
    Set(FW_CONSOLE_DEVICE_COMMAND, command);
  }
  uint64_t Status() { return Get(FW_CONSOLE_DEVICE_COMMAND); }
  std::string Ram(uint64_t address, uint64_t size) {
    return {reinterpret_cast<const char*>(memory_.host(address)), size};
  }

  const std::string bytes_ = PatternBytes(kSectors * kSectorSize);
  Disk disk_{std::make_shared<BytesContents>(bytes_), false};
  Disk fixed_{std::make_shared<BytesContents>(bytes_), true};
  std::vector<uint8_t> storage_ = std::vector<uint8_t>(kRamBytes);
  alpha::Memory memory_{storage_.data(), storage_.size()};
  Bench bench_;
  ConsoleDevice device_{bench_.events(), memory_, {{&disk_}, {&fixed_}}, ConsoleEnvironment()};
};

TEST_F(ConsoleDeviceTest, ReadsAtTheTimeThatTheDiskTakes) {
  EXPECT_EQ(Get(FW_CONSOLE_DEVICE_BLOCKS), kSectors);
  Begin(FW_CONSOLE_READ, 1, 5, 3, 0x4000);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_BUSY});
  Set(FW_CONSOLE_DEVICE_BLOCK, 7);  // it is busy
  // 75 us to get there, and 1536 bytes at 250 MB/s.
  bench_.RunTo(48686);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_BUSY});
  EXPECT_EQ(Ram(0x4000, 8), std::string(8, '\0'));
  bench_.RunTo(48690);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_DONE});
  EXPECT_EQ(Ram(0x4000, 1536), bytes_.substr(5 * 512, 1536));
  EXPECT_EQ(Ram(0x4600, 8), std::string(8, '\0'));
  // What goes on behind it needs not to get there.
  Begin(FW_CONSOLE_READ, 1, 8, 1, 0x4000);
  bench_.RunFor(17143 + 1229 + 1);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_DONE});
}

TEST_F(ConsoleDeviceTest, Writes) {
  memory_.Write(0x2000, "written", 7);
  Begin(FW_CONSOLE_WRITE, 0, 63, 1, 0x2000);
  bench_.RunFor(kTestHz / 1000);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_DONE});
  std::string sector(kSectorSize, '\0');
  disk_.Read(63, {reinterpret_cast<uint8_t*>(sector.data()), sector.size()});
  EXPECT_EQ(sector.substr(0, 8), std::string("written\0", 8));
}

TEST_F(ConsoleDeviceTest, RefusesWhatCannotBe) {
  const struct {
    uint64_t command, unit, block, count, address;
  } kCases[] = {
      {FW_CONSOLE_READ, 2, 0, 1, 0},  // no such disk
      {FW_CONSOLE_READ, ~uint64_t{0}, 0, 1, 0},
      {FW_CONSOLE_WRITE, 1, 0, 1, 0},        // read-only
      {FW_CONSOLE_READ, 0, kSectors, 1, 0},  // behind the end
      {FW_CONSOLE_READ, 0, 63, 2, 0},
      {FW_CONSOLE_READ, 0, ~uint64_t{0}, 1, 0},
      {FW_CONSOLE_READ, 0, 0, 0, 0},
      {FW_CONSOLE_READ, 0, 0, FW_CONSOLE_MAX_BLOCKS + 1, 0},
      {FW_CONSOLE_READ, 0, 0, 1, kRamBytes - 511},
      {FW_CONSOLE_READ, 0, 0, 1, ~uint64_t{0}},
      {FW_CONSOLE_SAVE, 0, 0, 1, kRamBytes - 8191},
      {0, 0, 0, 1, 0},
      {4, 0, 0, 1, 0},
  };
  for (const auto& each : kCases) {
    Begin(each.command, each.unit, each.block, each.count, each.address);
    EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_REFUSED});
    EXPECT_EQ(bench_.events().next(), kNever);
  }
  device_.Write({FW_CONSOLE_DEVICE_UNIT, 4}, 1);
  EXPECT_EQ(device_.Read({FW_CONSOLE_DEVICE_NVRAM, 4}), 0u);
}

TEST_F(ConsoleDeviceTest, SavesAnEnvironmentThatOutlivesAReset) {
  const uint64_t length = 4;
  memory_.Write(0x8000 + CONSOLE_ENV_DUMP_DEV * CONSOLE_ENV_SLOT, &length, sizeof length);
  memory_.Write(0x8008 + CONSOLE_ENV_DUMP_DEV * CONSOLE_ENV_SLOT, "dka0", 4);
  Begin(FW_CONSOLE_SAVE, 0, 0, 0, 0x8000);
  bench_.RunFor(kTestHz / 20);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_BUSY}) << "57 ms";
  bench_.RunFor(kTestHz / 100);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_DONE});
  device_.Reset();
  EXPECT_EQ(device_.nvram()->values[CONSOLE_ENV_DUMP_DEV], "dka0");
  // One that is none leaves what was there.
  memory_.Store<uint64_t>(0x8000 + CONSOLE_ENV_LANGUAGE * CONSOLE_ENV_SLOT, 505);
  Begin(FW_CONSOLE_SAVE, 0, 0, 0, 0x8000);
  bench_.RunFor(kTestHz);
  EXPECT_EQ(Status(), uint64_t{FW_CONSOLE_REFUSED});
  EXPECT_EQ(device_.nvram()->values[CONSOLE_ENV_DUMP_DEV], "dka0");

  ConsoleDevice without{bench_.events(), memory_, {}, std::nullopt};
  without.Reset();
  EXPECT_EQ(without.Read({FW_CONSOLE_DEVICE_NVRAM, 8}), 0u);
  without.Write({FW_CONSOLE_DEVICE_COMMAND, 8}, FW_CONSOLE_SAVE);
  EXPECT_EQ(without.Read({FW_CONSOLE_DEVICE_COMMAND, 8}), uint64_t{FW_CONSOLE_REFUSED});
}

TEST_F(ConsoleDeviceTest, GoesOnInACopy) {
  Begin(FW_CONSOLE_READ, 0, 5, 3, 0x4000);
  Bench bench;
  ConsoleDevice copy{bench.events(), memory_, {{&disk_}, {&fixed_}}, ConsoleEnvironment()};
  copy.Reset();
  ASSERT_TRUE(CopyInto(device_, bench_, copy, bench).ok());
  bench.RunFor(kTestHz / 1000);
  EXPECT_EQ(copy.Read({FW_CONSOLE_DEVICE_COMMAND, 8}), uint64_t{FW_CONSOLE_DONE});
  EXPECT_EQ(Ram(0x4000, 1536), bytes_.substr(5 * 512, 1536));
  // Not of a disk that the other machine does not have.
  ConsoleDevice fewer{bench.events(), memory_, {}, ConsoleEnvironment()};
  fewer.Reset();
  EXPECT_FALSE(Restore(fewer, Save(device_)).ok());
}

}  // namespace
}  // namespace isochron::machine
