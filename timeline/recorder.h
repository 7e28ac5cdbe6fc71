// Recording: what the sequencer tells becomes events.

#ifndef ISOCHRON_TIMELINE_RECORDER_H_
#define ISOCHRON_TIMELINE_RECORDER_H_

#include <cstdint>

#include "machine/events/observer.h"
#include "replaylog/event_stream.h"

namespace isochron::timeline {

// Turns a run into a stream of events.
class Recorder final : public machine::Observer {
 public:
  // `sink` must outlive the recorder.
  explicit Recorder(replaylog::EventSink& sink) : sink_(sink) {}

  void OnInput(uint64_t cycle, const machine::Input& input) override;
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void OnInterrupt(int cpu, uint64_t cycle, uint64_t pending) override;
  void OnCheckpoint(uint64_t cycle, uint64_t instructions,
                    const machine::Digest& state) override;
  void OnEnd(uint64_t cycle, uint64_t instructions, const machine::Digest& state,
             const machine::RunEnd& end) override;
  absl::Status status() const override { return sink_.status(); }

 private:
  template <typename Body>
  void Append(uint64_t cycle, int cpu, Body body) {
    sink_.Append(replaylog::Event{0, cycle, static_cast<uint8_t>(cpu), std::move(body)});
  }

  replaylog::EventSink& sink_;
};

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_RECORDER_H_
