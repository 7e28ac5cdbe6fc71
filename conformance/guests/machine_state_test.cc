// A machine is a function of its state: saved anywhere and restored elsewhere, it goes on the same
// way. Every guest kernel serves as the example.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "alpha/state_list.h"
#include "alpha/state_visitor.h"
#include "conformance/guests/guest_run.h"
#include "gtest/gtest.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

using machine::Digest;
using machine::Machine;
using machine::MachineConfig;
using machine::RunEnd;
using machine::StopCondition;

// Long enough for every guest to end; the limit makes one that hangs a failure.
constexpr uint64_t kEnd = 4'000'000'000;

std::string GuestPath(const std::string& name) {
  return std::string(ISOCHRON_GUEST_DIR) + "/" + name + ".elf";
}

MachineConfig SmallConfig() {
  MachineConfig config;
  config.memory_bytes = uint64_t{64} << 20;
  config.input_interval = 100'000;
  return config;
}

std::unique_ptr<Machine> Make(const std::string& guest) {
  auto machine = MakeMachine(GuestPath(guest), SmallConfig());
  EXPECT_TRUE(machine.ok()) << machine.status();
  return *std::move(machine);
}

class GuestState : public testing::TestWithParam<const char*> {};

TEST_P(GuestState, TwoRunsAreEqual) {
  Transcript transcripts[2];
  Digest digests[2];
  for (int i = 0; i < 2; ++i) {
    auto machine = Make(GetParam());
    machine->SetConsoleSink(&transcripts[i]);
    EXPECT_TRUE(PowersOffBefore(*machine, kEnd));
    digests[i] = machine->StateDigest();
  }
  EXPECT_EQ(transcripts[0].text(), transcripts[1].text());
  EXPECT_EQ(digests[0], digests[1]);
}

TEST_P(GuestState, RestoredMachineGoesOnTheSame) {
  auto whole = Make(GetParam());
  Transcript transcript;
  whole->SetConsoleSink(&transcript);
  whole->RunUntil(StopCondition::AtCycle(kEnd));
  const uint64_t length = whole->cpu().cycle;
  const Digest last = whole->StateDigest();

  auto first = Make(GetParam());
  for (int part = 1; part <= 5; part += 2) {
    first->RunUntil(StopCondition::AtCycle(length * part / 6));
    const Digest here = first->StateDigest();
    const std::string saved = alpha::StateBytes(*first);
    auto second = Make(GetParam());
    ASSERT_TRUE(alpha::RestoreFromBytes(saved, *second).ok());
    EXPECT_EQ(second->StateDigest(), here);
    EXPECT_EQ(alpha::StateBytes(*second), saved);
    second->RunUntil(StopCondition::AtCycle(kEnd));
    EXPECT_EQ(second->StateDigest(), last) << "restored at cycle " << first->cpu().cycle;
    EXPECT_EQ(second->cpu().cycle, length);
  }
}

// Stopping to look leaves no trace.
TEST_P(GuestState, DigestsOnTheWayChangeNothing) {
  auto watched = Make(GetParam());
  auto alone = Make(GetParam());
  alone->RunUntil(StopCondition::AtCycle(kEnd));
  const uint64_t length = alone->cpu().cycle;
  for (int part = 1; part <= 20; ++part) {
    // Stops past the cycle it is given: the last parts may reach the end.
    const uint64_t until = part < 20 ? length * part / 20 : kEnd;
    if (watched->RunUntil(StopCondition::AtCycle(until)).has_value()) break;
    watched->StateDigest();
  }
  EXPECT_EQ(watched->StateDigest(), alone->StateDigest());
}

INSTANTIATE_TEST_SUITE_P(Guests, GuestState, testing::Values(ISOCHRON_GUEST_NAMES),
                         [](const auto& info) { return std::string(info.param); });

// Every field has a name of its own.
TEST(MachineState, NoTwoFieldsHaveOneName) {
  auto machine = Make("uart");
  machine->RunUntil(StopCondition::AtCycle(2'000'000));
  alpha::StateLister lister;
  machine->VisitWithoutMemory(lister);
  EXPECT_TRUE(lister.Check().ok()) << lister.Check();
}

// What is found by name is what the machine has.
TEST(MachineState, IsFoundByName) {
  auto machine = Make("integer");
  machine->RunUntil(StopCondition::AtCycle(2'000'000));
  const auto value = [&](std::string_view path) -> uint64_t {
    alpha::StateLister lister(path);
    machine->VisitWithoutMemory(lister);
    EXPECT_EQ(lister.fields().size(), 1u) << path;
    return lister.fields().empty() ? 0 : lister.fields()[0].value;
  };
  const alpha::Cpu& cpu = machine->cpu();
  EXPECT_EQ(value("machine.waiting"), 0u);
  EXPECT_EQ(value("cpu0.pc"), cpu.pc);
  EXPECT_EQ(value("cpu0.r[16]"), cpu.r[16]);
  EXPECT_EQ(value("cpu0.shadow[2]"), cpu.r[alpha::Cpu::kShadowBase + 2]);
  EXPECT_EQ(value("cpu0.pctr_start[1]"), cpu.pctr_start[1]);
  EXPECT_EQ(value("cpu0.dtb[0].base"), cpu.dtb.entry(0).base);
  EXPECT_EQ(value("cpu0.pal_calls"), cpu.counters.pal_calls);
  EXPECT_EQ(value("events.now"), cpu.cycle);
  for (const char* section :
       {"cchip", "pchip0", "pci0", "pics", "pit", "rtc", "uart0", "uart1", "platform"}) {
    alpha::StateLister lister(section);
    machine->VisitWithoutMemory(lister);
    EXPECT_FALSE(lister.fields().empty()) << section;
  }
}

TEST(MachineState, DamagedStateIsAnError) {
  auto machine = Make("integer");
  machine->RunUntil(StopCondition::AtCycle(2'000'000));
  const std::string saved = alpha::StateBytes(*machine);
  auto victim = Make("integer");
  for (size_t size = 0; size < saved.size(); size += 1 + size / 3) {
    EXPECT_FALSE(alpha::RestoreFromBytes(std::string_view(saved).substr(0, size), *victim).ok())
        << size;
  }
  EXPECT_FALSE(alpha::RestoreFromBytes(saved + "x", *victim).ok());
}

// Whatever bit of the cycle is wrong: devices would have years of their time to catch up with.
// Devices may be as far behind as an engine can come in one go, no farther.
TEST(MachineState, CpuAndDevicesStandAtOneCycle) {
  auto machine = Make("integer");
  machine->RunUntil(StopCondition::AtCycle(2'000'000));
  const std::string saved = alpha::StateBytes(*machine);
  const uint64_t cycle = machine->cpu().cycle;
  const std::string_view bytes(reinterpret_cast<const char*>(&cycle), sizeof cycle);
  auto victim = Make("integer");
  int places = 0;
  const size_t size = machine->SaveWithoutMemory().size();
  for (size_t at = saved.find(bytes); at < size; at = saved.find(bytes, at + 1)) {
    ++places;
    for (int bit = 0; bit < 62; ++bit) {
      if (uint64_t{1} << bit <= machine->config().input_interval) continue;
      std::string damaged = saved;
      damaged[at + bit / 8] = static_cast<char>(damaged[at + bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(alpha::RestoreFromBytes(damaged, *victim).ok())
          << "place " << at << ", bit " << bit;
    }
  }
  EXPECT_GE(places, 2);
}

// Any bytes may stand in a damaged file: restoring and running them must stay inside the machine.
TEST(MachineState, FlippedBitsNeverHarmTheHost) {
  auto machine = Make("integer");
  machine->RunUntil(StopCondition::AtCycle(2'000'000));
  const std::string saved = alpha::StateBytes(*machine);
  const size_t size = machine->SaveWithoutMemory().size();  // CPU and devices, which come first
  uint64_t random = 1;
  for (int i = 0; i < 200; ++i) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const size_t place = (random >> 33) % size;
    std::string damaged = saved;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << (random >> 20 & 7)));
    auto victim = Make("integer");
    if (!alpha::RestoreFromBytes(damaged, *victim).ok()) continue;
    // A walk that mended what looks impossible to it would make a run depend on who looks.
    ASSERT_EQ(alpha::StateBytes(*victim), alpha::StateBytes(*victim)) << place;
    victim->RunUntil(StopCondition::AtCycle(3'000'000));
  }
}

}  // namespace
}  // namespace isochron::conformance
