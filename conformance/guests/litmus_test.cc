// Litmus tests under random schedules: memory is sequentially consistent, and the schedules are
// varied enough to show all that it allows (docs/smp.md).

#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "hostio/sanitizers.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

constexpr uint64_t kLitmusLimit = 2'000'000'000;  // cycles, far more than a run takes

// What sequential consistency allows, as litmus.c numbers outcomes: a digit of base 4 for what each
// CPU has seen, then perhaps those of X and Y.
const std::map<std::string, std::set<int>>& Allowed() {
  static const std::map<std::string, std::set<int>> allowed = {
      {"SB", {1, 4, 5}},    // not 0: both loads before both stores
      {"MP", {0, 1, 3}},    // not 2: the flag, but not the message
      {"LB", {0, 1, 4}},    // not 5: both have seen what comes behind what they see
      {"CoRR", {0, 1, 3}},  // not 2: the new value, then the old one
      // not 10: each writer's store is seen without the other's
      {"IRIW", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15}},
      {"2+2W", {6, 9, 10}},  // not 5: the first stores of both last
      // The second to add found 1, and had to try again or not; the sum is 2.
      {"LLSC", {40, 56, 136, 200}},
  };
  return allowed;
}

// How often each test came out how, from what the guest printed.
std::map<std::string, std::map<int, uint64_t>> OutcomesIn(const std::string& transcript) {
  std::map<std::string, std::map<int, uint64_t>> outcomes;
  std::istringstream lines(transcript);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    int outcome = 0;
    char colon = 0;
    uint64_t count = 0;
    while (words >> outcome >> colon >> count) outcomes[name][outcome] = count;
  }
  return outcomes;
}

struct LitmusRun {
  std::string transcript;
  machine::Digest state;
};

LitmusRun RunLitmus(const std::string& engine, const std::string& schedule,
                    const std::string& rounds) {
  machine::MachineConfig config;
  config.memory_bytes = machine::MachineConfig::kMinMemory;
  config.cpus = 4;
  config.schedule = *machine::ScheduleConfig::Parse(schedule);
  config.command_line = rounds;
  auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/litmus.elf"), config, engine);
  EXPECT_TRUE(machine.ok()) << machine.status();
  Transcript transcript;
  (*machine)->SetConsoleSink(&transcript);
  EXPECT_TRUE(PowersOffBefore(**machine, kLitmusLimit)) << schedule;
  return {transcript.text(), (*machine)->StateDigest()};
}

// How many schedules; ISOCHRON_LITMUS_SCHEDULES has more of them run.
uint64_t Schedules() {
  const char* const text = std::getenv("ISOCHRON_LITMUS_SCHEDULES");
  if (text != nullptr) return std::strtoull(text, nullptr, 10);
  return hostio::kAddressSanitizer ? 8 : 24;
}

TEST(Litmus, RandomSchedulesShowAllThatIsSequentiallyConsistentAndNothingElse) {
  std::map<std::string, std::set<int>> seen;
  for (uint64_t seed = 1; seed <= Schedules(); ++seed) {
    const std::string schedule = absl::StrCat("random:", seed, ":1-40");
    const LitmusRun ref = RunLitmus("ref", schedule, "100");
    const auto outcomes = OutcomesIn(ref.transcript);
    ASSERT_EQ(outcomes.size(), Allowed().size()) << ref.transcript;
    for (const auto& [name, counts] : outcomes) {
      uint64_t sum = 0;
      for (const auto& [outcome, count] : counts) {
        EXPECT_TRUE(Allowed().at(name).contains(outcome))
            << name << " came out as " << outcome << " under " << schedule;
        seen[name].insert(outcome);
        sum += count;
      }
      EXPECT_EQ(sum, 100u) << name;
    }
#ifdef ISOCHRON_JIT
    const LitmusRun jit = RunLitmus("jit:threshold=1", schedule, "100");
    ASSERT_EQ(jit.transcript, ref.transcript) << schedule;
    ASSERT_EQ(jit.state, ref.state) << schedule;
#endif
  }
  EXPECT_EQ(seen, Allowed());
}

// That they show so much is the schedules' doing.
TEST(Litmus, TheFixedScheduleShowsLittle) {
  const auto outcomes = OutcomesIn(RunLitmus("ref", "fixed", "20").transcript);
  ASSERT_EQ(outcomes.size(), Allowed().size());
  for (const auto& [name, counts] : outcomes) {
    EXPECT_LT(counts.size(), Allowed().at(name).size()) << name;
  }
}

}  // namespace
}  // namespace isochron::conformance
