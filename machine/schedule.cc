#include "machine/schedule.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "machine/bus/event_queue.h"
#include "machine/devices/split_mix.h"

namespace isochron::machine {
namespace {

bool IsAble(uint32_t able, uint32_t cpu) { return (able >> cpu & 1) != 0; }

}  // namespace

TurnOrder::TurnOrder() { std::iota(cpus_.begin(), cpus_.end(), 0); }

uint32_t TurnOrder::First(uint32_t able) const {
  return *std::ranges::find_if(cpus_, [&](uint32_t cpu) { return IsAble(able, cpu); });
}

void TurnOrder::PutBefore(uint32_t cpu, uint32_t other) {
  const auto place = std::ranges::find(cpus_, other);
  const auto from = std::ranges::find(cpus_, cpu);
  if (place < from) std::rotate(place, from, from + 1);
}

bool TurnOrder::IsComplete() const {
  std::array<uint32_t, MachineConfig::kMaxCpus> sorted = cpus_;
  std::ranges::sort(sorted);
  return sorted == TurnOrder().cpus_;
}

Schedule::Schedule(const MachineConfig& config)
    : config_(config.schedule), cpus_(config.cpus), generator_(config_.seed) {
  for (const TurnSwitch& each : config_.switches) switches_[each.from].push_back(each);
  if (config_.kind == ScheduleConfig::Kind::kPct) DrawPriorities();
}

// Burckhardt et al., ASPLOS 2010, 3.1.
void Schedule::DrawPriorities() {
  std::array<uint32_t, MachineConfig::kMaxCpus> order = {};
  std::iota(order.begin(), order.end(), 0);
  for (uint32_t place = cpus_ - 1; place > 0; --place) {
    std::swap(order[place], order[NextSplitMix(generator_) % (place + 1)]);
  }
  for (uint32_t place = 0; place < cpus_; ++place) {
    priorities_[order[place]] = config_.depth + cpus_ - 1 - place;
  }
  for (uint32_t priority = 1; priority < config_.depth; ++priority) {
    changes_.push_back({1 + NextSplitMix(generator_) % config_.length, priority});
  }
  std::ranges::stable_sort(changes_, {}, &Change::instructions);
}

std::optional<uint32_t> Schedule::Turn(const TurnPlaces& places) {
  if (config_.kind == ScheduleConfig::Kind::kPct) ChangePriorities(places);
  if (places.able == 0) return std::nullopt;
  switch (config_.kind) {
    case ScheduleConfig::Kind::kFixed: turn_ = std::countr_zero(places.able); break;
    case ScheduleConfig::Kind::kRandom: turn_ = Draw(places); break;
    case ScheduleConfig::Kind::kPct: turn_ = MostUrgent(places.able); break;
    case ScheduleConfig::Kind::kSwitches: turn_ = FirstInOrder(places); break;
  }
  return turn_;
}

uint64_t Schedule::Limit(const TurnPlaces& places) const {
  const uint64_t cycle = places.cycles[turn_];
  switch (config_.kind) {
    case ScheduleConfig::Kind::kFixed: break;
    case ScheduleConfig::Kind::kRandom: return turn_end_;
    case ScheduleConfig::Kind::kPct:
      // No instruction takes less than a cycle.
      if (changed_ < changes_.size()) {
        return cycle + (changes_[changed_].instructions - places.instructions);
      }
      break;
    case ScheduleConfig::Kind::kSwitches:
      if (const TurnSwitch* const next = NextSwitch(turn_)) return next->cycle;
      break;
  }
  return kNever;
}

uint32_t Schedule::Draw(const TurnPlaces& places) {
  if (IsAble(places.able, turn_) && places.cycles[turn_] < turn_end_) return turn_;
  uint64_t place = NextSplitMix(generator_) % std::popcount(places.able);
  uint32_t drawn = 0;
  while (!IsAble(places.able, drawn) || place-- > 0) ++drawn;
  const uint64_t lengths = config_.max_turn - config_.min_turn + 1;
  turn_end_ = places.cycles[drawn] + config_.min_turn + NextSplitMix(generator_) % lengths;
  return drawn;
}

void Schedule::ChangePriorities(const TurnPlaces& places) {
  for (; changed_ < changes_.size(); ++changed_) {
    const Change& change = changes_[changed_];
    if (places.instructions < change.instructions) return;
    priorities_[turn_] = change.priority;
  }
}

uint32_t Schedule::MostUrgent(uint32_t able) const {
  uint32_t most = std::countr_zero(able);
  for (uint32_t cpu = most + 1; cpu < cpus_; ++cpu) {
    if (IsAble(able, cpu) && priorities_[cpu] > priorities_[most]) most = cpu;
  }
  return most;
}

uint32_t Schedule::FirstInOrder(const TurnPlaces& places) {
  for (;;) {
    const uint32_t first = order_.First(places.able);
    const TurnSwitch* const next = NextSwitch(first);
    if (next == nullptr || places.cycles[first] < next->cycle) return first;
    ++switched_[first];
    order_.PutBefore(next->to, first);
  }
}

const TurnSwitch* Schedule::NextSwitch(uint32_t from) const {
  const std::vector<TurnSwitch>& own = switches_[from];
  return switched_[from] < own.size() ? &own[switched_[from]] : nullptr;
}

template <typename Visitor, typename Self>
void Schedule::Walk(Visitor& visitor, Self& self) {
  visitor.Section("schedule");
  switch (self.config_.kind) {
    case ScheduleConfig::Kind::kFixed: break;
    case ScheduleConfig::Kind::kRandom:
      visitor.Field("generator", self.generator_);
      visitor.Field("turn", self.turn_);
      visitor.Field("turn_end", self.turn_end_);
      break;
    case ScheduleConfig::Kind::kPct:
      visitor.Field("turn", self.turn_);
      visitor.Field("priorities", self.priorities_);
      visitor.Field("changed", self.changed_);
      break;
    case ScheduleConfig::Kind::kSwitches:
      visitor.Field("order", self.order_);
      visitor.Field("switched", self.switched_);
      break;
  }
}

// What VisitState() is made of.
template void Schedule::Walk(alpha::StateVisitor& visitor, const Schedule& self);

void Schedule::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  bool valid = turn_ < cpus_ && changed_ <= changes_.size() && order_.IsComplete();
  for (size_t cpu = 0; cpu < switches_.size(); ++cpu) {
    valid = valid && switched_[cpu] <= switches_[cpu].size();
  }
  if (!valid) reader.Fail("it is the turn of no CPU by the schedule");
}

}  // namespace isochron::machine
