#include "replaylog/event.h"

#include <numeric>

namespace isochron::replaylog {
namespace {

struct ToLogBody {
  template <typename Body>
  void operator()(const Body& body) const {
    event.body = body;
  }
  void operator()(const machine::OutputEvent& output) const {
    event.body = OutputRun{output.uart, std::string(1, static_cast<char>(output.byte)), {}};
  }

  Event& event;
};

}  // namespace

uint64_t Event::last_cycle() const {
  const OutputRun* output = std::get_if<OutputRun>(&body);
  if (output == nullptr) return cycle;
  return std::accumulate(output->deltas.begin(), output->deltas.end(), cycle);
}

Event ToLogEvent(const machine::Event& event) {
  Event logged{0, event.cycle, event.cpu, {}};
  std::visit(ToLogBody{logged}, event.body);
  return logged;
}

}  // namespace isochron::replaylog
