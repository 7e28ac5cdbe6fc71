#include "replaylog/event.h"

#include <numeric>

namespace isochron::replaylog {

bool operator==(const InputEvent& a, const InputEvent& b) {
  if (a.input.kind != b.input.kind) return false;
  switch (a.input.kind) {
    case machine::InputKind::kBytes:
      return a.input.port == b.input.port && a.input.bytes == b.input.bytes;
    case machine::InputKind::kBreak:
      return a.input.port == b.input.port;
    case machine::InputKind::kStop:
      return a.input.cause == b.input.cause && a.input.detail == b.input.detail;
  }
  return false;
}

uint64_t Event::last_cycle() const {
  const OutputEvent* output = std::get_if<OutputEvent>(&body);
  if (output == nullptr) return cycle;
  return std::accumulate(output->deltas.begin(), output->deltas.end(), cycle);
}

}  // namespace isochron::replaylog
