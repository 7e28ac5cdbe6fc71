// What reports say came before.

#ifndef ISOCHRON_REPLAYLOG_EVENT_HISTORY_H_
#define ISOCHRON_REPLAYLOG_EVENT_HISTORY_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "replaylog/event.h"

namespace isochron::replaylog {

// The last events seen.
class EventHistory {
 public:
  explicit EventHistory(size_t limit = 16) : limit_(limit) {}
  void Add(Event event) {
    events_.push_back(std::move(event));
    if (events_.size() > limit_) events_.pop_front();
  }
  // The oldest first.
  const std::deque<Event>& events() const { return events_; }

 private:
  size_t limit_;
  std::deque<Event> events_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_EVENT_HISTORY_H_
