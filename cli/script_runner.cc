#include "cli/script_runner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

constexpr size_t kMaxShownLine = 200;

}  // namespace

ScriptRunner::ScriptRunner(std::vector<ScriptCommand> commands, uint64_t start_cycle)
    : commands_(std::move(commands)) {
  Begin(start_cycle);
}

bool ScriptRunner::Expecting() const {
  return !done() && commands_[next_].kind == ScriptCommand::Kind::kExpect;
}

void ScriptRunner::Begin(uint64_t cycle) {
  size_t matched = 0;  // bytes of output_
  while (!done()) {
    const uint64_t within = commands_[next_].cycles;
    deadline_ = cycle + std::min(within, std::numeric_limits<uint64_t>::max() - cycle);
    if (!Expecting()) break;
    matcher_ = StreamMatcher(commands_[next_].text);
    size_t end = matched;
    bool met = false;
    while (!met && end < output_.size()) met = matcher_.Feed(output_[end++]);
    if (!met) break;
    CountDone({"", cycle, output_.substr(matched, end - matched)});
    matched = end;
  }
  output_.erase(0, matched);
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
  if (uart != 0 || (done() && source_ == nullptr)) return;
  NoteLastLine(static_cast<char>(byte));
  if (output_.size() == kMaxOutput) output_.erase(0, kMaxOutput / 2);
  output_.push_back(static_cast<char>(byte));
  // Too late: the next input point says so.
  if (!Expecting() || cycle > deadline_) return;
  if (!matcher_.Feed(static_cast<char>(byte))) return;
  CountDone({"", cycle, std::exchange(output_, {})});
  Begin(cycle);
}

void ScriptRunner::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  while (!done() || FetchCommand(point)) {
    if (done()) continue;  // an `expect` that was met at once
    const ScriptCommand& command = commands_[next_];
    switch (command.kind) {
      case ScriptCommand::Kind::kExpect:
        if (point.cycle <= deadline_) return;
        if (source_ == nullptr) {
          inputs.push_back(
              machine::Input::Stop(machine::StopCause::kExpectFailed, command.line));
        }
        Fail(point.cycle, absl::StrCat("was not met within ", command.cycles, " cycles"));
        continue;
      case ScriptCommand::Kind::kRun:
        if (point.cycle >= deadline_) break;
        if (source_ != nullptr && command.cycles == ScriptCommand::kEndless) source_->OnEndlessRun();
        return;
      case ScriptCommand::Kind::kSendAt:
        if (point.cycle < command.cycles) return;
        [[fallthrough]];
      case ScriptCommand::Kind::kSend:
        inputs.push_back(machine::Input::Console(command.text));
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
        break;  // the source's own affair
    }
    CountDone({"", point.cycle, ""});
    Begin(point.cycle);
  }
}

void ScriptRunner::NoteLastLine(char byte) {
  if (byte == '\n') {
    if (!line_.empty()) last_line_ = std::exchange(line_, {});
  } else if (byte != '\r' && line_.size() < kMaxShownLine) {
    line_.push_back(byte);
  }
}

bool ScriptRunner::NoteGuestEnd(uint64_t cycle) {
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
  const std::string& last = line_.empty() ? last_line_ : line_;
  return absl::StrCat("expect ", QuoteScriptText(command.text), " ", std::string(what), "; ",
                      last.empty() ? "the guest wrote nothing"
                                   : "last output: " + QuoteScriptText(last));
}

void ScriptRunner::Fail(uint64_t cycle, std::string_view what) {
  const ScriptCommand& command = commands_[next_];
  const std::string failure = DescribeFailure(command, what);
  next_ = commands_.size();
  if (source_ != nullptr) {
    source_->OnDone(command, {failure, cycle, output_});
  } else {
    failure_ = absl::StrCat("line ", command.line, ": ", failure);
  }
}

}  // namespace isochron::cli
