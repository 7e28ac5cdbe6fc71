// The two ends of a stream of events, whether a file or another engine is between them.

#ifndef ISOCHRON_REPLAYLOG_EVENT_STREAM_H_
#define ISOCHRON_REPLAYLOG_EVENT_STREAM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/event.h"

namespace isochron::replaylog {

// Where events go, in order.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Takes an event, whose number is ignored. Without effect once status() is not OK.
  virtual void Append(const Event& event) = 0;
  // OK as long as events can be taken. Cheap enough to ask at every boundary.
  virtual absl::Status status() const = 0;
};

// Where events come from, in order.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Moves the next event to `event`. False at the end of the stream.
  virtual absl::StatusOr<bool> Next(Event& event) = 0;
  // Of a stream that is still being made: waits until its next event is there (false) or is known
  // to be at or past `cycle` (true), so that nobody waits for what is far away.
  virtual bool NothingBefore(uint64_t /*cycle*/) { return false; }
};

// One that can be read from anywhere in it.
class SeekableSource : public EventSource {
 public:
  // Makes Next() go on with the event of this number; at the end of the stream if there is none.
  virtual absl::Status SeekToEvent(uint64_t number) = 0;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_EVENT_STREAM_H_
