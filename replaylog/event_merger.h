// Makes whole events of what the machine reports byte by byte.

#ifndef ISOCHRON_REPLAYLOG_EVENT_MERGER_H_
#define ISOCHRON_REPLAYLOG_EVENT_MERGER_H_

#include <cstdint>
#include <optional>

#include "replaylog/event.h"

namespace isochron::replaylog {

// Joins output of one UART to runs and numbers the events. Output may come byte by byte, as from
// the machine, or as the runs of a log: recorder and replayer see the events of the log, and a
// log that is read and written again does not change.
class EventMerger {
 public:
  // What an event completes: a run of output before it, and itself unless it is output, which is
  // kept.
  struct Completed {
    std::optional<Event> run;
    std::optional<uint64_t> number;  // that the event gets
  };
  // Takes the next of a run's events, whose own number is ignored; cycles must not go back.
  Completed Add(const Event& event);

  // The run that is still open: at the end of a stream, or where one wants to look at it now.
  std::optional<Event> Flush();
  // Whether there is one.
  bool has_open_run() const { return run_.has_value(); }

  // The number that the next completed event gets.
  uint64_t next_number() const { return next_number_; }

 private:
  bool Joins(const Event& event) const;

  uint64_t next_number_ = 0;
  std::optional<Event> run_;
  uint64_t run_end_cycle_ = 0;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_EVENT_MERGER_H_
