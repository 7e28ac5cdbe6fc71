#include "replaylog/recorder.h"

#include <string>

#include "machine/planted_breaks.h"

namespace isochron::replaylog {

void Recorder::OnInput(uint64_t cycle, const machine::Input& input) {
  const bool late = machine::Planted(machine::Break::kInputLate);
  Append(cycle + (late ? 1 : 0), 0, InputEvent{input});
}

void Recorder::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  Append(cycle, 0,
         OutputEvent{static_cast<uint8_t>(uart), std::string(1, static_cast<char>(byte)), {}});
}

void Recorder::OnInterrupt(int cpu, uint64_t cycle, uint64_t pending) {
  Append(cycle, cpu, InterruptEvent{pending});
}

void Recorder::OnCheckpoint(uint64_t cycle, uint64_t instructions,
                            const machine::Digest& state) {
  Append(cycle, 0, CheckpointEvent{instructions, state});
}

void Recorder::OnEnd(uint64_t cycle, uint64_t instructions, const machine::Digest& state,
                     const machine::RunEnd& end) {
  Append(cycle, 0, EndEvent{end.kind, instructions, state});
}

}  // namespace isochron::replaylog
