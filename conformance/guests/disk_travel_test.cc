// Going back in time over what a guest writes to a disk, and on from there, on every engine alike.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "alpha/encode.h"
#include "alpha/state_visitor.h"
#include "conformance/guests/live_travel.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/disks/disk_testing.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"
#include "timeline/memory_snapshots.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using machine::Machine;
using machine::StopCondition;
using namespace alpha::words;  // NOLINT: an assembler

constexpr uint64_t kSectors = 256;
constexpr uint64_t kPorts = 0xffff'fd01'fc00'01f0;  // of the first IDE channel

// Writes one sector after the other by WRITE SECTORS, with numbers that go on, for ever.
std::string Program() {
  const std::vector<uint32_t> words = {
      BranchOp(Op::kBr, 1, 0),  // R1: the address of the next one
      MemoryOp(Op::kLdq, 2, 23 * 4, 1),
      MemoryOp(Op::kLda, 3, 1, 31),
      MemoryOp(Op::kStb, 3, 2, 2),  // 3: one sector
      MemoryOp(Op::kStb, 4, 3, 2),  // its number
      MemoryOp(Op::kStb, 31, 4, 2),
      MemoryOp(Op::kStb, 31, 5, 2),
      MemoryOp(Op::kLda, 5, 0xe0, 31),
      MemoryOp(Op::kStb, 5, 6, 2),
      MemoryOp(Op::kLda, 5, 0x30, 31),
      MemoryOp(Op::kStb, 5, 7, 2),
      MemoryOp(Op::kLda, 6, 256, 31),
      MemoryOp(Op::kStw, 7, 0, 2),  // 12: its data
      OperateLiteral(Op::kAddq, 7, 3, 7),
      OperateLiteral(Op::kSubq, 6, 1, 6),
      BranchOp(Op::kBne, 6, -4),
      MemoryOp(Op::kLdbu, 5, 7, 2),  // 16: until it is written
      OperateLiteral(Op::kAnd, 5, 0x80, 5),
      BranchOp(Op::kBne, 5, -3),
      OperateLiteral(Op::kAddq, 4, 1, 4),
      BranchOp(Op::kBr, 31, -18),
      0,
      0,
      0,
  };
  std::string bytes(4 * words.size() + sizeof kPorts, '\0');
  std::memcpy(bytes.data(), words.data(), 4 * words.size());
  std::memcpy(bytes.data() + 4 * words.size(), &kPorts, sizeof kPorts);
  return bytes;
}

std::unique_ptr<Machine> MakeMachine(const std::string& engine) {
  constexpr uint64_t kEntry = machine::PhysicalToKseg(0x310000);
  machine::BootImages images;
  images.kernel = *machine::ParseKernel(
      machine::ElfTestImage().Entry(kEntry).Load(kEntry, Program(), 0x2000).Build());
  images.disks = {std::make_shared<machine::BytesContents>(
      machine::PatternBytes(kSectors * machine::kSectorSize))};
  machine::MachineConfig config;
  config.memory_bytes = machine::MachineConfig::kMinMemory;
  config.disks = {{.interface = machine::DiskConfig::Interface::kIde,
                   .bytes = kSectors * machine::kSectorSize}};
  return *Machine::Create(config, std::move(images), engines::FindEngine(engine)->factory);
}

TEST(DiskTravel, WhatIsWrittenGoesAndComesBack) {
  constexpr uint64_t kStep = 3'000'000;
  constexpr size_t kSteps = 8;
  std::vector<std::string> first;
  for (const std::string& engine : engines::EngineNames()) {
    SCOPED_TRACE(engine);
    const std::unique_ptr<Machine> machine = MakeMachine(engine);
    timeline::MemorySnapshots snapshots(*machine, uint64_t{1} << 28);
    std::vector<std::string> states;  // with all blocks
    std::vector<uint64_t> cycles;
    uint64_t blocks = 0;
    for (size_t i = 1; i <= kSteps; ++i) {
      // In the middle of whatever happens there.
      ASSERT_FALSE(machine->RunUntil(StopCondition::AtCycle(i * kStep + 777 * i)).has_value());
      snapshots.Take({});
      states.push_back(alpha::StateBytes(*machine));
      cycles.push_back(machine->cpu().cycle);
      const uint64_t now = machine->disks()[0].written().blocks();
      EXPECT_GT(now, blocks) << "the guest writes";
      blocks = now;
    }
    for (const size_t i : {6, 1, 4, 0}) {
      ASSERT_TRUE(snapshots.Restore(*snapshots.FindAtOrBefore(cycles[i])).ok());
      EXPECT_TRUE(alpha::StateBytes(*machine) == states[i]) << "back at " << i;
      machine->RunUntil(StopCondition::AtCycle(cycles[i + 1]));
      EXPECT_TRUE(alpha::StateBytes(*machine) == states[i + 1]) << "and on from " << i;
    }
    if (first.empty()) first = states;
    EXPECT_TRUE(states == first);
  }
}

TEST(DiskTravel, TheStateBringsItToAnotherMachine) {
  for (const std::string& engine : engines::EngineNames()) {
    SCOPED_TRACE(engine);
    const std::unique_ptr<Machine> machine = MakeMachine(engine);
    machine->RunUntil(StopCondition::AtCycle(4'000'000));
    const std::unique_ptr<Machine> other = MakeMachine(engine);
    ASSERT_TRUE(alpha::RestoreFromBytes(alpha::StateBytes(*machine), *other).ok());
    EXPECT_EQ(other->StateDigest(), machine->StateDigest());
    machine->RunUntil(StopCondition::AtCycle(8'000'000));
    other->RunUntil(StopCondition::AtCycle(8'000'000));
    EXPECT_EQ(other->StateDigest(), machine->StateDigest());
    EXPECT_EQ(other->disks()[0].written().digest(), machine->disks()[0].written().digest());
    EXPECT_GT(machine->disks()[0].written().blocks(), 2u);
  }
}

TEST(DiskTravel, ALiveRunLeavesNoTraceOfIt) {
  for (const std::string& engine : engines::EngineNames()) {
    SCOPED_TRACE(engine);
    ExpectTravelLeavesNoTrace([&] { return MakeMachine(engine); }, 12'000'000, 1);
  }
}

}  // namespace
}  // namespace isochron::conformance
