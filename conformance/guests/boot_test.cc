// The console boots from a disk: our bootstrap (boot/), and what is none.

#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engines/engines.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/disks/disk_testing.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Interface = machine::DiskConfig::Interface;

constexpr uint64_t kSector = machine::kSectorSize;
constexpr size_t kCount = 60, kBlock = 61, kSum = 63;  // quadwords of a boot block

// What a guest prints.
class Transcript final : public machine::ConsoleSink {
 public:
  void OnConsoleByte(int, uint64_t, uint8_t byte) override { text += static_cast<char>(byte); }
  std::string text;
};

struct Outcome {
  machine::RunEnd end;
  std::string text;
  machine::Digest state;
  std::optional<machine::ConsoleEnvironment> nvram;
};

Outcome Boot(const std::string& engine, const std::string& disk, machine::MachineConfig config) {
  config.memory_bytes = machine::MachineConfig::kMinMemory;
  config.boot_disk = 0;
  if (config.disks.empty()) config.disks = {{}};
  config.disks[0].bytes = disk.size();
  machine::BootImages images;
  images.disks = {std::make_shared<machine::BytesContents>(disk)};
  const std::unique_ptr<machine::Machine> machine =
      *machine::Machine::Create(config, std::move(images), engines::FindEngine(engine)->factory);
  Transcript transcript;
  machine->SetConsoleSink(&transcript);
  std::optional<machine::RunEnd> end =
      machine->RunUntil(machine::StopCondition::AtCycle(uint64_t{1} << 30));
  EXPECT_TRUE(end.has_value()) << transcript.text;
  return {end.value_or(machine::RunEnd{}), transcript.text, machine->StateDigest(),
          machine->nvram()};
}

std::string Bootstrap() {
  std::ifstream file(ISOCHRON_BOOT_DISK, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Of a disk of so many sectors with this boot block, whose sum is made right.
std::string DiskWith(std::array<uint64_t, 64> block, size_t sectors) {
  for (size_t i = 0; i < kSum; ++i) block[kSum] += block[i];
  std::string disk(sectors * kSector, '\0');
  std::memcpy(disk.data(), block.data(), kSector);
  return disk;
}

TEST(Boot, RunsABootstrapOfTwoStagesOnEveryEngineAlike) {
  for (const Interface interface : {Interface::kVirtio, Interface::kIde}) {
    for (const bool read_only : {false, true}) {
      std::optional<machine::Digest> first;
      for (const std::string& engine : engines::EngineNames()) {
        SCOPED_TRACE(engine);
        machine::MachineConfig config;
        config.command_line = "root=/dev/vda1 single";
        config.disks = {{.interface = interface, .read_only = read_only}};
        const Outcome outcome = Boot(engine, Bootstrap(), config);
        EXPECT_EQ(outcome.end.kind, machine::RunEnd::Kind::kPowerOff);
        EXPECT_THAT(outcome.text, Not(HasSubstr("not ok")));
        EXPECT_THAT(outcome.text, HasSubstr("1..24\r\n"));
        EXPECT_THAT(outcome.text, HasSubstr("(boot disk0 -flags root=/dev/vda1 single)\r\n"));
        EXPECT_THAT(outcome.text, HasSubstr("# booted_osflags=root=/dev/vda1 single\r\n"));
        EXPECT_THAT(outcome.text, HasSubstr(interface == Interface::kIde
                                                ? "# booted_dev=IDE 0 15 0 0 0 0 0\r\n"
                                                : "# booted_dev=VIRTIO 0 1 0 0 0 0 0\r\n"));
        EXPECT_THAT(outcome.text, HasSubstr("second stage\r\n"));
        EXPECT_EQ(outcome.state, first.value_or(outcome.state));
        first = outcome.state;
      }
    }
  }
}

TEST(Boot, KeepsTheEnvironmentInNvram) {
  const std::string engine = engines::EngineNames().back();
  machine::MachineConfig config;
  config.nvram = "isochron-nvram 1\nboot_osflags=kept\ndump_dev=here\n";
  const Outcome outcome = Boot(engine, Bootstrap(), config);
  EXPECT_THAT(outcome.text, HasSubstr("# booted_osflags=kept\r\n"));
  EXPECT_THAT(outcome.text, HasSubstr("# dump_dev=here\r\n"));
  EXPECT_THAT(outcome.text, HasSubstr("# saved\r\n"));
  ASSERT_TRUE(outcome.nvram.has_value());
  EXPECT_EQ(outcome.nvram->values[CONSOLE_ENV_DUMP_DEV], "there");
  EXPECT_EQ(outcome.nvram->values[CONSOLE_ENV_BOOT_OSFLAGS], "kept");
  // What is asked for goes before what is kept.
  config.command_line = "asked";
  EXPECT_THAT(Boot(engine, Bootstrap(), config).text, HasSubstr("# booted_osflags=asked\r\n"));
  config.nvram = std::nullopt;
  EXPECT_THAT(Boot(engine, Bootstrap(), config).text, HasSubstr("# there is no NVRAM\r\n"));
}

TEST(Boot, RefusesWhatIsNoBootBlock) {
  std::string wrong_sum = Bootstrap();
  wrong_sum[3] = static_cast<char>(wrong_sum[3] ^ 1);
  const auto block = [](uint64_t count, uint64_t first) {
    std::array<uint64_t, 64> words{};
    words[kCount] = count;
    words[kBlock] = first;
    return words;
  };
  const std::pair<std::string, std::string> cases[] = {
      {std::string(4 * kSector, '\0'), "it is empty"},
      {wrong_sum, "its checksum is wrong"},
      {DiskWith(block(0, 1), 8), "the bootstrap has no blocks"},
      {DiskWith(block(8, 1), 8), "lies behind the end of the disk"},
      {DiskWith(block(1, ~uint64_t{0}), 8), "lies behind the end of the disk"},
      {DiskWith(block(FW_PRIMARY_SIZE / kSector + 1, 1), 8), "does not fit into its memory"},
      {DiskWith(block(~uint64_t{0}, 2), 8), "does not fit into its memory"},
  };
  for (const auto& [disk, why] : cases) {
    for (const std::string& engine : engines::EngineNames()) {
      const Outcome outcome = Boot(engine, disk, {});
      EXPECT_EQ(outcome.end.kind, machine::RunEnd::Kind::kFatal);
      EXPECT_THAT(outcome.end.message, HasSubstr("the console has found nothing to boot"));
      EXPECT_THAT(outcome.text, HasSubstr("block 0 of disk0 is not a valid boot block: "));
      EXPECT_THAT(outcome.text, HasSubstr(why));
      EXPECT_THAT(outcome.text, HasSubstr("bootstrap failure\r\n"));
    }
  }
}

TEST(Boot, NeedsADisk) {
  machine::MachineConfig config;
  config.boot_disk = 0;
  const auto machine = machine::Machine::Create(
      config, {}, engines::FindEngine(engines::EngineNames().back())->factory);
  EXPECT_THAT(std::string(machine.status().message()), HasSubstr("no disk0 to boot from"));
}

}  // namespace
}  // namespace isochron::conformance
