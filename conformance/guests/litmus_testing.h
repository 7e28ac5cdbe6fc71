// Runs the guest kernel `litmus` and reads what it prints.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_LITMUS_TESTING_H_
#define ISOCHRON_CONFORMANCE_GUESTS_LITMUS_TESTING_H_

#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "gtest/gtest.h"
#include "machine/machine.h"

namespace isochron::conformance::testing {

inline constexpr uint64_t kLitmusLimit = 2'000'000'000;  // cycles, far more than a run takes

// What sequential consistency allows, as litmus.c numbers outcomes: a digit of base 4 for what each
// CPU has seen, then perhaps those of X and Y.
inline const std::map<std::string, std::set<int>>& Allowed() {
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
inline std::map<std::string, std::map<int, uint64_t>> OutcomesIn(const std::string& transcript) {
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

inline LitmusRun RunLitmus(const std::string& engine, const std::string& schedule,
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

}  // namespace isochron::conformance::testing

#endif  // ISOCHRON_CONFORMANCE_GUESTS_LITMUS_TESTING_H_
