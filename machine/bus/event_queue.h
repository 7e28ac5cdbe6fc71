// Machine time and what is due when.

#ifndef ISOCHRON_MACHINE_BUS_EVENT_QUEUE_H_
#define ISOCHRON_MACHINE_BUS_EVENT_QUEUE_H_

#include <array>
#include <cstdint>
#include <limits>

#include "alpha/engine.h"
#include "alpha/state_visitor.h"

namespace isochron::machine {

inline constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// Who an event belongs to. The numbers are part of the machine model: events due at the same
// cycle happen in the order of these numbers, then of their kinds.
enum class DeviceId : uint8_t {
  kCchip = 0,
  kPchip0 = 1,
  kPics = 2,
  kPit = 3,
  kRtc = 4,
  kUart0 = 5,
  kUart1 = 6,
  kPlatform = 7,
  kSequencer = 8,
  kCount = 9,
};

// A named slot in the event queue: at most one event is pending in it.
struct EventSlot {
  DeviceId device;
  uint8_t kind;  // below EventQueue::kKinds
};

// Holds at most one due cycle for each (device, kind). Scheduling again replaces.
//
// Order depends on state alone: Pop returns the due event with the least (cycle, device,
// kind), whatever the order in which events were scheduled.
class EventQueue {
 public:
  static constexpr int kKinds = 4;

  // `hz`: cycles in a guest second. `deadline`: moved nearer when an event is scheduled.
  EventQueue(uint64_t hz, alpha::Deadline& deadline) : hz_(hz), deadline_(deadline) {
    due_.fill(kNever);
  }

  uint64_t hz() const { return hz_; }

  // The cycle of the access or event that is being handled.
  uint64_t now() const { return now_; }
  void SetNow(uint64_t cycle) { now_ = cycle; }

  // Makes the event due at `cycle` (at once when that has passed).
  void Schedule(EventSlot slot, uint64_t cycle);
  void Cancel(EventSlot slot);
  uint64_t DueCycle(EventSlot slot) const { return due_[Index(slot)]; }

  // The cycle of the earliest event, or kNever.
  uint64_t next() const { return next_; }

  // Takes the first event due at or before now(). False when there is none.
  bool PopDue(EventSlot& slot);

  void VisitState(alpha::StateVisitor& visitor) const;
  void RestoreState(alpha::StateReader& reader);

 private:
  template <typename Visitor, typename Self>
  static void Walk(Visitor& visitor, Self& self);

  static size_t Index(EventSlot slot) {
    return static_cast<size_t>(slot.device) * kKinds + slot.kind;
  }
  void FindNext();

  uint64_t hz_;
  alpha::Deadline& deadline_;
  uint64_t now_ = 0;
  uint64_t next_ = kNever;
  std::array<uint64_t, static_cast<size_t>(DeviceId::kCount) * kKinds> due_;
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
