#include "timeline/recorder.h"

#include <variant>

#include "machine/events/event.h"
#include "machine/events/planted_breaks.h"
#include "machine/firmware/firmware.h"

namespace isochron::timeline {

replaylog::LogHeader HeaderOf(const machine::MachineConfig& config) {
  replaylog::LogHeader header;
  header.model_version = machine::kModelVersion;
  header.palcode = machine::PalcodeDigest();
  header.config = config;
  if (config.has_disk_console()) header.disk_console = machine::DiskConsoleDigest();
  return header;
}

void Recorder::On(const machine::Event& event) {
  if (machine::Planted(machine::Break::kInputLate) &&
      std::holds_alternative<machine::InputEvent>(event.body)) {
    machine::Event late = event;
    ++late.cycle;
    return sink_.Append(replaylog::ToLogEvent(late));
  }
  replaylog::ToLogEvent(event, logged_);
  sink_.Append(logged_);
}

}  // namespace isochron::timeline
