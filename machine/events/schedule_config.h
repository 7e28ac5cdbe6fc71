// Which of several CPUs has its turn when: as configuration.

#ifndef ISOCHRON_MACHINE_EVENTS_SCHEDULE_CONFIG_H_
#define ISOCHRON_MACHINE_EVENTS_SCHEDULE_CONFIG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace isochron::machine {

// At the first boundary at or past `cycle` to which a CPU comes in its turn, another one goes
// before it.
struct TurnSwitch {
  uint64_t cycle = 0;  // of the CPU that had the turn
  uint32_t from = 0;
  uint32_t to = 0;

  friend bool operator==(const TurnSwitch&, const TurnSwitch&) = default;
};

// A schedule of several CPUs and its parameters: docs/smp.md says what they mean.
struct ScheduleConfig {
  // The numbers are part of the log format.
  enum class Kind : uint8_t { kFixed = 0, kRandom = 1, kPct = 2, kSwitches = 3 };
  Kind kind = Kind::kFixed;
  uint64_t seed = 0;  // random, pct
  // random: the length of a turn in cycles.
  uint64_t min_turn = kDefaultMinTurn;
  uint64_t max_turn = kDefaultMaxTurn;
  // pct: one more than there are changes of priority, and among how many instructions those are.
  uint32_t depth = 1;
  uint64_t length = kDefaultLength;
  // switches: those of each CPU in ascending order of cycles.
  std::vector<TurnSwitch> switches;

  static constexpr uint64_t kDefaultMinTurn = 1;
  static constexpr uint64_t kDefaultMaxTurn = 4096;
  static constexpr uint64_t kMaxTurn = uint64_t{1} << 30;
  static constexpr uint32_t kMaxDepth = 64;
  static constexpr uint64_t kDefaultLength = 10'000'000;
  static constexpr uint64_t kMaxLength = uint64_t{1} << 48;
  static constexpr size_t kMaxSwitches = 4096;
  static constexpr uint64_t kMaxSwitchCycle = uint64_t{1} << 48;

  bool is_fixed() const { return kind == Kind::kFixed; }
  // InvalidArgument saying what is out of its range, or that is no schedule of so many CPUs.
  absl::Status Validate(uint32_t cpus) const;
  // As the option has it and logs show it: fixed, random:SEED:MIN-MAX, pct:SEED:DEPTH:LENGTH or
  // switches:CYCLE:FROM-TO,...
  std::string Text() const;
  // Reads what Text() writes, in which MIN-MAX and LENGTH can be left out. InvalidArgument with a
  // message that says what would do.
  static absl::StatusOr<ScheduleConfig> Parse(std::string_view text);

  friend bool operator==(const ScheduleConfig&, const ScheduleConfig&) = default;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_EVENTS_SCHEDULE_CONFIG_H_
