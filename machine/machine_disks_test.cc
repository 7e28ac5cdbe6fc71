#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alpha/engine.h"
#include "alpha/state_list.h"
#include "alpha/state_visitor.h"
#include "gtest/gtest.h"
#include "machine/disks/disk.h"
#include "machine/disks/disk_testing.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/firmware/firmware_layout.h"
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

absl::StatusOr<std::unique_ptr<Machine>> TryMachine(
    const std::vector<uint64_t>& sizes, std::vector<std::shared_ptr<const DiskContents>> contents) {
  BootImages images;
  constexpr uint64_t kEntry = PhysicalToKseg(0x310000);
  images.kernel =
      *ParseKernel(ElfTestImage().Entry(kEntry).Load(kEntry, std::string(4, '\0'), 0x2000).Build());
  images.disks = std::move(contents);
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory;
  for (const uint64_t size : sizes) config.disks.push_back({.bytes = size});
  return Machine::Create(config, std::move(images), [](alpha::Memory&, alpha::IoBus&) {
    return std::make_unique<IdleEngine>();
  });
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

TEST(MachineDisks, NoDiskIsNothingInTheState) {
  const auto without = *TryMachine({}, {});
  const auto with = MachineWithDisks();
  for (const std::string mark : {"disk", "virtio"}) {
    EXPECT_EQ(without->SaveWithoutMemory().find(mark), std::string::npos) << mark;
    EXPECT_NE(with->SaveWithoutMemory().find(mark), std::string::npos) << mark;
  }
  alpha::StateLister lister("disk1");
  with->VisitState(lister);
  ASSERT_EQ(lister.fields().size(), 3u);
  EXPECT_EQ(lister.fields()[0].path, "disk1.blocks");
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
