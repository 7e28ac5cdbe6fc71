#include "machine/bus/event_queue.h"

#include <algorithm>
#include <span>

namespace isochron::machine {

int EventQueue::Add(EventTarget* source) {
  sources_.push_back(source);
  due_.resize(due_.size() + kKinds, kNever);
  return static_cast<int>(sources_.size()) - 1;
}

void EventQueue::Schedule(size_t slot, uint64_t cycle) {
  due_[slot] = cycle;
  Rearrange();
  deadline_.MoveNearer(cycle);
}

void EventQueue::Cancel(size_t slot) {
  due_[slot] = kNever;
  Rearrange();
}

void EventQueue::Rearrange() {
  const uint64_t before = next_;
  FindNext();
  if (stops_where_events_move_away_ && next_ > before) StopEngine();
}

bool EventQueue::HandleNext() {
  if (next_ > now_) return false;
  const auto first = std::min_element(due_.begin(), due_.end());
  const auto slot = static_cast<size_t>(first - due_.begin());
  *first = kNever;
  FindNext();
  EventTarget* const source = sources_[slot / kKinds];
  if (source != nullptr) source->OnEvent(static_cast<int>(slot % kKinds));
  return true;
}

void EventQueue::FindNext() {
  next_ = due_.empty() ? kNever : *std::min_element(due_.begin(), due_.end());
}

template <typename Visitor, typename Self>
void EventQueue::Walk(Visitor& visitor, Self& self) {
  visitor.Section("events");
  visitor.Field("now", self.now_);
  visitor.Field("due", std::span(self.due_));
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
