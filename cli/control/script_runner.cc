#include "cli/control/script_runner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "machine/events/cycle_text.h"

namespace isochron::cli {
namespace {

constexpr size_t kMaxShownLine = 200;

}  // namespace

ScriptRunner::ScriptRunner(std::vector<ScriptCommand> commands, uint64_t clock_hz,
                           uint64_t start_cycle)
    : clock_hz_(clock_hz), commands_(std::move(commands)) {
  Begin(start_cycle);
}

bool ScriptRunner::Expecting() const {
  return !done() && commands_[next_].kind == ScriptCommand::Kind::kExpect;
}

std::optional<size_t> ScriptRunner::SearchOutput(size_t start) {
  const ScriptCommand& command = commands_[next_];
  const Stream& stream = expected();
  const std::string_view output = std::string_view(stream.output).substr(start);
  if (command.is_regex) {
    regex_ = *RegexMatcher::Create(command.text, command.ignore_case);  // the parser has tried it
    regex_->Start(start == 0 ? stream.before : stream.output[start - 1]);
    const std::optional<size_t> size = regex_->Feed(output);
    return size.has_value() ? std::optional(start + *size) : std::nullopt;
  }
  matcher_ = StreamMatcher(command.text);
  for (size_t i = 0; i < output.size(); ++i) {
    if (matcher_.Feed(output[i])) return start + i + 1;
  }
  return std::nullopt;
}

void ScriptRunner::Begin(uint64_t cycle) {
  pending_.clear();
  std::array<size_t, 2> matched_bytes = {};  // of the UARTs' output
  while (!done()) {
    const uint64_t within = commands_[next_].cycles;
    deadline_ = cycle + std::min(within, std::numeric_limits<uint64_t>::max() - cycle);
    if (!Expecting()) break;
    Stream& stream = expected();
    size_t& matched = matched_bytes[commands_[next_].uart];
    const std::optional<size_t> end = SearchOutput(matched);
    if (!end.has_value()) break;
    CountDone({"", cycle, stream.output.substr(matched, *end - matched), Groups()});
    matched = *end;
  }
  for (size_t uart = 0; uart < streams_.size(); ++uart) {
    DropOutput(streams_[uart], matched_bytes[uart]);
  }
}

void ScriptRunner::DropOutput(Stream& stream, size_t size) {
  if (size == 0) return;
  stream.before = stream.output[size - 1];
  stream.output.erase(0, size);
}

std::vector<std::optional<std::string>> ScriptRunner::Groups() const {
  if (!Searching()) return {};
  return regex_->Groups();
}

void ScriptRunner::CountDone(const CommandResult& result) {
  const size_t done = next_++;
  if (source_ != nullptr) source_->OnDone(commands_[done], result);
}

bool ScriptRunner::FetchCommand(const machine::InputPoint& point) {
  if (source_ == nullptr) return false;
  std::optional<ScriptCommand> command = source_->Next(point);
  if (!command.has_value()) return false;
  commands_ = {*std::move(command)};
  next_ = 0;
  Begin(point.cycle);
  return true;
}

void ScriptRunner::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  if (done() && source_ == nullptr) return;
  NoteLastLine(streams_[uart], static_cast<char>(byte));
  Take(uart, cycle, static_cast<char>(byte));
}

void ScriptRunner::Take(int uart, uint64_t cycle, char byte) {
  Stream& stream = streams_[uart];
  // What follows a match may look at the other UART, and then sees this byte come.
  if (cycle > deadline_ || pending_.size() == kMaxPending || stream.output.size() == kMaxOutput ||
      !ExpectingFrom(uart)) {
    Search();
  }
  if (stream.output.size() == kMaxOutput) DropOutput(stream, kMaxOutput / 2);
  stream.output.push_back(byte);
  // Too late: the next input point says so.
  if (!ExpectingFrom(uart) || cycle > deadline_) return;
  if (Searching()) {
    pending_.push_back(cycle);
    return;
  }
  if (!matcher_.Feed(byte)) return;
  CountDone({"", cycle, stream.output});
  DropOutput(stream, stream.output.size());
  Begin(cycle);
}

void ScriptRunner::Search() {
  while (Searching() && !pending_.empty()) {
    const int uart = commands_[next_].uart;
    Stream& stream = streams_[uart];
    std::string& output = stream.output;
    // Nothing that came too late is pending.
    const size_t start = output.size() - pending_.size();
    const std::optional<size_t> size = regex_->Feed(std::string_view(output).substr(start));
    if (!size.has_value()) {
      pending_.clear();
      return;
    }
    const std::vector<uint64_t> cycles(pending_.begin() + *size, pending_.end());
    const std::string rest = output.substr(start + *size);
    const uint64_t cycle = pending_[*size - 1];
    output.resize(start + *size);
    CountDone({"", cycle, output, Groups()});
    DropOutput(stream, output.size());
    Begin(cycle);
    for (size_t i = 0; i < rest.size(); ++i) Take(uart, cycles[i], rest[i]);
  }
}

void ScriptRunner::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  Obey(point, /*may_send=*/true, inputs);
}

uint64_t ScriptRunner::NextStop(uint64_t cycle, uint64_t until) {
  Search();
  // What is due already is done at the next of those points.
  const auto at = [&](uint64_t due) {
    return machine::NextStopOfLimit(std::max(due, cycle + 1), cycle, until);
  };
  if (done()) return source_ == nullptr ? until : at(cycle);
  using Kind = ScriptCommand::Kind;
  const ScriptCommand& command = commands_[next_];
  switch (command.kind) {
    case Kind::kExpect:
      return deadline_ == std::numeric_limits<uint64_t>::max() ? until : at(deadline_ + 1);
    case Kind::kRun: return at(deadline_);
    case Kind::kStop: return at(command.cycles);
    default: return until;
  }
}

std::optional<machine::Input> ScriptRunner::TakeStop(const machine::InputPoint& point,
                                                     Occasion occasion) {
  if (occasion == Occasion::kRequest) return std::nullopt;
  std::vector<machine::Input> inputs;
  Obey(point, /*may_send=*/false, inputs);
  if (inputs.empty()) return std::nullopt;
  return std::move(inputs.front());
}

void ScriptRunner::Obey(const machine::InputPoint& point, bool may_send,
                        std::vector<machine::Input>& inputs) {
  Search();
  size_t joined = 0;  // what `inputs` become once bytes that follow one another are joined
  while (joined < kMaxInputs && (!done() || FetchCommand(point))) {
    if (done()) continue;  // an `expect` that was met at once
    const ScriptCommand& command = commands_[next_];
    const size_t before = inputs.size();
    switch (command.kind) {
      case ScriptCommand::Kind::kExpect:
        if (point.cycle <= deadline_) return;
        if (source_ == nullptr) {
          inputs.push_back(machine::Input::Stop(machine::StopCause::kExpectFailed, command.line));
        }
        Fail(point.cycle,
             absl::StrCat("was not met within ", machine::CyclesText(command.cycles, clock_hz_)));
        continue;
      case ScriptCommand::Kind::kRun:
        if (point.cycle >= deadline_) break;
        if (source_ != nullptr && command.cycles == ScriptCommand::kEndless)
          source_->OnEndlessRun();
        return;
      case ScriptCommand::Kind::kSendAt:
      case ScriptCommand::Kind::kSend:
        if (!may_send || point.cycle < command.cycles) return;
        inputs.push_back(machine::Input::Bytes(machine::Port::Uart(command.uart), command.text));
        break;
      case ScriptCommand::Kind::kSendBreak:
        if (!may_send || point.cycle < command.cycles) return;
        inputs.push_back(machine::Input::Break(machine::Port::Uart(command.uart)));
        break;
      case ScriptCommand::Kind::kStop:
        if (point.cycle < command.cycles) return;
        inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
        if (source_ != nullptr) source_->OnDone(command, {"", point.cycle, ""});
        next_ = commands_.size();
        return;
      case ScriptCommand::Kind::kSnapshot:
      case ScriptCommand::Kind::kSave:
      case ScriptCommand::Kind::kStats:
      case ScriptCommand::Kind::kPeek:
      case ScriptCommand::Kind::kInspect: break;  // the source's own affair
    }
    const bool sent_last = inputs.size() > before;
    if (sent_last && (before == 0 || !inputs[before - 1].Joins(inputs[before]))) ++joined;
    CountDone({"", point.cycle, ""});
    Begin(point.cycle);
  }
}

void ScriptRunner::NoteLastLine(Stream& stream, char byte) {
  if (byte == '\n') {
    if (!stream.line.empty()) stream.last_line = std::exchange(stream.line, {});
  } else if (byte != '\r' && stream.line.size() < kMaxShownLine) {
    stream.line.push_back(byte);
  }
}

bool ScriptRunner::NoteGuestEnd(uint64_t cycle) {
  Search();
  for (; !done(); ++next_) {
    if (!Expecting()) {
      if (source_ != nullptr) source_->OnDone(commands_[next_], {"", cycle, ""});
      continue;
    }
    Fail(cycle, "was not met before the guest ended");
    return source_ != nullptr;
  }
  return true;
}

std::string ScriptRunner::DescribeFailure(const ScriptCommand& command,
                                          std::string_view what) const {
  const Stream& stream = streams_[command.uart];
  const std::string& last = stream.line.empty() ? stream.last_line : stream.line;
  return absl::StrCat(
      DescribeCommand(command), " ", std::string(what), "; ",
      last.empty() ? "the guest wrote nothing" : "last output: " + QuoteScriptText(last),
      command.uart == 0 ? ""
      : last.empty()    ? " to UART 1"
                        : " (UART 1)");
}

void ScriptRunner::Fail(uint64_t cycle, std::string_view what) {
  const ScriptCommand& command = commands_[next_];
  const std::string failure = DescribeFailure(command, what);
  next_ = commands_.size();
  if (source_ != nullptr) {
    source_->OnDone(command, {failure, cycle, streams_[command.uart].output});
  } else {
    failure_ = absl::StrCat("line ", command.line, ": ", failure);
  }
}

}  // namespace isochron::cli
