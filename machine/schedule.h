// Which of several CPUs has its turn.

#ifndef ISOCHRON_MACHINE_SCHEDULE_H_
#define ISOCHRON_MACHINE_SCHEDULE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "alpha/state_visitor.h"
#include "machine/events/config.h"

namespace isochron::machine {

// What a schedule is told of a machine within a round.
struct TurnPlaces {
  uint32_t able = 0;  // a bit for each CPU that can have a turn
  std::array<uint64_t, MachineConfig::kMaxCpus> cycles = {};  // to which each has come
  uint64_t instructions = 0;                                  // that all have retired
};

// Which of several CPUs goes before which.
class TurnOrder {
 public:
  TurnOrder();
  // Of those in `able`, which is not 0.
  uint32_t First(uint32_t able) const;
  // Puts a CPU that stands behind another one directly before it.
  void PutBefore(uint32_t cpu, uint32_t other);
  // Whether each CPU has a place: what a reader has to ask.
  bool IsComplete() const;
  void VisitState(alpha::StateVisitor& visitor) const { visitor.Elements(std::span(cpus_)); }
  void RestoreState(alpha::StateReader& reader) { reader.Elements(std::span(cpus_)); }

 private:
  std::array<uint32_t, MachineConfig::kMaxCpus> cpus_;
};

// Says whose turn it is by one of the schedules of docs/smp.md other than the fixed one, which is
// the order of the CPUs' numbers. Everything in it follows from its parameters and from what it is
// told: that is what the guest has executed.
class Schedule {
 public:
  // Of a valid configuration of several CPUs.
  explicit Schedule(const MachineConfig& config);

  // The CPU whose turn it is; nothing when none can have one. To be asked at each boundary to which
  // a turn leads; asking again there makes no difference.
  std::optional<uint32_t> Turn(const TurnPlaces& places);
  // The cycle, of its own, up to which that CPU can go before Turn() is asked again.
  uint64_t Limit(const TurnPlaces& places) const;

  void VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }
  void RestoreState(alpha::StateReader& reader);

 private:
  // A change of priority, at the boundary at which so many instructions have retired.
  struct Change {
    uint64_t instructions;
    uint32_t priority;
  };

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);
  void DrawPriorities();
  void ChangePriorities(const TurnPlaces& places);
  uint32_t Draw(const TurnPlaces& places);
  uint32_t MostUrgent(uint32_t able) const;
  // The first in the order that is able, when all switches have been made that are due.
  uint32_t FirstInOrder(const TurnPlaces& places);
  // The switch that CPU `from` comes to next; nullptr: none.
  const TurnSwitch* NextSwitch(uint32_t from) const;

  const ScheduleConfig config_;
  const uint32_t cpus_;
  std::vector<Change> changes_;  // pct, by instructions
  std::array<std::vector<TurnSwitch>, MachineConfig::kMaxCpus>
      switches_;  // by the CPU they are from

  // State, of each schedule a part.
  uint64_t generator_ = 0;
  uint32_t turn_ = 0;      // who had the last turn
  uint64_t turn_end_ = 0;  // to which cycle of its own
  std::array<uint32_t, MachineConfig::kMaxCpus> priorities_ = {};
  uint32_t changed_ = 0;  // how many of changes_ have been
  TurnOrder order_;
  std::array<uint32_t, MachineConfig::kMaxCpus> switched_ = {};  // of switches_
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_SCHEDULE_H_
