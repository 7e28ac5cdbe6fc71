// Replaying: input comes from a log, and everything that happens is held against it.

#ifndef ISOCHRON_TIMELINE_REPLAYER_H_
#define ISOCHRON_TIMELINE_REPLAYER_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "machine/events/input.h"
#include "machine/events/observer.h"
#include "replaylog/event_history.h"
#include "replaylog/event_stream.h"

namespace isochron::timeline {

// The first event at which a run left its log.
struct Divergence {
  std::optional<replaylog::Event> expected;  // absent: the log has no further event
  replaylog::Event actual;                   // what happened instead, under the expected number
  // How many bytes of the expected output had been seen; they were equal.
  uint64_t bytes_equal = 0;
  std::deque<replaylog::Event> before;  // the last events of the log that did agree, oldest first
};

// Feeds a machine the inputs of a log and compares every event as it happens, console bytes
// one by one. The machine must have been made from the log's configuration and images.
//
// status() is Aborted after the first difference (see divergence()), what the source says
// when the log cannot be read, and DataLoss when it has more than replaylog::kMaxInputsPerCycle
// inputs at one input point, or more events between two stop points than any machine has. Where a
// partial log breaks off, the run is stopped at the next input point or stop point: see
// reached_end().
class Replayer final : public machine::Observer, public machine::InputSource {
 public:
  // Where a replay is in its log: what is still to come begins with the event of this number, of
  // which, if it is output, so many bytes have been seen, the last at that cycle.
  struct Place {
    uint64_t event = 0;
    size_t output_seen = 0;
    uint64_t output_cycle = 0;
  };

  // `source` must outlive the replayer. `clock_hz`: for messages.
  Replayer(replaylog::EventSource& source, uint64_t clock_hz)
      : source_(source), clock_hz_(clock_hz) {}
  // Goes on from `place`, at whose event the source stands.
  Replayer(replaylog::EventSource& source, uint64_t clock_hz, const Place& place)
      : source_(source),
        clock_hz_(clock_hz),
        next_number_(place.event),
        output_seen_(place.output_seen),
        output_cycle_(place.output_cycle) {}

  // Up to this cycle it is known that nothing happens behind where a partial log breaks off, so
  // that the run is stopped at the first point from there on.
  void SetKnownTo(uint64_t cycle) { known_to_ = cycle; }

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;
  uint64_t NextStop(uint64_t cycle, uint64_t until) override;
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override;
  std::optional<machine::Input> TakeDebugged(const machine::InputPoint& point) override;

  void On(const machine::Event& event) override;
  absl::Status status() const override { return status_; }

  const std::optional<Divergence>& divergence() const { return divergence_; }
  // The log's end event, once the run has reached it with everything equal.
  const std::optional<replaylog::Event>& end() const { return end_; }
  // Whether every event of the log has been seen: up to its end event, or to where a partial log
  // breaks off.
  bool reached_end() const { return end_.has_value() || BrokenOff(); }
  // Where it is. Of a stream that is still being made it waits for the next event.
  Place place();
  // Events that agreed so far.
  uint64_t events_compared() const { return events_compared_; }

 private:
  // The `index`th event that has not been seen yet, or nullptr past the end of the log.
  replaylog::Event* Peek(size_t index);
  // Takes a byte when it is the next of `expected`, the event at the front.
  bool TakeByte(const replaylog::Event& expected, uint64_t cycle, const machine::OutputEvent& byte);
  // The next event of the log has been seen.
  void Advance();
  // Whether nothing happens in the log up to `cycle` but the events in `ahead_`, of which there are
  // `known`.
  bool NothingMore(size_t known, uint64_t cycle);
  void RefuseInputs(const replaylog::Event& event);
  // Whether all of a partial log has been seen.
  bool BrokenOff() const { return exhausted_ && ahead_.empty(); }
  // Events that may lie between two stop points. A machine has fewer than half as many: an
  // interrupt takes 21 cycles, and nothing comes more often.
  static constexpr size_t kMaxAhead = 1 << 17;
  void Diverge(replaylog::Event actual);

  replaylog::EventSource& source_;
  const uint64_t clock_hz_;
  std::deque<replaylog::Event> ahead_;
  bool exhausted_ = false;
  uint64_t known_to_ = 0;     // what a log that breaks off does not tell of has come to
  uint64_t next_number_ = 0;  // of the event behind the last that has been taken from the source
  // Bytes of the run of output at the front of `ahead_` that have been seen, and the cycle at
  // which the next is due.
  size_t output_seen_ = 0;
  uint64_t output_cycle_ = 0;
  uint64_t events_compared_ = 0;
  replaylog::EventHistory history_;
  std::optional<replaylog::Event> end_;
  std::optional<Divergence> divergence_;
  absl::Status status_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_REPLAYER_H_
