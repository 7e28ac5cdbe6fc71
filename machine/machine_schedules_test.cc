// Schedules are what docs/smp.md says: each is held against a model that makes one instruction
// after the other.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/machine.h"
#include "machine/machine_rounds_testing.h"
#include "machine/switch_list.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kTurns = 3'000;  // instructions that are compared

// What instruction number `step` of a CPU takes.
uint64_t Cost(uint32_t cpu, uint64_t step) { return 1 + (step * 7 + cpu) % 3; }

// Retires an instruction a step, and notes whose it was.
class PlainEngine final : public alpha::Engine {
 public:
  explicit PlainEngine(std::string& trace) : trace_(trace) {}
  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    while (cpu.cycle < deadline.cycle) {
      cpu.cycle += Cost(cpu.index, cpu.instructions++);
      trace_ += static_cast<char>('0' + cpu.index);
    }
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }

 private:
  std::string& trace_;
};

std::unique_ptr<Machine> MachineOf(uint32_t cpus, uint64_t quantum, const std::string& schedule,
                                   const EngineFactory& engine) {
  MachineConfig config;
  config.memory_bytes = MachineConfig::kMinMemory;
  config.input_interval = config.checkpoint_interval = 1'000'000;
  config.cpus = cpus;
  config.quantum = quantum;
  config.schedule = *ScheduleConfig::Parse(schedule);
  BootImages images;
  images.kernel = KernelOfNothing();
  return *Machine::Create(config, std::move(images), engine);
}

// Whose instruction was executed when, by the machine.
std::string TraceOf(uint32_t cpus, uint64_t quantum, const std::string& schedule) {
  std::string trace;
  const auto machine = MachineOf(
      cpus, quantum, schedule, [&](auto&, auto&) { return std::make_unique<PlainEngine>(trace); });
  machine->RunUntil(StopCondition::AtCycle(4 * kTurns));
  EXPECT_GT(trace.size(), kTurns);
  return trace.substr(0, kTurns);
}

// CPU 0 has the clock interrupt soon, and CPU 1, at its instruction kOff, no more.
class ClockEngine final : public alpha::Engine {
 public:
  static constexpr uint64_t kOff = 1'000;

  ClockEngine(alpha::IoBus& io, std::string& trace) : io_(io), trace_(trace) {}
  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override {
    while (cpu.cycle < deadline.cycle) {
      const uint64_t step = cpu.instructions++;
      trace_ += static_cast<char>('0' + cpu.index);
      if (cpu.index == 0 && step == 0) SetClock(cpu, 0x42);
      if (cpu.index == 1 && step == kOff) SetClock(cpu, 0x02);
      ++cpu.cycle;
    }
    return {};
  }
  void Invalidate() override {}
  alpha::EngineStats stats() const override { return {}; }

 private:
  void SetClock(alpha::Cpu& cpu, uint64_t control) {
    for (const auto& [at, value] : {std::pair<uint64_t, uint64_t>{0xa, 0x23}, {0xb, control}}) {
      io_.Write(cpu, kPorts + 0x70, 1, at);
      io_.Write(cpu, kPorts + 0x71, 1, value);
    }
  }

  alpha::IoBus& io_;
  std::string& trace_;
};

// The same by the rules. A schedule says whose instruction is next, of those CPUs that can run.
struct Model {
  using Choice = std::function<uint32_t(const Model&, const std::vector<uint32_t>& able)>;

  Model(uint32_t cpus, uint64_t quantum, const Choice& next) : cycles(cpus) {
    while (trace.size() < kTurns) {
      const uint64_t horizon = *std::ranges::max_element(cycles) + quantum;
      for (;;) {
        std::vector<uint32_t> able;
        for (uint32_t cpu = 0; cpu < cpus; ++cpu) {
          if (cycles[cpu] < horizon) able.push_back(cpu);
        }
        if (able.empty()) break;
        const uint32_t cpu = next(*this, able);
        cycles[cpu] += Cost(cpu, steps[cpu]++);
        trace += static_cast<char>('0' + cpu);
      }
    }
    trace.resize(kTurns);
  }

  std::vector<uint64_t> cycles;
  std::map<uint32_t, uint64_t> steps;
  std::string trace;
};

// SplitMix64, from its paper (Steele, Lea and Flood, OOPSLA 2014).
struct Generator {
  uint64_t operator()() {
    uint64_t z = (seed += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t seed;
};

// A CPU that has come to the horizon can run again when that moves away, and is asked for there,
// wherever else the run stops.
TEST(Schedules, WhoHasComeToAnEventThatMovesAwayGoesOnAtOnce) {
  std::string traces[2];
  for (const bool in_pieces : {false, true}) {
    std::string& trace = traces[in_pieces];
    const auto machine = MachineOf(2, 150'000, "switches:900000:0-1", [&](auto&, auto& io) {
      return std::make_unique<ClockEngine>(io, trace);
    });
    for (uint64_t cycle = 700; in_pieces && cycle < 100'000; cycle += 700) {
      machine->RunUntil(StopCondition::AtCycleOf(1, cycle));
    }
    machine->RunUntil(StopCondition::AtCycle(200'000));
  }
  EXPECT_TRUE(traces[0] == traces[1]);
  const size_t turn = traces[0].find('1');
  EXPECT_GT(turn, 10'000u);
  EXPECT_LT(turn, 140'000u) << "the clock is no event";
  EXPECT_EQ(traces[0].find('0', turn) - turn, ClockEngine::kOff + 1);
}

TEST(Schedules, FixedIsTheOrderOfTheNumbers) {
  for (const uint64_t quantum : {1, 10, 333}) {
    const Model model(3, quantum, [](const Model&, const auto& able) { return able.front(); });
    EXPECT_EQ(TraceOf(3, quantum, "fixed"), model.trace);
  }
}

TEST(Schedules, RandomDrawsACpuAndTheLengthOfItsTurn) {
  for (const uint32_t cpus : {2, 3, 4}) {
    for (const uint64_t quantum : {1, 100, 1000}) {
      Generator generator{41 + quantum};
      uint32_t turn = 0;
      uint64_t end = 0;
      const Model model(cpus, quantum, [&](const Model& now, const std::vector<uint32_t>& able) {
        const bool goes_on = std::ranges::count(able, turn) != 0 && now.cycles[turn] < end;
        if (!goes_on) {
          turn = able[generator() % able.size()];
          end = now.cycles[turn] + 3 + generator() % 38;
        }
        return turn;
      });
      EXPECT_EQ(TraceOf(cpus, quantum, absl::StrCat("random:", 41 + quantum, ":3-40")), model.trace)
          << cpus << " CPUs, quantum " << quantum;
    }
  }
}

TEST(Schedules, PctHasPrioritiesThatChangeAtInstructions) {
  constexpr uint64_t kDepth = 9, kLength = 2'000;
  for (const uint32_t cpus : {2, 3, 4}) {
    for (const uint64_t quantum : {50, 10'000}) {
      Generator generator{quantum + cpus};
      std::vector<uint32_t> order;
      for (uint32_t cpu = 0; cpu < cpus; ++cpu) order.push_back(cpu);
      for (uint32_t i = cpus - 1; i > 0; --i) std::swap(order[i], order[generator() % (i + 1)]);
      std::map<uint32_t, uint64_t> priority;
      for (uint32_t i = 0; i < cpus; ++i) priority[order[i]] = kDepth + cpus - 1 - i;
      std::map<uint64_t, std::vector<uint64_t>> changes;
      for (uint64_t i = 1; i < kDepth; ++i) changes[1 + generator() % kLength].push_back(i);
      uint32_t last = 0;
      const Model model(cpus, quantum, [&](const Model& now, const std::vector<uint32_t>& able) {
        for (const uint64_t value : changes[now.trace.size()]) priority[last] = value;
        last = *std::ranges::max_element(able, {}, [&](uint32_t cpu) { return priority[cpu]; });
        return last;
      });
      EXPECT_EQ(
          TraceOf(cpus, quantum, absl::StrCat("pct:", quantum + cpus, ":", kDepth, ":", kLength)),
          model.trace)
          << cpus << " CPUs, quantum " << quantum;
    }
  }
}

TEST(Schedules, SwitchesPutACpuBeforeAnother) {
  const std::string text = "0:0-2,0:2-1,70:1-2,90:0-1,90:0-2,100:2-0,450:1-0,1500:2-1";
  for (const uint64_t quantum : {60, 1000}) {
    std::vector<uint32_t> order = {0, 1, 2};
    std::vector<TurnSwitch> left = ScheduleConfig::Parse("switches:" + text)->switches;
    const Model model(3, quantum, [&](const Model& now, const std::vector<uint32_t>& able) {
      for (;;) {
        const uint32_t first = *std::ranges::find_if(
            order, [&](uint32_t cpu) { return std::ranges::count(able, cpu) != 0; });
        const auto due = std::ranges::find(left, first, &TurnSwitch::from);
        if (due == left.end() || now.cycles[first] < due->cycle) return first;
        if (std::ranges::find(order, due->to) > std::ranges::find(order, first)) {
          std::erase(order, due->to);
          order.insert(std::ranges::find(order, first), due->to);
        }
        left.erase(due);
      }
    });
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(TraceOf(3, quantum, "switches:" + text), model.trace) << quantum;
  }
}

// Whatever the priorities: who spins for a lock does not do so for ever.
TEST(Schedules, TheQuantumBoundsHowLongACpuGetsNoTurn) {
  for (const char* schedule : {"pct:1:1", "pct:2:3:1000", "random:1:1000-1000"}) {
    const std::string trace = TraceOf(2, 300, schedule);
    uint64_t longest = 0;
    for (size_t begin = 0; begin < trace.size();) {
      const size_t end = std::min(trace.find_first_not_of(trace[begin], begin), trace.size());
      longest = std::max<uint64_t>(longest, end - begin);
      begin = end;
    }
    EXPECT_LE(longest, 2 * 300u) << schedule;  // at the end of a round and at the beginning of one
    EXPECT_GT(longest, 100u);
  }
}

// Without digests: what a schedule keeps is part of the state.
std::string WithoutDigests(const Notes& notes) {
  return absl::StrJoin(notes.lines, "\n", [](std::string* out, const std::string& line) {
    out->append(line, 0, line.size() > 32 ? line.size() - 32 : line.size());
  });
}

TEST(Schedules, EachIsAListOfSwitches) {
  for (const char* schedule : {"random:3:50-900", "random:4:500-9000", "pct:5:40:20000"}) {
    for (const uint32_t cpus : {2, 4}) {
      Rig drawn(cpus, 4'000, schedule);
      SwitchList list;
      drawn.machine->SetTurnSink(&list);
      drawn.machine->Run();
      ASSERT_LT(list.switches().size(), ScheduleConfig::kMaxSwitches);
      ScheduleConfig listed;
      listed.kind = ScheduleConfig::Kind::kSwitches;
      listed.switches = list.switches();
      Rig again(cpus, 4'000, listed.Text());
      again.machine->Run();
      EXPECT_EQ(WithoutDigests(again.notes), WithoutDigests(drawn.notes)) << schedule;
      EXPECT_EQ(again.machine->UpdateMemoryDigest().sum(),
                drawn.machine->UpdateMemoryDigest().sum());
      listed.switches.resize(listed.switches.size() / 2);
      Rig other(cpus, 4'000, listed.Text());
      other.machine->Run();
      EXPECT_NE(WithoutDigests(other.notes), WithoutDigests(drawn.notes)) << schedule;
    }
  }
}

TEST(Schedules, TheSeedMakesAnotherRun) {
  Rig one(2, 700, "random:1");
  Rig other(2, 700, "random:2");
  one.machine->Run();
  other.machine->Run();
  EXPECT_NE(one.notes.lines, other.notes.lines);
  EXPECT_NE(TraceOf(4, 100, "pct:1:3:1000"), TraceOf(4, 100, "pct:2:3:1000"));
}

}  // namespace
}  // namespace isochron::machine
