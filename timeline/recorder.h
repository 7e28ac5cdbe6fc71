// Recording: what the sequencer tells becomes events.

#ifndef ISOCHRON_TIMELINE_RECORDER_H_
#define ISOCHRON_TIMELINE_RECORDER_H_

#include "machine/events/config.h"
#include "machine/events/observer.h"
#include "replaylog/event.h"
#include "replaylog/event_stream.h"

namespace isochron::timeline {

// The header of a log of such a machine, without its images.
replaylog::LogHeader HeaderOf(const machine::MachineConfig& config);

// Turns a run into a stream of events.
class Recorder final : public machine::Observer {
 public:
  // `sink` must outlive the recorder.
  explicit Recorder(replaylog::EventSink& sink) : sink_(sink) {}

  void On(const machine::Event& event) override;
  absl::Status status() const override { return sink_.status(); }

 private:
  replaylog::EventSink& sink_;
  replaylog::Event logged_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_RECORDER_H_
