#include "machine/bus/event_queue.h"

#include <algorithm>

namespace isochron::machine {

void EventQueue::Schedule(EventSlot slot, uint64_t cycle) {
  due_[Index(slot)] = cycle;
  FindNext();
  deadline_.MoveNearer(cycle);
}

void EventQueue::Cancel(EventSlot slot) {
  due_[Index(slot)] = kNever;
  FindNext();
}

bool EventQueue::PopDue(EventSlot& slot) {
  if (next_ > now_) return false;
  const auto first = std::min_element(due_.begin(), due_.end());
  const auto index = first - due_.begin();
  slot.device = static_cast<DeviceId>(index / kKinds);
  slot.kind = static_cast<uint8_t>(index % kKinds);
  *first = kNever;
  FindNext();
  return true;
}

void EventQueue::FindNext() { next_ = *std::min_element(due_.begin(), due_.end()); }

template <typename Visitor, typename Self>
void EventQueue::Walk(Visitor& visitor, Self& self) {
  visitor.Section("events");
  visitor.Field("now", self.now_);
  visitor.Field("due", self.due_);
}

void EventQueue::VisitState(alpha::StateVisitor& visitor) const { Walk(visitor, *this); }

void EventQueue::RestoreState(alpha::StateReader& reader) {
  Walk(reader, *this);
  FindNext();
  // All of the past has happened when a state is saved. A device that finds itself far behind
  // would catch up event by event.
  if (next_ < now_) reader.Fail("an event is due in the past");
}

}  // namespace isochron::machine
