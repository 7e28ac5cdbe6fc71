#include "replaylog/event.h"

#include <numeric>

namespace isochron::replaylog {
namespace {

// Makes the event where it is to be: nothing is moved or made twice, for guests make millions in a
// second.
struct MakeLogEvent {
  template <typename Body>
  Event operator()(const Body& body) const {
    return {0, event.cycle, event.cpu, body};
  }
  Event operator()(const machine::OutputEvent& output) const {
    return {0, event.cycle, event.cpu,
            OutputRun{output.uart, std::string(1, static_cast<char>(output.byte)), {}}};
  }

  const machine::Event& event;
};

}  // namespace

uint64_t Event::last_cycle() const {
  const OutputRun* output = std::get_if<OutputRun>(&body);
  if (output == nullptr) return cycle;
  return std::accumulate(output->deltas.begin(), output->deltas.end(), cycle);
}

Event ToLogEvent(const machine::Event& event) {
  return std::visit(MakeLogEvent{event}, event.body);
}

}  // namespace isochron::replaylog
