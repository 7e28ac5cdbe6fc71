#include "timeline/recorder.h"

#include <utility>

#include "machine/events/planted_breaks.h"

namespace isochron::timeline {

void Recorder::On(const machine::Event& event) {
  replaylog::Event logged = replaylog::ToLogEvent(event);
  if (machine::Planted(machine::Break::kInputLate) && logged.is_input()) ++logged.cycle;
  sink_.Append(std::move(logged));
}

}  // namespace isochron::timeline
