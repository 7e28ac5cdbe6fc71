#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alpha/engine.h"
#include "alpha/state_list.h"
#include "alpha/state_visitor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"

namespace isochron::machine {
namespace {

// Lets time pass and does nothing else.
class IdleEngine final : public alpha::Engine {
 public:
  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    cpu.cycle = std::max(cpu.cycle, deadline.cycle);
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }
};

constexpr uint64_t kBytes = 64 * kSectorSize;

absl::StatusOr<std::unique_ptr<alpha::Engine>> MakeIdleEngine(alpha::Memory&, alpha::IoBus&) {
  return std::make_unique<IdleEngine>();
}

BootImages Images() {
  BootImages images;
  images.kernel = KernelOfNothing();
  return images;
}

absl::StatusOr<std::unique_ptr<Machine>> TryMachine(
    const std::vector<uint64_t>& sizes, std::vector<std::shared_ptr<const DiskContents>> contents) {
  BootImages images = Images();
  images.disks = std::move(contents);
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory;
  for (const uint64_t size : sizes) config.disks.push_back({.bytes = size});
  return Machine::Create(config, std::move(images), MakeIdleEngine);
}

std::shared_ptr<BytesContents> Contents() {
  return std::make_shared<BytesContents>(PatternBytes(kBytes));
}

std::unique_ptr<Machine> MachineWithDisks() {
  return *TryMachine({kBytes, kBytes}, {Contents(), Contents()});
}

// Does to the disks what a controller would.
template <typename Act>
void WithDisks(Machine& machine, Act act) {
  const absl::Status status = machine.RestoreOver([&](alpha::Memory&, std::span<Disk> disks) {
    act(disks);
    return machine.SaveWithoutMemory();
  });
  ASSERT_TRUE(status.ok()) << status;
}

void WriteByte(Machine& machine, size_t disk, uint64_t sector, uint8_t byte) {
  WithDisks(machine, [&](std::span<Disk> disks) {
    disks[disk].Write(sector, std::vector<uint8_t>(kSectorSize, byte));
  });
}

TEST(MachineDisks, ImagesAreThoseOfTheConfiguration) {
  EXPECT_EQ(TryMachine({kBytes}, {}).status().message(),
            "the machine has 1 disks, but there are images for 0");
  EXPECT_EQ(TryMachine({kBytes, kBytes + kSectorSize}, {Contents(), Contents()}).status().message(),
            "disk 1 has 33280 bytes, but its image 32768");
  const auto machine = MachineWithDisks();
  ASSERT_EQ(machine->disks().size(), 2u);
  EXPECT_EQ(machine->disks()[1].sectors(), 64u);
  EXPECT_EQ(machine->disks()[1].written().blocks(), 0u);
}

std::vector<std::string> PathsUnder(const Machine& machine, std::string_view under) {
  alpha::StateLister lister(under);
  machine.VisitState(lister);
  std::vector<std::string> paths;
  for (const alpha::StateField& field : lister.fields()) paths.push_back(field.path);
  return paths;
}

TEST(MachineDisks, TheStateNamesThem) {
  const auto machine = MachineWithDisks();
  EXPECT_THAT(PathsUnder(*machine, "disk1"),
              testing::ElementsAre("disk1.blocks", "disk1.digest.low", "disk1.digest.high"));
  const auto without = *TryMachine({}, {});
  for (const char* under : {"disk0", "disk0_blocks", "ide"}) {
    EXPECT_THAT(PathsUnder(*without, under), testing::IsEmpty());
  }
}

TEST(MachineDisks, IdeIsThereWhenADiskIsBehindIt) {
  BootImages images = Images();
  images.disks = {Contents(), Contents()};
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory;
  config.disks = {{.interface = DiskConfig::Interface::kVirtio, .bytes = kBytes},
                  {.interface = DiskConfig::Interface::kIde, .bytes = kBytes}};
  const auto machine = *Machine::Create(config, std::move(images), MakeIdleEngine);
  EXPECT_FALSE(PathsUnder(*machine, "ide.channel[0].drive0").empty());
  EXPECT_TRUE(PathsUnder(*machine, "ide.channel[0].drive1").empty());
  EXPECT_TRUE(PathsUnder(*machine, "ide.channel[1].drive0").empty());
  EXPECT_TRUE(PathsUnder(*MachineWithDisks(), "ide").empty());
}

TEST(MachineDisks, TheDigestTellsOfEachByte) {
  const auto one = MachineWithDisks();
  const auto other = MachineWithDisks();
  EXPECT_EQ(one->StateDigest(), other->StateDigest());
  WriteByte(*one, 1, 9, 'a');
  EXPECT_NE(one->StateDigest(), other->StateDigest());
  WriteByte(*other, 1, 9, 'b');
  EXPECT_NE(one->StateDigest(), other->StateDigest());
  WriteByte(*other, 1, 9, 'a');
  EXPECT_EQ(one->StateDigest(), other->StateDigest());
}

TEST(MachineDisks, AllStateBringsTheBlocksBack) {
  const auto one = MachineWithDisks();
  WriteByte(*one, 0, 0, 'a');
  WriteByte(*one, 1, 40, 'b');
  WithDisks(*one, [](std::span<Disk> disks) { disks[1].Zero(0, 30); });
  const std::string state = alpha::StateBytes(*one);
  const auto other = MachineWithDisks();
  WriteByte(*other, 0, 50, 'c');
  ASSERT_TRUE(alpha::RestoreFromBytes(state, *other).ok());
  EXPECT_EQ(other->StateDigest(), one->StateDigest());
  EXPECT_EQ(alpha::StateBytes(*other), state);
  alpha::StateLister lister;
  other->VisitState(lister);
  EXPECT_TRUE(lister.Check().ok()) << lister.Check();
  // Of the small state alone nothing comes back, and it says so.
  const std::string small = one->SaveWithoutMemory();
  WriteByte(*other, 0, 50, 'c');
  EXPECT_FALSE(other->RestoreOver([&](alpha::Memory&, std::span<Disk>) { return small; }).ok());
}

TEST(MachineDisks, WhatTheHostCannotReadEndsTheRun) {
  const auto broken = Contents();
  broken->Break(0, kSectorSize);
  const auto machine = *TryMachine({kBytes, kBytes}, {Contents(), broken});
  EXPECT_FALSE(machine->RunUntil(StopCondition::AtCycle(10'000)).has_value());
  WithDisks(*machine, [](std::span<Disk> disks) {
    std::vector<uint8_t> bytes(kSectorSize);
    disks[1].Read(0, bytes);
  });
  const std::optional<RunEnd> end = machine->RunUntil(StopCondition::AtCycle(20'000));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->kind, RunEnd::Kind::kObserver);
  EXPECT_EQ(end->code, absl::StatusCode::kDataLoss);
  EXPECT_EQ(end->message, "disk 1 cannot be read: test.img: Input/output error");
}

}  // namespace
}  // namespace isochron::machine
