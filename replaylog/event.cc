#include "replaylog/event.h"

#include <numeric>

namespace isochron::replaylog {
namespace {

struct SetBody {
  template <typename Body>
  void operator()(const Body& body) const {
    logged = body;
  }
  void operator()(const machine::OutputEvent& output) const {
    logged = OutputRun{output.uart, std::string(1, static_cast<char>(output.byte)), {}};
  }

  decltype(Event::body)& logged;
};

}  // namespace

uint64_t Event::last_cycle() const {
  const OutputRun* output = std::get_if<OutputRun>(&body);
  if (output == nullptr) return cycle;
  return std::accumulate(output->deltas.begin(), output->deltas.end(), cycle);
}

Event ToLogEvent(const machine::Event& event) {
  Event logged;
  ToLogEvent(event, logged);
  return logged;
}

void ToLogEvent(const machine::Event& event, Event& logged) {
  logged.cycle = event.cycle;
  logged.cpu = event.cpu;
  std::visit(SetBody{logged.body}, event.body);
}

}  // namespace isochron::replaylog
