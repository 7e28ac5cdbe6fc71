#include "replaylog/event_merger.h"

#include <utility>

#include "replaylog/codec.h"

namespace isochron::replaylog {

bool EventMerger::Joins(const Event& event) const {
  const OutputRun* output = std::get_if<OutputRun>(&event.body);
  if (!run_ || output == nullptr || event.cpu != run_->cpu) return false;
  const OutputRun& run = std::get<OutputRun>(run_->body);
  return run.uart == output->uart && run.bytes.size() + output->bytes.size() <= kMaxOutputRun;
}

EventMerger::Completed EventMerger::Add(const Event& event) {
  Completed completed;
  if (Joins(event)) {
    const OutputRun& output = std::get<OutputRun>(event.body);
    OutputRun& run = std::get<OutputRun>(run_->body);
    run.bytes += output.bytes;
    run.deltas.push_back(event.cycle - run_end_cycle_);
    run.deltas.insert(run.deltas.end(), output.deltas.begin(), output.deltas.end());
    run_end_cycle_ = event.last_cycle();
    return completed;
  }
  completed.run = Flush();
  if (std::holds_alternative<OutputRun>(event.body)) {
    run_end_cycle_ = event.last_cycle();
    run_ = event;
  } else {
    completed.number = next_number_++;
  }
  return completed;
}

std::optional<Event> EventMerger::Flush() {
  if (run_) run_->number = next_number_++;
  return std::exchange(run_, std::nullopt);
}

}  // namespace isochron::replaylog
