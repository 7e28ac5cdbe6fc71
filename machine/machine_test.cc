#include "machine/machine.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/ipr.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kPorts = 0x801'fc00'0000;
constexpr uint64_t kMisc = 0x801'a000'0080;
constexpr uint64_t kDmaTarget = 0x80'0000;
constexpr uint64_t kSoftwareInterrupt = uint64_t{1} << 14;  // in SIRR and ISUM
constexpr uint64_t kClockInterrupt = uint64_t{1} << 35;     // b_irq<2> in ISUM

// Executes no instructions but does what they can do: takes cycles, retires or not, asks for
// interrupts, writes to devices. What it does follows from the CPU's state alone.
class FakeEngine final : public alpha::Engine {
 public:
  // The guest powers off after so many steps.
  static constexpr uint64_t kSteps = 20'000;

  FakeEngine(alpha::Memory& memory, alpha::IoBus& io) : memory_(memory), io_(io) {}

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    while (!alpha::StopsAt(cpu, deadline, memory_)) Step(cpu);
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }

 private:
  // r[1] counts steps.
  void Step(alpha::Cpu& cpu) {
    const uint64_t step = ++cpu.r[1];
    if (step == 1) {
      cpu.pc = 0x1000;  // out of PALmode
      cpu.ier = kSoftwareInterrupt | kClockInterrupt;
      WriteClock(cpu, 0xb, 0x42);  // interrupts 1024 times a second
    } else if (cpu.pal_mode()) {
      cpu.sirr = 0;
      ReadClock(cpu, 0xc);
      io_.Write(cpu, kMisc, 8, 0x10);
      cpu.pc = cpu.exc_addr;
    } else {
      cpu.pc += 4;
    }
    if (step % 500 == 0)
      cpu.cycle += io_.Write(cpu, kPorts + 0x3f8, 1, 'a' + step / 500 % 26).cycles;
    if (step % 900 == 0) memory_.Write(kDmaTarget, &step, sizeof step);  // as a device would
    if (step % 700 == 0) cpu.sirr = kSoftwareInterrupt;
    if (step % 5'000 == 0) io_.Write(cpu, FW_PLATFORM_PA + FW_PLATFORM_WAIT, 8, 1);
    if (step == kSteps + 1) io_.Write(cpu, FW_PLATFORM_PA + FW_PLATFORM_POWER, 8, 1);
    cpu.cycle += 1 + step % 7;
    if (step % 3 != 0) ++cpu.instructions;
  }

  void WriteClock(alpha::Cpu& cpu, uint64_t index, uint64_t value) {
    io_.Write(cpu, kPorts + 0x70, 1, index);
    io_.Write(cpu, kPorts + 0x71, 1, value);
  }
  void ReadClock(alpha::Cpu& cpu, uint64_t index) {
    io_.Write(cpu, kPorts + 0x70, 1, index);
    io_.Read(cpu, kPorts + 0x71, 1);
  }

  alpha::Memory& memory_;
  alpha::IoBus& io_;
};

// Notes all that it is told, as lines.
class Notes final : public Observer {
 public:
  void On(const Event& event) override {
    std::string line = std::visit([](const auto& body) { return Describe(body); }, event.body);
    line.insert(line.find(' '), absl::StrCat(" ", event.cycle));
    lines.push_back(std::move(line));
  }
  absl::Status status() const override { return refusal; }

  std::vector<std::string> lines;
  absl::Status refusal;

 private:
  static std::string Describe(const InputEvent& event) {
    return absl::StrCat("input ", event.input.bytes);
  }
  static std::string Describe(const OutputEvent& event) {
    return absl::StrCat("byte ", int{event.byte});
  }
  static std::string Describe(const InterruptEvent& event) {
    return absl::StrCat("interrupt ", event.pending);
  }
  static std::string Describe(const CheckpointEvent& event) {
    return absl::StrCat("checkpoint ", event.instructions, " ", event.state.ToString());
  }
  static std::string Describe(const EndEvent& event) {
    return absl::StrCat("end ", event.instructions, " ", event.state.ToString(), " ",
                        static_cast<int>(event.kind));
  }
  static std::string Describe(const FrameEvent& event) {
    return absl::StrCat("frame ", event.bytes);
  }
};

// Sends a character at each input point.
class Typist final : public InputSource {
 public:
  void Poll(const InputPoint&, std::vector<Input>& inputs) override {
    inputs.push_back(Input::Console("x"));
  }
};

std::unique_ptr<Machine> MakeMachine() {
  BootImages images;
  images.kernel = KernelOfNothing();
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory;
  config.itb_entries = config.dtb_entries = MachineConfig::kMinTlbEntries;
  config.input_interval = 9'000;
  config.checkpoint_interval = 20'000;
  return *Machine::Create(config, std::move(images), [](alpha::Memory& memory, alpha::IoBus& io) {
    return std::make_unique<FakeEngine>(memory, io);
  });
}

struct Rig {
  Rig() {
    machine->SetObserver(&notes);
    machine->SetInputSource(&typist);
  }
  const alpha::Cpu& cpu() const { return machine->cpu(); }

  Notes notes;
  Typist typist;
  std::unique_ptr<Machine> machine = MakeMachine();
};

TEST(RunUntil, ACycleIsTheFirstBoundaryAtOrPastIt) {
  Rig stepped;
  Rig rig;
  for (int i = 0; i < 2'000; ++i) {
    const uint64_t before = stepped.cpu().cycle;
    ASSERT_FALSE(stepped.machine->RunUntil(StopCondition::AtCycle(before + 1)).has_value());
    const uint64_t cycle = stepped.cpu().cycle;
    ASSERT_GT(cycle, before);
    if (i % 7 != 0) continue;
    // Any cycle behind the boundary before gives this one.
    ASSERT_FALSE(rig.machine->RunUntil(StopCondition::AtCycle(before + 1 + i % (cycle - before)))
                     .has_value());
    EXPECT_EQ(rig.cpu().cycle, cycle);
    EXPECT_EQ(rig.machine->StateDigest(), stepped.machine->StateDigest());
  }
}

TEST(RunUntil, ANumberOfInstructionsIsExact) {
  Rig rig;
  Rig stepped;
  for (const uint64_t count : {1, 2, 3, 500, 501, 12'000}) {
    ASSERT_FALSE(rig.machine->RunUntil(StopCondition::AtInstruction(count)).has_value());
    EXPECT_EQ(rig.cpu().instructions, count);
    while (stepped.cpu().instructions < count) {
      stepped.machine->RunUntil(StopCondition::AtCycle(stepped.cpu().cycle + 1));
    }
    EXPECT_EQ(rig.cpu().cycle, stepped.cpu().cycle) << "the first boundary with so many";
    EXPECT_EQ(rig.machine->StateDigest(), stepped.machine->StateDigest());
  }
}

TEST(RunUntil, APcIsEachVisitOfIt) {
  Rig stepped;
  const uint64_t pc =
      (stepped.cpu().pal_base + static_cast<uint64_t>(alpha::PalEntry::kInterrupt)) | 1;
  std::vector<uint64_t> expected;
  while (!stepped.machine->RunUntil(StopCondition::AtCycle(stepped.cpu().cycle + 1)).has_value()) {
    if (stepped.cpu().pc == pc) expected.push_back(stepped.cpu().cycle);
  }
  Rig rig;
  const StopCondition condition = StopCondition::AtPcs({pc});
  std::vector<uint64_t> visits;
  while (!rig.machine->RunUntil(condition).has_value()) visits.push_back(rig.cpu().cycle);
  EXPECT_GT(visits.size(), 20u);
  EXPECT_EQ(visits, expected);
  EXPECT_EQ(rig.notes.lines, stepped.notes.lines);
}

TEST(RunUntil, ARangeIsEachWriteOfADeviceToIt) {
  Rig whole;
  whole.machine->Run();
  Rig rig;
  using alpha::StopRange;
  const StopCondition condition =
      StopCondition::AtReference({StopRange::Space::kPhysical, kDmaTarget + 4, 1, false, true});
  uint64_t stops = 0;
  while (!rig.machine->RunUntil(condition).has_value()) {
    EXPECT_EQ(rig.cpu().r[1], 900 * ++stops);
    ASSERT_TRUE(rig.machine->stopped_by().reference.has_value());
    EXPECT_EQ(rig.machine->stopped_by().reference->pa, kDmaTarget);
    EXPECT_EQ(rig.machine->stopped_by().reference->pc, std::nullopt);
  }
  EXPECT_EQ(stops, FakeEngine::kSteps / 900);
  EXPECT_EQ(rig.notes.lines, whole.notes.lines);
}

TEST(RunUntil, WhatLiesBehindIsThereAlready) {
  Rig rig;
  rig.machine->RunUntil(StopCondition::AtCycle(1'000));
  const uint64_t cycle = rig.cpu().cycle;
  rig.machine->RunUntil(StopCondition::AtCycle(cycle));
  rig.machine->RunUntil(StopCondition::AtInstruction(rig.cpu().instructions));
  rig.machine->RunUntil(StopCondition::AtInstruction(0));
  EXPECT_EQ(rig.cpu().cycle, cycle);
}

TEST(RunUntil, MayStopWhileTheCpuWaits) {
  Rig rig;
  uint64_t waited = 0;
  while (waited == 0 &&
         rig.machine->RunUntil(StopCondition::AtCycle(rig.cpu().cycle + 1)) == std::nullopt) {
    if (rig.machine->waiting()) waited = rig.cpu().cycle;
  }
  ASSERT_NE(waited, 0u);
  rig.machine->RunUntil(StopCondition::AtCycle(waited + 12'345));
  EXPECT_EQ(rig.cpu().cycle, waited + 12'345);
  EXPECT_TRUE(rig.machine->waiting());
  // Time that passes without instructions must not be taken in small steps.
  const uint64_t instructions = rig.cpu().instructions;
  rig.machine->RunUntil(StopCondition::AtInstruction(instructions + 1));
  EXPECT_EQ(rig.cpu().instructions, instructions + 1);
}

struct Kind {
  const char* line;
  StopCondition condition;
};
class RunUntilEvent : public ::testing::TestWithParam<Kind> {};

// Stopping after each event of a kind meets each of them, unless more come at one boundary, and the
// notes end with it.
TEST_P(RunUntilEvent, StopsBehindEachOfThem) {
  Rig whole;
  whole.machine->Run();
  std::set<std::string> expected;
  for (const std::string& line : whole.notes.lines) {
    if (line.rfind(GetParam().line, 0) == 0)
      expected.insert(line.substr(0, line.find(' ', line.find(' ') + 1)));
  }
  Rig rig;
  size_t stops = 0;
  size_t seen = 0;
  while (!rig.machine->RunUntil(GetParam().condition).has_value()) {
    ++stops;
    bool found = false;
    for (; seen < rig.notes.lines.size(); ++seen) {
      found = found || rig.notes.lines[seen].rfind(GetParam().line, 0) == 0;
    }
    EXPECT_TRUE(found) << "stop " << stops;
  }
  EXPECT_GT(stops, 3u);
  EXPECT_LE(expected.size() - stops, 1u) << "the last may come with the end";
  EXPECT_EQ(rig.notes.lines, whole.notes.lines);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, RunUntilEvent,
    ::testing::Values(Kind{"byte", StopCondition::AtEvent<OutputEvent>()},
                      Kind{"input", StopCondition::AtEvent<InputEvent>()},
                      Kind{"checkpoint", StopCondition::AtEvent<CheckpointEvent>()},
                      Kind{"interrupt", StopCondition::AtEvent<InterruptEvent>()}),
    [](const auto& info) { return std::string(info.param.line); });

TEST(RunUntil, AnEndComesBeforeAConditionOfTheSameBoundary) {
  Rig whole;
  whole.machine->Run();
  Rig rig;
  const std::optional<RunEnd> end =
      rig.machine->RunUntil(StopCondition::AtCycle(whole.cpu().cycle));
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->kind, RunEnd::Kind::kPowerOff);
  EXPECT_EQ(rig.notes.lines, whole.notes.lines);
  Rig refused;
  refused.notes.refusal = absl::AbortedError("no");
  const std::optional<RunEnd> refusal = refused.machine->RunUntil(StopCondition::AtCycle(1));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->kind, RunEnd::Kind::kObserver);
  EXPECT_EQ(refusal->code, absl::StatusCode::kAborted);
  EXPECT_EQ(refusal->message, "no");
}

}  // namespace
}  // namespace isochron::machine
