#include "machine/events/schedule_config.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/number.h"
#include "hostio/quantity.h"

namespace isochron::machine {
namespace {

using Kind = ScheduleConfig::Kind;

absl::Status NoSchedule(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is no schedule: ", std::string(why)));
}

constexpr std::string_view kForms =
    "it is fixed, random:SEED[:MIN-MAX], pct:SEED:DEPTH[:LENGTH] or switches:CYCLE:FROM-TO,...";

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// A pair of numbers with a dash between them.
template <typename Value>
absl::Status ParsePair(std::string_view text, absl::StatusOr<uint64_t> (*parse)(std::string_view),
                       Value& first, Value& second) {
  const std::vector<std::string_view> parts = Split(text, '-');
  if (parts.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(text), "' is not two numbers with - between them"));
  }
  Value* const values[] = {&first, &second};
  for (size_t i = 0; i < parts.size(); ++i) {
    const absl::StatusOr<uint64_t> value = parse(parts[i]);
    if (!value.ok()) return value.status();
    *values[i] = static_cast<Value>(*value);
    if (*values[i] != *value) {
      return absl::InvalidArgumentError(absl::StrCat("'", std::string(parts[i]), "' is too large"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDepth(uint64_t depth) {
  if (depth >= 1 && depth <= ScheduleConfig::kMaxDepth) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a depth is from 1 to ", ScheduleConfig::kMaxDepth, ", not ", depth));
}

absl::Status ParseDepth(std::string_view text, ScheduleConfig& schedule) {
  const absl::StatusOr<uint64_t> depth = hostio::ParseNumber(text);
  if (!depth.ok()) return depth.status();
  if (absl::Status status = CheckDepth(*depth); !status.ok()) return status;
  schedule.depth = static_cast<uint32_t>(*depth);
  return absl::OkStatus();
}

absl::Status ParseSwitches(std::string_view text, ScheduleConfig& schedule) {
  for (const std::string_view item : Split(text, ',')) {
    TurnSwitch& added = schedule.switches.emplace_back();
    const size_t colon = item.find(':');
    if (colon == std::string_view::npos) return NoSchedule(item, kForms);
    const absl::StatusOr<uint64_t> cycle = hostio::ParseCycles(item.substr(0, colon));
    if (!cycle.ok()) return cycle.status();
    added.cycle = *cycle;
    absl::Status status =
        ParsePair(item.substr(colon + 1), hostio::ParseNumber, added.from, added.to);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// `parts` are those of random or pct: name, seed and what follows.
absl::Status ParseDrawn(const std::vector<std::string_view>& parts, ScheduleConfig& schedule) {
  const absl::StatusOr<uint64_t> seed = hostio::ParseNumber(parts[1]);
  if (!seed.ok()) return seed.status();
  schedule.seed = *seed;
  if (schedule.kind == Kind::kRandom) {
    if (parts.size() < 3) return absl::OkStatus();
    return ParsePair(parts[2], hostio::ParseCycles, schedule.min_turn, schedule.max_turn);
  }
  if (absl::Status status = ParseDepth(parts[2], schedule); !status.ok()) return status;
  if (parts.size() < 4) return absl::OkStatus();
  const absl::StatusOr<uint64_t> length = hostio::ParseCycles(parts[3]);
  if (length.ok()) schedule.length = *length;
  return length.status();
}

absl::Status CheckSwitches(const std::vector<TurnSwitch>& switches, uint32_t cpus) {
  if (switches.empty() || switches.size() > ScheduleConfig::kMaxSwitches) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a schedule has 1 to ", ScheduleConfig::kMaxSwitches, " switches, not ", switches.size()));
  }
  constexpr size_t kCpus = 16;  // more than a machine has
  std::array<uint64_t, kCpus> before = {};
  for (const TurnSwitch& each : switches) {
    if (each.from >= cpus || each.to >= cpus || each.from == each.to) {
      return absl::InvalidArgumentError(absl::StrCat("a switch from CPU ", each.from, " to CPU ",
                                                     each.to, " is none of a machine of ", cpus,
                                                     " CPUs"));
    }
    if (each.cycle > ScheduleConfig::kMaxSwitchCycle) {
      return absl::InvalidArgumentError(
          absl::StrCat("a switch at cycle ", each.cycle, " is too late"));
    }
    if (each.cycle < before[each.from]) {
      return absl::InvalidArgumentError(absl::StrCat("the switch from CPU ", each.from,
                                                     " at cycle ", each.cycle,
                                                     " stands behind a later one"));
    }
    before[each.from] = each.cycle;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ScheduleConfig::Validate(uint32_t cpus) const {
  if (kind == Kind::kFixed) return absl::OkStatus();
  if (cpus < 2) {
    return absl::InvalidArgumentError(
        "one CPU has its turn always: a schedule needs --cpus of 2 or more");
  }
  switch (kind) {
    case Kind::kFixed: break;
    case Kind::kRandom:
      if (min_turn >= 1 && min_turn <= max_turn && max_turn <= kMaxTurn) break;
      return absl::InvalidArgumentError(absl::StrCat("turns of ", min_turn, " to ", max_turn,
                                                     " cycles: they must be from 1 to ", kMaxTurn,
                                                     ", the least first"));
    case Kind::kPct:
      if (absl::Status status = CheckDepth(depth); !status.ok()) return status;
      if (length >= 1 && length <= kMaxLength) break;
      return absl::InvalidArgumentError(
          absl::StrCat("priorities change among 1 to ", kMaxLength, " instructions, not ", length));
    case Kind::kSwitches: return CheckSwitches(switches, cpus);
    default: return absl::InvalidArgumentError("the schedule is of no known kind");
  }
  return absl::OkStatus();
}

std::string ScheduleConfig::Text() const {
  switch (kind) {
    case Kind::kFixed: break;
    case Kind::kRandom: return absl::StrCat("random:", seed, ":", min_turn, "-", max_turn);
    case Kind::kPct: return absl::StrCat("pct:", seed, ":", depth, ":", length);
    case Kind::kSwitches: {
      std::string text = "switches";
      for (size_t i = 0; i < switches.size(); ++i) {
        absl::StrAppend(&text, i == 0 ? ":" : ",", switches[i].cycle, ":", switches[i].from, "-",
                        switches[i].to);
      }
      return text;
    }
  }
  return "fixed";
}

absl::StatusOr<ScheduleConfig> ScheduleConfig::Parse(std::string_view text) {
  ScheduleConfig schedule;
  if (text == "fixed") return schedule;
  absl::Status status;
  constexpr std::string_view kSwitchesName = "switches:";
  const std::vector<std::string_view> parts = Split(text, ':');
  if (text.starts_with(kSwitchesName)) {
    schedule.kind = Kind::kSwitches;
    status = ParseSwitches(text.substr(kSwitchesName.size()), schedule);
  } else if (parts[0] == "random" && (parts.size() == 2 || parts.size() == 3)) {
    schedule.kind = Kind::kRandom;
    status = ParseDrawn(parts, schedule);
  } else if (parts[0] == "pct" && (parts.size() == 3 || parts.size() == 4)) {
    schedule.kind = Kind::kPct;
    status = ParseDrawn(parts, schedule);
  } else {
    status = NoSchedule(text, kForms);
  }
  if (!status.ok()) return status;
  return schedule;
}

}  // namespace isochron::machine
