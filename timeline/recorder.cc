#include "timeline/recorder.h"

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
  replaylog::ToLogEvent(event, logged_);
  if (machine::Planted(machine::Break::kInputLate) && logged_.is_input()) ++logged_.cycle;
  sink_.Append(logged_);
}

}  // namespace isochron::timeline
