#include "timeline/recorder.h"

#include <string>

#include "machine/events/planted_breaks.h"

namespace isochron::timeline {

void Recorder::OnInput(uint64_t cycle, const machine::Input& input) {
  const bool late = machine::Planted(machine::Break::kInputLate);
  Append(cycle + (late ? 1 : 0), 0, replaylog::InputEvent{input});
}

void Recorder::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  Append(cycle, 0,
         replaylog::OutputEvent{static_cast<uint8_t>(uart), std::string(1, static_cast<char>(byte)), {}});
}

void Recorder::OnInterrupt(int cpu, uint64_t cycle, uint64_t pending) {
  Append(cycle, cpu, replaylog::InterruptEvent{pending});
}

void Recorder::OnCheckpoint(uint64_t cycle, uint64_t instructions,
                            const machine::Digest& state) {
  Append(cycle, 0, replaylog::CheckpointEvent{instructions, state});
}

void Recorder::OnEnd(uint64_t cycle, uint64_t instructions, const machine::Digest& state,
                     const machine::RunEnd& end) {
  Append(cycle, 0, replaylog::EndEvent{end.kind, instructions, state});
}

}  // namespace isochron::timeline
