#include "timeline/replayer.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "machine/events/cycle_text.h"
#include "replaylog/codec.h"
#include "timeline/debugger_write.h"

namespace isochron::timeline {
namespace {

using machine::Input;

// Whether it may come at any boundary, and not at input points alone.
bool MayComeAnywhere(const replaylog::InputEvent& event) {
  return event.input.kind == machine::InputKind::kStop || IsDebuggerWrite(event);
}

// Whether a log has this event. Output never: it is compared byte by byte.
bool Same(const replaylog::Event& logged, const machine::Event& event) {
  if (logged.cycle != event.cycle || logged.cpu != event.cpu) return false;
  const auto same = [&logged]<typename Body>(const Body& body) {
    if constexpr (std::is_same_v<typename replaylog::Logged<Body>::Type, Body>) {
      const Body* expected = std::get_if<Body>(&logged.body);
      return expected != nullptr && *expected == body;
    }
    return false;
  };
  return std::visit(same, event.body);
}

}  // namespace

replaylog::Event* Replayer::Peek(size_t index) {
  while (ahead_.size() <= index && !exhausted_ && status_.ok()) {
    replaylog::Event event;
    absl::StatusOr<bool> more = source_.Next(event);
    if (!more.ok()) {
      status_ = more.status();
    } else if (!*more) {
      exhausted_ = true;
    } else {
      next_number_ = event.number + 1;
      if (!std::holds_alternative<replaylog::UnknownEvent>(event.body)) {
        ahead_.push_back(std::move(event));
      }
    }
  }
  return ahead_.size() > index ? &ahead_[index] : nullptr;
}

Replayer::Place Replayer::place() {
  const bool at_end = NothingMore(0, std::numeric_limits<uint64_t>::max() - 1);
  const replaylog::Event* const next = at_end ? nullptr : Peek(0);
  return {next != nullptr ? next->number : next_number_, output_seen_, output_cycle_};
}

bool Replayer::NothingMore(size_t known, uint64_t cycle) {
  return known == ahead_.size() && !exhausted_ && source_.NothingBefore(cycle + 1);
}

void Replayer::RefuseInputs(const replaylog::Event& event) {
  status_ = absl::DataLossError(absl::StrCat("event ", event.number, ": more than ",
                                             replaylog::kMaxInputsPerCycle, " inputs at cycle ",
                                             machine::WithSeconds(event.cycle, clock_hz_)));
}

void Replayer::Poll(const machine::InputPoint& point, std::vector<Input>& inputs) {
  for (size_t i = 0;; ++i) {
    if (NothingMore(i, point.cycle)) return;
    const replaylog::Event* event = Peek(i);
    if (event == nullptr) break;
    const auto* input = std::get_if<replaylog::InputEvent>(&event->body);
    if (input == nullptr || event->cycle != point.cycle || IsDebuggerWrite(*input)) break;
    if (i == replaylog::kMaxInputsPerCycle) {
      RefuseInputs(*event);
      break;
    }
    inputs.push_back(input->input);
  }
  if (BrokenOff() && point.cycle >= known_to_) {
    inputs.push_back(Input::Stop(machine::StopCause::kQuit));
  }
}

uint64_t Replayer::NextStop(uint64_t cycle, uint64_t until) {
  size_t inputs = 0;  // one after the other at one cycle
  for (size_t i = 0;; ++i) {
    if (NothingMore(i, until)) return until;
    const replaylog::Event* event = Peek(i);
    if (event == nullptr) return known_to_ > cycle ? std::min(known_to_, until) : until;
    if (event->cycle > until) return until;
    const auto* input = std::get_if<replaylog::InputEvent>(&event->body);
    if (input != nullptr && MayComeAnywhere(*input)) {
      // A lying log may have it where the run has been.
      return event->cycle >= cycle ? event->cycle : until;
    }
    const bool more = input != nullptr && inputs > 0 && ahead_[i - 1].cycle == event->cycle;
    inputs = input == nullptr ? 0 : more ? inputs + 1 : 1;
    if (inputs > replaylog::kMaxInputsPerCycle) {
      RefuseInputs(*event);
      return until;
    }
    if (i == kMaxAhead) {
      status_ = absl::DataLossError(absl::StrCat(
          "event ", event->number, ": more than ", kMaxAhead, " events from cycle ",
          machine::WithSeconds(cycle, clock_hz_), " to ", machine::WithSeconds(until, clock_hz_)));
      return until;
    }
  }
}

std::optional<Input> Replayer::TakeStop(const machine::InputPoint& point, Occasion /*occasion*/) {
  if (NothingMore(0, point.cycle)) return std::nullopt;
  const replaylog::Event* event = Peek(0);
  if (BrokenOff()) {
    if (point.cycle < known_to_) return std::nullopt;
    return Input::Stop(machine::StopCause::kQuit);
  }
  if (event == nullptr || event->cycle != point.cycle) return std::nullopt;
  const auto* input = std::get_if<replaylog::InputEvent>(&event->body);
  if (input == nullptr || input->input.kind != machine::InputKind::kStop) return std::nullopt;
  return input->input;
}

std::optional<Input> Replayer::TakeDebugged(const machine::InputPoint& point) {
  if (!status_.ok() || NothingMore(0, point.cycle)) return std::nullopt;
  const replaylog::Event* event = Peek(0);
  if (event == nullptr || event->cycle != point.cycle) return std::nullopt;
  const auto* input = std::get_if<replaylog::InputEvent>(&event->body);
  if (input == nullptr || !MayComeAnywhere(*input)) return std::nullopt;
  Input taken = input->input;
  taken.cpu = event->cpu;
  return taken;
}

void Replayer::Advance() {
  replaylog::Event& event = ahead_.front();
  ++events_compared_;
  if (std::holds_alternative<replaylog::EndEvent>(event.body)) end_ = event;
  history_.Add(std::move(event));
  ahead_.pop_front();
  output_seen_ = 0;
}

void Replayer::Diverge(replaylog::Event actual) {
  Divergence divergence;
  if (const replaylog::Event* expected = Peek(0)) {
    divergence.expected = *expected;
    actual.number = expected->number;
  }
  divergence.actual = std::move(actual);
  divergence.bytes_equal = output_seen_;
  divergence.before = history_.events();
  status_ = absl::AbortedError(
      absl::StrCat("the run differs from the log at event ", divergence.actual.number, ", cycle ",
                   machine::WithSeconds(divergence.actual.cycle, clock_hz_)));
  divergence_ = std::move(divergence);
}

bool Replayer::TakeByte(const replaylog::Event& expected, uint64_t cycle,
                        const machine::OutputEvent& byte) {
  const auto* output = std::get_if<replaylog::OutputRun>(&expected.body);
  if (output == nullptr) return false;
  const uint64_t due =
      output_seen_ == 0 ? expected.cycle : output_cycle_ + output->deltas[output_seen_ - 1];
  if (output->uart != byte.uart || due != cycle ||
      static_cast<uint8_t>(output->bytes[output_seen_]) != byte.byte) {
    return false;
  }
  output_cycle_ = cycle;
  if (++output_seen_ == output->bytes.size()) Advance();
  return true;
}

void Replayer::On(const machine::Event& event) {
  const bool is_input = std::holds_alternative<machine::InputEvent>(event.body);
  if (is_input && BrokenOff()) return;  // our own stop at the end of a partial log
  if (!status_.ok()) return;
  const replaylog::Event* expected = Peek(0);
  if (!status_.ok()) return;
  if (expected == nullptr && !end_ && event.cycle >= known_to_) return;  // beyond a partial log
  if (expected != nullptr) {
    const auto* byte = std::get_if<machine::OutputEvent>(&event.body);
    if (byte != nullptr && TakeByte(*expected, event.cycle, *byte)) return;
    if (Same(*expected, event)) return Advance();
  }
  if (expected == nullptr && !end_) {
    status_ = absl::DataLossError(absl::StrCat("the recording does not tell of cycle ",
                                               machine::WithSeconds(event.cycle, clock_hz_),
                                               "; is --known-to right?"));
    return;
  }
  Diverge(replaylog::ToLogEvent(event));
}

}  // namespace isochron::timeline
