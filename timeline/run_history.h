// The events of a run that is being made, for who goes back in it.

#ifndef ISOCHRON_TIMELINE_RUN_HISTORY_H_
#define ISOCHRON_TIMELINE_RUN_HISTORY_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "machine/events/observer.h"
#include "replaylog/codec.h"
#include "replaylog/event_merger.h"
#include "replaylog/event_stream.h"
#include "timeline/replayer.h"

namespace isochron::timeline {

// Keeps them in memory, as a log would have them and encoded likewise, within a number of bytes. A
// run whose events come to more has no history: all are dropped then, and only counted.
class RunHistory final : public machine::Observer {
 public:
  explicit RunHistory(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  void On(const machine::Event& event) override {
    replaylog::ToLogEvent(event, logged_);
    Append(logged_);
  }
  // Always OK: a run does not end for its history, of which error() tells.
  absl::Status status() const override { return absl::OkStatus(); }
  // The next event, as a log has it; its number is ignored.
  void Append(const replaylog::Event& event);

  // FailedPrecondition once there is none any more, with a reason for people.
  const absl::Status& error() const { return error_; }
  // How many events there are; output that may still grow is one.
  uint64_t events() const { return merger_.next_number() + (merger_.has_open_run() ? 1 : 0); }
  // How many readers have decoded, which is what going back costs beside the run itself.
  uint64_t events_decoded() const { return events_decoded_; }
  // Host memory in use.
  uint64_t bytes() const { return kept_bytes_ + encoder_.bytes().size(); }

  // Reads the events that there are when it is created or made to seek. The history must outlive
  // it.
  std::unique_ptr<replaylog::SeekableSource> NewReader() const;
  // Where a replay is in these events that stands at a boundary of this cycle and was at `place`
  // when the history was shorter: output may have grown since.
  absl::StatusOr<Replayer::Place> PlaceNow(const Replayer::Place& place, uint64_t cycle) const;

 private:
  class Reader;
  struct Frame {
    replaylog::FrameStart start;
    std::string content;
  };

  void Encode(const replaylog::Event& event);
  void GiveUp(absl::Status why);

  const uint64_t max_bytes_;
  absl::Status error_;
  replaylog::EventMerger merger_;
  replaylog::FrameEncoder encoder_;
  replaylog::Event logged_;   // the last one that the machine told of
  std::deque<Frame> frames_;  // those that are complete
  uint64_t kept_bytes_ = 0;   // of them
  mutable uint64_t events_decoded_ = 0;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_RUN_HISTORY_H_
