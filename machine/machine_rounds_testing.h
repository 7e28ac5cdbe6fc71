// A machine of several CPUs whose engine is a fake, and what it tells.

#ifndef ISOCHRON_MACHINE_MACHINE_ROUNDS_TESTING_H_
#define ISOCHRON_MACHINE_MACHINE_ROUNDS_TESTING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/machine.h"

namespace isochron::machine {

inline constexpr uint64_t kPorts = 0x801'fc00'0000;
inline constexpr uint64_t kMisc = 0x801'a000'0080;
inline constexpr uint64_t kShared = 0x80'0000;  // what all CPUs read and write
inline constexpr uint64_t kLocked = 0x80'2000;  // what they count up with LDQ_L and STQ_C
inline constexpr uint64_t kInterrupts = uint64_t{1} << 35 | uint64_t{1} << 36;  // clock, IPI
inline constexpr uint64_t kSteps = 20'000;

inline uint64_t Mix(uint64_t value) {
  value ^= value >> 31;
  value *= 0x9e37'79b9'7f4a'7c15;
  return value ^ value >> 29;
}

// Does what instructions of several CPUs can do to one another. What it does follows from the state
// of CPU and memory alone.
class FakeEngine final : public alpha::Engine {
 public:
  FakeEngine(alpha::Memory& memory, alpha::IoBus& io) : memory_(memory), io_(io) {}

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    alpha::StopRanges* const ranges = deadline.ranges;
    while (!alpha::StopsAt(cpu, deadline, memory_)) {
      const uint64_t pc = cpu.pc;
      const bool stores = Step(cpu);
      if (!stores || ranges == nullptr) continue;
      alpha::MemoryReference reference;
      reference.pa = kShared;
      reference.size = 8;
      reference.write = true;
      reference.pc = pc;
      ranges->Note(reference);
      if (ranges->hit().has_value()) break;
    }
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }

  // Steps that all of them have made.
  static inline uint64_t steps = 0;

 private:
  // Whether it stores to kShared. r[1] counts steps, r[2] conditional stores that succeeded, r[3]
  // the others, r[4] what was locked.
  bool Step(alpha::Cpu& cpu) {
    ++steps;
    const uint64_t step = ++cpu.r[1];
    const uint64_t dice = Mix(step * 4 + cpu.index);
    if (step == 1) {
      cpu.pc = 0x1000;  // out of PALmode
      cpu.ier = kInterrupts;
      if (cpu.index == 0) {  // interrupts 1024 times a second
        io_.Write(cpu, kPorts + 0x70, 1, 0xb);
        io_.Write(cpu, kPorts + 0x71, 1, 0x42);
      }
    } else if (cpu.pal_mode()) {
      io_.Write(cpu, kPorts + 0x70, 1, 0xc);
      io_.Read(cpu, kPorts + 0x71, 1);
      io_.Write(cpu, kMisc, 8, uint64_t{0x11} << (4 + cpu.index));
      cpu.pc = cpu.exc_addr;
    } else {
      cpu.pc += 4;
    }
    switch (dice % 64) {
      case 0: io_.Write(cpu, kMisc, 8, uint64_t{1} << (12 + dice / 64 % 4)); break;  // IPI
      case 1: io_.Write(cpu, kPorts + 0x3f8, 1, 'a' + cpu.index); break;
      case 2:
        if (dice / 64 % 16 == 0) io_.Write(cpu, FW_PLATFORM_PA + FW_PLATFORM_WAIT, 8, 0);
        break;
      case 3: io_.Write(cpu, FW_PLATFORM_PA + FW_PLATFORM_NAP, 8, 1'000); break;
      case 7:  // the next interrupt of the clock farther away, or nearer
        io_.Write(cpu, kPorts + 0x70, 1, 0xa);
        io_.Write(cpu, kPorts + 0x71, 1, dice / 64 % 2 == 0 ? 0x26 : 0x28);
        break;
      default: break;
    }
    if (dice % 8 == 4) {
      memory_.Store<uint64_t>(kShared, Mix(memory_.Load<uint64_t>(kShared) + dice));
    }
    if (dice % 16 == 5) {
      cpu.r[4] = memory_.Load<uint64_t>(kLocked);
      cpu.lock_flag = true;
      cpu.lock_address = kLocked;
    }
    if (dice % 16 == 6) {
      if (cpu.lock_flag) memory_.Store<uint64_t>(kLocked, cpu.r[4] + 1);
      ++cpu.r[cpu.lock_flag ? 2 : 3];
      cpu.lock_flag = false;
    }
    if (step >= kSteps && cpu.index == 0) {
      io_.Write(cpu, FW_PLATFORM_PA + FW_PLATFORM_POWER, 8, 1);
    }
    cpu.cycle += 1 + dice / 64 % 7;
    if (step % 3 != 0) ++cpu.instructions;
    return dice % 8 == 4;
  }

  alpha::Memory& memory_;
  alpha::IoBus& io_;
};

// All that it is told, as lines.
class Notes final : public Observer {
 public:
  void On(const Event& event) override {
    EXPECT_GE(event.cycle, last_) << "told time goes back";
    last_ = event.cycle;
    std::string line = absl::StrCat(event.cycle, " ", event.cpu, " ", event.body.index());
    if (const auto* point = std::get_if<CheckpointEvent>(&event.body)) {
      absl::StrAppend(&line, " ", point->instructions, " ", point->state.ToString());
    }
    if (const auto* end = std::get_if<EndEvent>(&event.body)) {
      absl::StrAppend(&line, " ", end->instructions, " ", end->state.ToString());
    }
    if (const auto* interrupt = std::get_if<InterruptEvent>(&event.body)) {
      absl::StrAppend(&line, " ", interrupt->pending);
    }
    lines.push_back(std::move(line));
  }
  absl::Status status() const override { return absl::OkStatus(); }

  std::vector<std::string> lines;

 private:
  uint64_t last_ = 0;
};

struct Rig {
  explicit Rig(uint32_t cpus, uint64_t quantum = 700, const std::string& schedule = "fixed") {
    BootImages images;
    images.kernel = KernelOfNothing();
    MachineConfig config;
    config.memory_bytes = MachineConfig::kMinMemory;
    config.itb_entries = config.dtb_entries = MachineConfig::kMinTlbEntries;
    config.input_interval = 9'000;
    config.checkpoint_interval = 20'000;
    config.cpus = cpus;
    config.quantum = quantum;
    config.schedule = *ScheduleConfig::Parse(schedule);
    machine = *Machine::Create(config, std::move(images), [](auto& memory, auto& io) {
      return std::make_unique<FakeEngine>(memory, io);
    });
    machine->SetObserver(&notes);
  }
  std::string Save() const {
    alpha::StateWriter writer;
    machine->VisitState(writer);
    return writer.Release();
  }

  Notes notes;
  std::unique_ptr<Machine> machine;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_MACHINE_ROUNDS_TESTING_H_
