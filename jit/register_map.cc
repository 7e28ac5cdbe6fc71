#include "jit/register_map.h"

#include <algorithm>
#include <span>

#include "jit/planted_bugs.h"

namespace isochron::jit {
namespace {

using alpha::RegisterRole;

struct Usage {
  int place = 0;
  uint64_t weight = 0;
  bool written = false;
};

class UsageCounter {
 public:
  UsageCounter() {
    for (size_t i = 0; i < integers.size(); ++i) integers[i].place = static_cast<int>(i);
    for (size_t i = 0; i < floats.size(); ++i) floats[i].place = static_cast<int>(i);
  }

  void Count(RegisterRole role, int place, uint64_t weight) {
    if (place == 31) return;
    switch (role) {
      case RegisterRole::kNone: return;
      case RegisterRole::kIntegerRead: return Add(integers[place], weight, false);
      case RegisterRole::kIntegerWrite:
      case RegisterRole::kIntegerReadWrite: return Add(integers[place], weight, true);
      case RegisterRole::kFloatRead: return Add(floats[place], weight, false);
      case RegisterRole::kFloatWrite:
      case RegisterRole::kFloatReadWrite:
        return Add(floats[place], weight, !Planted(Bug::kFloatNotSaved));
    }
  }

  std::array<Usage, alpha::Cpu::kIntegerSink + 1> integers;
  std::array<Usage, alpha::Cpu::kFloatSink + 1> floats;

 private:
  static void Add(Usage& usage, uint64_t weight, bool written) {
    usage.weight += weight;
    usage.written = usage.written || written;
  }
};

// How many integer registers are assigned for good where the pool is too small.
constexpr size_t kAssignedUnderPressure = 5;

// One use outside a loop costs as much as loading the register at the entry.
constexpr uint64_t kWorthwhile = 2;

template <typename Assignments>
void Assign(std::span<Usage> usages, std::span<const int> pool, std::span<int8_t> host_of,
            Assignments& assignments) {
  std::fill(host_of.begin(), host_of.end(), static_cast<int8_t>(RegisterMap::kNone));
  std::stable_sort(usages.begin(), usages.end(),
                   [](const Usage& a, const Usage& b) { return a.weight > b.weight; });
  for (size_t i = 0; i < pool.size() && i < usages.size(); ++i) {
    const Usage& usage = usages[i];
    if (usage.weight < kWorthwhile) return;
    host_of[usage.place] = static_cast<int8_t>(pool[i]);
    assignments.push_back({usage.place, pool[i], usage.written});
  }
}

// How much more a block counts than one outside loops.
uint64_t WeightOf(const GuestBlock& block) {
  return uint64_t{1} << (3 * std::min(block.depth, 4u));
}

// What a block costs when a place has no register for good: copies that live within the block
// must be loaded when it starts, where it reads a place before it writes it, and stored when it
// ends. A place for which it does both is part of a chain that goes through memory every time.
void CountTransfers(const Region& region, std::span<Usage> usages) {
  constexpr uint64_t kLoad = 8;
  constexpr uint64_t kStore = 4;
  constexpr uint64_t kChain = 8;
  for (const GuestBlock& block : region.blocks) {
    uint64_t exposed = 0;
    uint64_t written = 0;
    for (const GuestInstruction& instruction : block.code) {
      exposed |= instruction.reads & ~written;
      written |= instruction.writes;
    }
    for (Usage& usage : usages) {
      if (usage.weight < kWorthwhile) continue;
      const bool loads = (exposed >> usage.place & 1) != 0;
      const bool stores = (written >> usage.place & 1) != 0;
      usage.weight += WeightOf(block) * ((loads ? kLoad : 0) + (stores ? kStore : 0) +
                                         (loads && stores ? kChain : 0));
    }
  }
}

}  // namespace

RegisterMap::RegisterMap(const Region& region, bool makes_notes) {
  UsageCounter counter;
  for (const GuestBlock& block : region.blocks) {
    const uint64_t weight = WeightOf(block);
    for (const GuestInstruction& instruction : block.code) {
      const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(instruction.word.op).shape);
      counter.Count(roles.ra, instruction.ra, weight);
      if (!instruction.word.literal) counter.Count(roles.rb, instruction.rb, weight);
      counter.Count(roles.rc, instruction.rc, weight);
    }
  }
  const auto wanted = static_cast<size_t>(
      std::count_if(counter.integers.begin(), counter.integers.end(),
                    [](const Usage& usage) { return usage.weight >= kWorthwhile; }));
  Spare all;
  for (const int host : kIntegerPool) {
    if (!makes_notes || host != 14) all.push_back(host);
  }
  std::span<const int> pool = all;
  if (wanted > pool.size()) {
    pool = pool.first(kAssignedUnderPressure);
    CountTransfers(region, counter.integers);
  }
  Assign(counter.integers, pool, integer_, integers_);
  for (const Assignment& a : integers_) assigned_ |= uint64_t{1} << a.place;
  spare_.assign(all.begin() + static_cast<ptrdiff_t>(integers_.size()), all.end());
  Assign(counter.floats, kFloatPool, float_, floats_);
}

}  // namespace isochron::jit
