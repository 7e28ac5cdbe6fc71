#include "machine/firmware/firmware.h"

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/console_layout.h"
#include "machine/firmware/embedded_images.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMemory = uint64_t{16} << 20;
constexpr uint64_t kStart = 0xfffffc0000310000;

class FirmwareTest : public ::testing::Test {
 protected:
  FirmwareTest() { options_.clock_hz = 600'000'000; }

  void Kernel(uint64_t address, uint64_t memory_bytes) {
    kernel_.segments = {{address, memory_bytes, "text"}};
    kernel_.entry = address;
  }
  absl::Status Load() {
    options_.memory_bytes = storage_.size();
    return LoadFirmware(options_, kernel_, initrd_, palcode_, memory_);
  }
  std::string Error() {
    const absl::Status status = Load();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    // Nothing was started.
    EXPECT_EQ(Quad(FW_HWRPB_PA + 8), 0u);
    return std::string(status.message());
  }
  uint64_t Quad(uint64_t pa) const { return memory_.Load<uint64_t>(pa); }
  std::string Text(uint64_t pa) const { return reinterpret_cast<const char*>(memory_.host(pa)); }

  std::vector<uint8_t> storage_ = std::vector<uint8_t>(kMemory);
  alpha::Memory memory_{storage_.data(), storage_.size()};
  FirmwareOptions options_;
  KernelImage kernel_;
  std::string initrd_;
  std::vector<uint8_t> palcode_ = std::vector<uint8_t>(0x100, 0xab);
};

TEST_F(FirmwareTest, PutsEverythingInItsPlace) {
  Kernel(kStart, 0x2000);
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(memory_.Load<uint8_t>(FW_PAL_BASE), 0xab);
  EXPECT_EQ(Text(FW_HWRPB_PA + 8), "HWRPB");
  EXPECT_NE(Quad(FW_PAGE_TABLES_PA + 1023 * 8), 0u);
  EXPECT_EQ(Text(0x310000), "text");

  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_PC), kStart);
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_SP), 0xfffffc000004c000);
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_PCBB), uint64_t{FW_HWPCB_PA});
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_VPTB), uint64_t{FW_VPTB_VA});
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_WHAMI), 0u);
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_HWRPB), uint64_t{FW_HWRPB_PA});
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_FREE), 0x312000u >> 13);
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_PTB), uint64_t{FW_PAGE_TABLES_PA >> 13});
  EXPECT_EQ(Quad(FW_HWPCB_PA), 0xfffffc000004c000);
}

TEST_F(FirmwareTest, StartsTheKernelOnTheFirstOfSeveralCpus) {
  Kernel(kStart, 0x2000);
  options_.cpu_count = 2;
  ASSERT_TRUE(Load().ok());
  const uint64_t second = FW_IMPURE_BASE + FW_IMPURE_SIZE;
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_PC), kStart);
  EXPECT_EQ(Quad(second + FW_BOOT_PC), PhysicalToKseg(FW_SECONDARY_PA));
  EXPECT_NE(Quad(FW_SECONDARY_PA), 0u);
  EXPECT_EQ(Quad(second + FW_BOOT_WHAMI), 1u);
  EXPECT_EQ(Quad(second + FW_BOOT_PCBB), uint64_t{FW_HWPCB_PA + FW_HWPCB_SIZE});
}

TEST_F(FirmwareTest, ConsoleImageFitsAndItsDescriptorsPointIntoIt) {
  ASSERT_LE(ConsoleImage().size(), size_t{CONSOLE_CODE_LIMIT});
  Kernel(kStart, 0x2000);
  options_.command_line = "-a";
  ASSERT_TRUE(Load().ok());
  for (const uint64_t at : {CONSOLE_DISPATCH_DESCRIPTOR, CONSOLE_FIXUP_DESCRIPTOR}) {
    const uint64_t code = Quad(FW_CONSOLE_PA + at + 8) - 0xfffffc0000000000;
    EXPECT_GE(code, uint64_t{FW_CONSOLE_PA});
    EXPECT_LT(code, FW_CONSOLE_PA + ConsoleImage().size());
  }
  const uint64_t flags =
      FW_CONSOLE_PA + CONSOLE_ENV + CONSOLE_ENV_BOOTED_OSFLAGS * CONSOLE_ENV_SLOT;
  EXPECT_EQ(Quad(flags), 2u);
  EXPECT_EQ(Text(flags + 8), "-a");
}

TEST_F(FirmwareTest, TellsLinuxCommandLineAndInitrd) {
  Kernel(kStart, 0x2000);
  options_.command_line = "console=ttyS0";
  initrd_ = std::string(10'000, 'i');
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Text(0x30a000), "console=ttyS0");
  const uint64_t start = Quad(0x30a100);
  EXPECT_EQ(start, 0xfffffc0000000000 + kMemory - 0x4000);
  EXPECT_EQ(Quad(0x30a108), 10'000u);
  EXPECT_EQ(memory_.Load<uint8_t>(kMemory - 0x4000 + 9'999), 'i');
  EXPECT_EQ(memory_.Load<uint8_t>(kMemory - 0x4000 + 10'000), 0);
}

TEST_F(FirmwareTest, FindsTheParameterPageOfKernelsLinkedHigher) {
  // CONFIG_ALPHA_LEGACY_START_ADDRESS off.
  kernel_.segments = {{0xfffffc0001010000 - 0x800000, 0x2000, "text"},
                      {0xfffffc0000e00000, 0x2000, "data"}};
  kernel_.entry = 0xfffffc0001010000 - 0x800000;
  options_.command_line = "quiet";
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Text(0x80a000), "quiet");
}

TEST_F(FirmwareTest, MakesZeroWhatTheKernelExpectsZero) {
  memory_.WillWrite(0, kMemory);
  std::memset(storage_.data(), 0x5a, storage_.size());
  Kernel(kStart, 0x4321);
  options_.command_line = "quiet";
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Text(0x310000), "text");
  for (uint64_t pa = 0x310004; pa < 0x314321; ++pa) ASSERT_EQ(storage_[pa], 0) << pa;
  EXPECT_EQ(storage_[0x314321], 0x5a);
  for (uint64_t pa = 0x30a005; pa < 0x30c000; ++pa) ASSERT_EQ(storage_[pa], 0) << pa;
  EXPECT_EQ(Quad(FW_IMPURE_BASE + 0x1000), 0u);
}

TEST_F(FirmwareTest, LeavesFreshZeroPagesUntouched) {
  memory_.ClearDirty();
  Kernel(kStart, 0x100000);
  ASSERT_TRUE(Load().ok());
  EXPECT_TRUE(memory_.IsDirty(0x310000));
  EXPECT_FALSE(memory_.IsDirty(0x312000));
  EXPECT_FALSE(memory_.IsDirty(FW_IMPURE_BASE + FW_IMPURE_SIZE));
}

TEST_F(FirmwareTest, LeavesPagesAloneThatHoldTheSame) {
  Kernel(kStart, 0x100000);
  kernel_.segments[0].contents = std::string(0x6000, 'k');
  initrd_ = std::string(0x4000, 'i');
  ASSERT_TRUE(Load().ok());
  memory_.ClearDirty();
  memory_.Store<uint64_t>(0x312000, 1);
  memory_.Store<uint64_t>(0x400000, 1);
  memory_.ClearDirty();
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Text(0x312000).substr(0, 8), "kkkkkkkk");
  EXPECT_EQ(Quad(0x400000), 0u);
  for (uint64_t pa = FW_END; pa < kMemory; pa += alpha::kPageSize) {
    const bool differed = pa == 0x312000 || pa == 0x400000;
    EXPECT_EQ(memory_.IsDirty(pa), differed || pa == 0x30a000)
        << pa;  // the parameter page is put together
  }
  EXPECT_EQ(FirmwareCycles(kernel_, initrd_), (FW_END / alpha::kPageSize + 3 + 2) * 4096 +
                                                  (0x100000 - 0x6000) / alpha::kPageSize * 1024);
}

TEST_F(FirmwareTest, LoadsTheSameAgainAfterTheGuestWroteEverywhere) {
  Kernel(kStart, 0x4000);
  options_.command_line = "x";
  ASSERT_TRUE(Load().ok());
  const std::vector<uint8_t> first(storage_.begin(), storage_.begin() + 0x314000);
  memory_.WillWrite(0, FW_END);
  std::memset(storage_.data(), 0xff, FW_END);
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(first, std::vector<uint8_t>(storage_.begin(), storage_.begin() + 0x314000));
}

TEST_F(FirmwareTest, RejectsKernelsThatDoNotFit) {
  Kernel(0xfffffc0001000000, 4);
  EXPECT_THAT(Error(),
              HasSubstr("outside the 16 MiB of memory; to load it takes at least --memory 17M"));
  Kernel(0xfffffc0000fffffc, 5);
  EXPECT_THAT(Error(), HasSubstr("outside the 16 MiB of memory"));
  Kernel(kStart, std::numeric_limits<uint64_t>::max() >> 24);
  EXPECT_THAT(Error(), HasSubstr("outside"));
  EXPECT_THAT(Error(), testing::Not(HasSubstr("--memory")));
  Kernel(0xfffffc0000000000 + FW_END - 4, 0x2000);
  EXPECT_THAT(Error(), HasSubstr("overlaps the firmware"));
}

TEST_F(FirmwareTest, RejectsParametersWithoutRoom) {
  Kernel(0xfffffc0000000000 + FW_END, 0x2000);
  EXPECT_TRUE(Load().ok());
  std::memset(storage_.data(), 0, storage_.size());
  options_.command_line = "quiet";
  EXPECT_THAT(Error(), HasSubstr("no room for the command line"));
  // Another segment where the parameter page would be.
  kernel_.segments = {{0xfffffc000030b000, 0x10, "x"}, {kStart, 0x10, "text"}};
  kernel_.entry = kStart;
  EXPECT_THAT(Error(), HasSubstr("no room for the command line"));
}

TEST_F(FirmwareTest, RejectsAnInitrdThatDoesNotFit) {
  Kernel(kStart, 0x10000);
  // The kernel ends at 0x320000, a mebibyte behind it stays free.
  const uint64_t room = kMemory - 0x420000;
  initrd_ = std::string(room + 1, 'i');
  EXPECT_THAT(Error(), HasSubstr("too large"));
  EXPECT_THAT(Error(), HasSubstr("; to load kernel and initrd takes at least --memory 17M, and to "
                                 "unpack the initrd more"));
  initrd_.resize(room);
  EXPECT_TRUE(Load().ok());
  EXPECT_EQ(Quad(0x30a100), 0xfffffc0000420000);
}

TEST_F(FirmwareTest, ChecksTheCommandLine) {
  Kernel(kStart, 0x2000);
  options_.command_line = std::string(256, 'x');
  EXPECT_THAT(Error(), HasSubstr("command line of 256 bytes is too long"));
  options_.command_line = std::string("a\0b", 3);
  EXPECT_THAT(Error(), HasSubstr("zero byte"));
  options_.command_line = std::string(255, 'x');
  EXPECT_TRUE(Load().ok());
  EXPECT_EQ(Text(0x30a000), options_.command_line);
  EXPECT_EQ(Quad(0x30a100), 0u);
}

TEST_F(FirmwareTest, ChecksTheOtherOptions) {
  Kernel(kStart, 0x2000);
  options_.cpu_count = 5;
  EXPECT_THAT(Error(), HasSubstr("5 CPUs"));
  options_.cpu_count = 1;
  palcode_.resize(FW_PAL_SIZE + 1);
  EXPECT_THAT(Error(), HasSubstr("PALcode"));
  palcode_.resize(FW_PAL_SIZE);
  options_.memory_bytes = kMemory / 2;
  EXPECT_FALSE(LoadFirmware(options_, kernel_, initrd_, palcode_, memory_).ok());
  alpha::Memory small(storage_.data(), FW_END);
  options_.memory_bytes = FW_END;
  EXPECT_THAT(std::string(LoadFirmware(options_, kernel_, initrd_, palcode_, small).message()),
              HasSubstr("too small"));
}

TEST_F(FirmwareTest, BootsFromADiskWithoutAKernel) {
  options_.command_line = "flags";
  options_.disk_console = DiskConsole{
      .units = {"IDE 0 15 0 0 0 0 0", "IDE 0 15 0 0 1 0 0"}, .boot_unit = 1, .environment = {}};
  options_.disk_console->environment.values[CONSOLE_ENV_BOOT_OSFLAGS] = "kept";
  options_.disk_console->environment.values[CONSOLE_ENV_BOOTDEF_DEV] = "other";
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_PC), PhysicalToKseg(FW_CONSOLE_PA + CONSOLE_BOOT_ENTRY));
  EXPECT_EQ(Quad(FW_IMPURE_BASE + FW_BOOT_VPTB), 0x200000000u);
  EXPECT_EQ(Quad(FW_CONSOLE_PA + CONSOLE_BOOT_UNIT), 1u);
  EXPECT_EQ(Text(FW_CONSOLE_PA + CONSOLE_UNITS + CONSOLE_UNIT_NAME), "IDE 0 15 0 0 1 0 0");
  const auto value = [this](uint64_t table, uint64_t id) {
    const uint64_t slot = FW_CONSOLE_PA + table + id * CONSOLE_ENV_SLOT;
    return Text(slot + 8).substr(0, Quad(slot));
  };
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_BOOTED_DEV), "IDE 0 15 0 0 1 0 0");
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_BOOTDEF_DEV), "other");
  EXPECT_EQ(value(CONSOLE_ENV_DEFAULTS, CONSOLE_ENV_BOOTDEF_DEV), "IDE 0 15 0 0 1 0 0");
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_BOOTED_OSFLAGS), "flags");
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_BOOT_OSFLAGS), "flags");
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_AUTO_ACTION), "BOOT");
  options_.command_line.clear();
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_BOOTED_OSFLAGS), "kept");
  EXPECT_EQ(value(CONSOLE_ENV, CONSOLE_ENV_BOOT_OSFLAGS), "kept");
}

}  // namespace
}  // namespace isochron::machine
