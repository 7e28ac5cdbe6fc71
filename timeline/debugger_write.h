// What a debugger wrote, in a log.

#ifndef ISOCHRON_TIMELINE_DEBUGGER_WRITE_H_
#define ISOCHRON_TIMELINE_DEBUGGER_WRITE_H_

#include <variant>

#include "machine/events/input.h"
#include "replaylog/event.h"

namespace isochron::timeline {

// Whether it is what a debugger wrote, which comes when all else of a boundary has happened.
inline bool IsDebuggerWrite(const replaylog::InputEvent& event) {
  return event.input.kind == machine::InputKind::kWrite;
}
inline bool IsDebuggerWrite(const replaylog::Event& event) {
  const auto* const input = std::get_if<replaylog::InputEvent>(&event.body);
  return input != nullptr && IsDebuggerWrite(*input);
}

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_DEBUGGER_WRITE_H_
