#include "machine/machine_rounds_testing.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/devices/network/network_testing.h"
#include "machine/machine.h"

namespace isochron::machine {
namespace {

struct Case {
  uint32_t cpus;
  std::string schedule = "fixed";
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.cpus << " " << value.schedule; }

class Rounds : public ::testing::TestWithParam<Case> {
 protected:
  static uint32_t cpus() { return GetParam().cpus; }
};

TEST_P(Rounds, AllCpusRunAndTakeTheirInterrupts) {
  Rig rig(cpus(), 700, GetParam().schedule);
  EXPECT_EQ(rig.machine->Run().kind, RunEnd::Kind::kPowerOff);
  for (uint32_t index = 0; index < cpus(); ++index) {
    const alpha::Cpu& cpu = rig.machine->cpu(static_cast<int>(index));
    EXPECT_GT(cpu.r[1], kSteps / 8) << "CPU " << index;
    EXPECT_GT(cpu.r[2], 0u);
    const std::string mark = absl::StrCat(" ", index, " ", EventBody(InterruptEvent()).index());
    EXPECT_GT(std::ranges::count_if(
                  rig.notes.lines,
                  [&](const std::string& line) { return line.find(mark) != std::string::npos; }),
              20);
  }
}

// Every conditional store that succeeds counts up by one: none was lost to another CPU's.
TEST_P(Rounds, NoConditionalStoreIsLost) {
  for (const uint64_t quantum : {1, 7, 700, 50'000}) {
    Rig rig(cpus(), quantum, GetParam().schedule);
    rig.machine->Run();
    uint64_t succeeded = 0;
    uint64_t failed = 0;
    for (uint32_t index = 0; index < cpus(); ++index) {
      succeeded += rig.machine->cpu(static_cast<int>(index)).r[2];
      failed += rig.machine->cpu(static_cast<int>(index)).r[3];
    }
    EXPECT_EQ(rig.machine->memory().Load<uint64_t>(kLocked), succeeded) << quantum;
    EXPECT_GT(failed, 0u);
  }
}

// Stops, of whatever CPU, and asking for them change nothing.
TEST_P(Rounds, ARunInPiecesIsTheSameRun) {
  Rig whole(cpus(), 700, GetParam().schedule);
  whole.machine->Run();
  Rig rig(cpus(), 700, GetParam().schedule);
  uint64_t inside = 0;
  for (uint64_t piece = 1;; ++piece) {
    StopCondition condition;
    StopCondition::Count count;
    count.cpu = static_cast<int>(Mix(piece) % cpus());
    const alpha::Cpu& cpu = rig.machine->cpu(count.cpu);
    if (piece % 3 == 0) count.instructions = cpu.instructions + Mix(piece) / 8 % 100;
    if (piece % 3 == 1) count.cycle = cpu.cycle + Mix(piece) / 8 % 900;
    if (piece % 3 == 2) condition.moment = rig.machine->moment() + Mix(piece) / 8 % 2000;
    condition.counts.push_back(count);
    if (piece % 5 == 0) {
      condition.ranges = {{alpha::StopRange::Space::kPhysical, kShared, 8, true, true}};
    }
    if (piece % 7 == 0) rig.machine->LookForStop();
    if (rig.machine->RunUntil(condition).has_value()) break;
    inside += rig.machine->inside_round() ? 1 : 0;
    rig.machine->StateDigest();
  }
  EXPECT_GT(inside, 50u);
  const auto differ = std::ranges::mismatch(rig.notes.lines, whole.notes.lines);
  EXPECT_EQ(differ.in1, rig.notes.lines.end()) << *differ.in1 << "\n" << *differ.in2;
  EXPECT_EQ(rig.notes.lines.size(), whole.notes.lines.size());
}

TEST_P(Rounds, AStateInsideARoundGoesOnElsewhere) {
  Rig rig(cpus(), 700, GetParam().schedule);
  for (uint64_t cut = 1; cut < 30; ++cut) {
    const auto cpu = static_cast<int>(cut % cpus());
    const uint64_t cycle = rig.machine->cpu(cpu).cycle + 397;
    if (rig.machine->RunUntil(StopCondition::AtCycleOf(cpu, cycle)).has_value()) break;
    Rig other(cpus(), 700, GetParam().schedule);
    const std::string state = rig.Save();
    alpha::StateReader reader(state);
    other.machine->RestoreState(reader);
    ASSERT_TRUE(reader.Finish().ok());
    EXPECT_EQ(other.machine->StateDigest(), rig.machine->StateDigest());
    EXPECT_EQ(other.machine->inside_round(), rig.machine->inside_round());
    Rig whole(cpus(), 700, GetParam().schedule);
    if (cut == 11) {
      whole.machine->Run();
      other.machine->Run();
      EXPECT_EQ(other.notes.lines.back(), whole.notes.lines.back());
    }
  }
}

TEST_P(Rounds, AStateOfCpusThatTurnsDoNotBringSoFarApartIsRefused) {
  Rig rig(cpus(), 700, GetParam().schedule);
  rig.machine->RunUntil(StopCondition::AtCycle(100'000));
  const uint64_t far = rig.machine->now() - 13'000;
  for (const auto& [path, value] : {std::pair("cpu0.cycle", far), {"cpu1.cycle", far}}) {
    ASSERT_GT(StateNumber(*rig.machine, path), far);
    const std::string state = WithNumber(*rig.machine, path, value);
    Rig other(cpus(), 700, GetParam().schedule);
    alpha::StateReader reader(state);
    other.machine->RestoreState(reader);
    EXPECT_FALSE(reader.Finish().ok()) << path;
  }
}

// Is asked for stops wherever it can be, and refuses.
class Refuser final : public InputSource {
 public:
  void Poll(const InputPoint& point, std::vector<Input>&) override { Note(point); }
  std::optional<Input> TakeStop(const InputPoint& point, Occasion) override {
    Note(point);
    return std::nullopt;
  }
  void Note(const InputPoint& point) {
    asked.push_back(point.cycle);
    machine->LookForStop();
  }
  Machine* machine = nullptr;
  std::vector<uint64_t> asked;
};

// A log has nothing but the cycle of a stop: no two boundaries at which there can be one have the
// same.
TEST_P(Rounds, OneStopCanBeAtACycle) {
  Rig rig(cpus(), 700, GetParam().schedule);
  Refuser refuser;
  refuser.machine = rig.machine.get();
  rig.machine->SetInputSource(&refuser);
  rig.machine->LookForStop();
  rig.machine->Run();
  EXPECT_GT(refuser.asked.size(), 100u);
  EXPECT_EQ(std::ranges::adjacent_find(refuser.asked, std::ranges::greater_equal()),
            refuser.asked.end());
  rig.machine->SetInputSource(nullptr);
}

// Told of each round, before anything of it is run.
class RoundList final : public TurnSink {
 public:
  explicit RoundList(const Machine& machine) : machine_(machine) {}
  void OnRound() override {
    EXPECT_TRUE(machine_.inside_round());
    bool one_runs = false;
    for (int cpu = 0; cpu < machine_.cpu_count(); ++cpu) one_runs |= !machine_.waiting(cpu);
    EXPECT_TRUE(one_runs);
    begun.push_back(machine_.now());
  }
  std::vector<uint64_t> begun;

 private:
  const Machine& machine_;
};

TEST_P(Rounds, EachIsToldOf) {
  Rig rig(cpus(), 700, GetParam().schedule);
  RoundList list(*rig.machine);
  rig.machine->SetTurnSink(&list);
  // Also where a run stops and goes on inside of one.
  for (uint64_t cycle = 1'000; !rig.machine->RunUntil(StopCondition::AtCycle(cycle));
       cycle += 1'000) {
  }
  Rig other(cpus(), 700, GetParam().schedule);
  RoundList straight(*other.machine);
  other.machine->SetTurnSink(&straight);
  other.machine->Run();
  EXPECT_EQ(list.begun, straight.begun);
  // A round is no longer than its quantum and the access to a device with which it ends.
  for (int cpu = 0; cpu < rig.machine->cpu_count(); ++cpu) {
    const uint64_t ran = rig.machine->cpu(cpu).cycle - rig.machine->wait_cycles(cpu);
    EXPECT_GT(list.begun.size(), ran / 1'500) << "CPU " << cpu << " ran for " << ran;
    EXPECT_GT(ran, 10'000u);
  }
}

INSTANTIATE_TEST_SUITE_P(Cpus, Rounds, ::testing::Values(Case{2}, Case{3}, Case{4}));
INSTANTIATE_TEST_SUITE_P(Schedules, Rounds,
                         ::testing::Values(Case{2, "random:1:1-50"}, Case{4, "random:2"},
                                           Case{3, "random:7:3-3"}, Case{2, "pct:1:64:20000"},
                                           Case{4, "pct:2:5:30000"}, Case{3, "pct:3:1"},
                                           Case{3, "switches:0:0-2,900:2-1,5000:1-0,5000:1-2"}));

TEST(Rounds, TheQuantumIsPartOfTheRun) {
  Rig one(2, 700);
  Rig other(2, 701);
  one.machine->Run();
  other.machine->Run();
  EXPECT_NE(one.notes.lines, other.notes.lines);
}

}  // namespace
}  // namespace isochron::machine
