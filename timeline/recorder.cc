#include "timeline/recorder.h"

#include <variant>

#include "machine/events/planted_breaks.h"

namespace isochron::timeline {

void Recorder::On(const machine::Event& event) {
  if (machine::Planted(machine::Break::kInputLate) &&
      std::holds_alternative<machine::InputEvent>(event.body)) {
    machine::Event late = event;
    ++late.cycle;
    return sink_.Append(replaylog::ToLogEvent(late));
  }
  sink_.Append(replaylog::ToLogEvent(event));
}

}  // namespace isochron::timeline
