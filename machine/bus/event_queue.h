// Machine time and what is due when.

#ifndef ISOCHRON_MACHINE_BUS_EVENT_QUEUE_H_
#define ISOCHRON_MACHINE_BUS_EVENT_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "alpha/engine.h"
#include "alpha/state_visitor.h"

namespace isochron::machine {

inline constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// Who is told that an event is due.
class EventTarget {
 public:
  virtual ~EventTarget() = default;
  // The event of this kind is due; EventQueue::now() is its cycle or, where an instruction
  // straddled it, a few cycles more.
  virtual void OnEvent(int kind) = 0;
};

// Holds at most one due cycle for each kind of event of each source. Scheduling again replaces.
//
// Sources are numbered in the order in which they are added. The numbers are part of the machine
// model: events due at the same cycle happen in the order of these numbers, then of their kinds.
// So order depends on state alone, whatever the order in which events were scheduled. A source is
// scheduled by its EventPort.
class EventQueue {
 public:
  static constexpr int kKinds = 4;

  // `hz`: cycles in a guest second. `deadline`: moved nearer when an event is scheduled.
  EventQueue(uint64_t hz, alpha::Deadline& deadline) : hz_(hz), deadline_(deadline) {}

  // Takes the next number for a source, which must outlive the queue's use; nullptr: a source that
  // has no events, but a place in the saved state. Returns the number.
  int Add(EventTarget* source);

  uint64_t hz() const { return hz_; }

  // The cycle of the access or event that is being handled.
  uint64_t now() const { return now_; }
  void SetNow(uint64_t cycle) { now_ = cycle; }
  // The same, but time does not go back: of CPUs that run in turns one comes to where another has
  // been.
  void AdvanceTo(uint64_t cycle) { now_ = std::max(now_, cycle); }

  // Has the engine stop behind the access that is being handled, whatever time it is there: of
  // several CPUs one may be behind now().
  void StopEngine() { deadline_.MoveNearer(0); }

  // From now on has the engine stop as well behind an access that moves the earliest event farther
  // away: who has come to where it was can go on then.
  void StopWhereEventsMoveAway() { stops_where_events_move_away_ = true; }

  // The cycle of the earliest event, or kNever.
  uint64_t next() const { return next_; }

  // Takes the first event due at or before now() and tells its source. False when there is none.
  bool HandleNext();

  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  friend class EventPort;

  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  // A slot is kKinds times the number of the source, and the kind.
  void Schedule(size_t slot, uint64_t cycle);
  void Cancel(size_t slot);
  void FindNext();
  // After a change by a device.
  void Rearrange();

  uint64_t hz_;
  alpha::Deadline& deadline_;
  uint64_t now_ = 0;
  uint64_t next_ = kNever;
  bool stops_where_events_move_away_ = false;
  std::vector<EventTarget*> sources_;
  std::vector<uint64_t> due_;  // by slot
};

// One source's events, of kinds 0 to EventQueue::kKinds - 1, and the time. A device holds one and
// so gets its number where the board makes it.
class EventPort {
 public:
  EventPort(EventQueue& queue, EventTarget& source)
      : queue_(queue), first_(static_cast<size_t>(queue.Add(&source)) * EventQueue::kKinds) {}

  uint64_t hz() const { return queue_.hz(); }
  uint64_t now() const { return queue_.now(); }
  // Makes the event due at `cycle` (at once when that has passed).
  void Schedule(int kind, uint64_t cycle) { queue_.Schedule(Slot(kind), cycle); }
  void Cancel(int kind) { queue_.Cancel(Slot(kind)); }
  void StopEngine() { queue_.StopEngine(); }
  // kNever when it is not scheduled.
  uint64_t DueCycle(int kind) const { return queue_.due_[Slot(kind)]; }

 private:
  size_t Slot(int kind) const { return first_ + static_cast<size_t>(kind); }

  EventQueue& queue_;
  const size_t first_;
};

// The number of whole ticks of a clock of `tick_hz` that fit into `cycles` cycles of `hz`.
constexpr uint64_t CyclesToTicks(uint64_t cycles, uint64_t tick_hz, uint64_t hz) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(cycles) * tick_hz / hz);
}

// The first cycle at which `ticks` whole ticks have passed; kNever when no cycle has that number.
constexpr uint64_t TicksToCycles(uint64_t ticks, uint64_t tick_hz, uint64_t hz) {
  const auto cycles = (static_cast<unsigned __int128>(ticks) * hz + tick_hz - 1) / tick_hz;
  return cycles < kNever ? static_cast<uint64_t>(cycles) : kNever;
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_BUS_EVENT_QUEUE_H_
