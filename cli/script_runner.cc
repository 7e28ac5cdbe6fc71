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
  if (!Expecting()) return;
  const uint64_t within = commands_[next_].cycles;
  deadline_ = cycle + std::min(within, std::numeric_limits<uint64_t>::max() - cycle);
  matcher_ = StreamMatcher(commands_[next_].text);
}

void ScriptRunner::Advance(uint64_t cycle) {
  ++next_;
  Begin(cycle);
  if (Expecting()) SearchUnseen(cycle);
}

void ScriptRunner::SearchUnseen(uint64_t cycle) {
  const std::string bytes = std::exchange(unseen_, {});
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!matcher_.Feed(bytes[i])) continue;
    unseen_ = bytes.substr(i + 1);
    Advance(cycle);  // as deep as there are `expect`s in a row
    return;
  }
}

void ScriptRunner::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  if (uart != 0 || done()) return;
  NoteLastLine(static_cast<char>(byte));
  if (!Expecting()) {
    unseen_.push_back(static_cast<char>(byte));
    return;
  }
  // Too late: the next input point says so.
  if (cycle > deadline_) return;
  if (matcher_.Feed(static_cast<char>(byte))) Advance(cycle);
}

void ScriptRunner::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  while (!done()) {
    const ScriptCommand& command = commands_[next_];
    switch (command.kind) {
      case ScriptCommand::Kind::kExpect:
        if (point.cycle <= deadline_) return;
        Fail(command, absl::StrCat("was not met within ", command.cycles, " cycles"));
        inputs.push_back(
            machine::Input::Stop(machine::StopCause::kExpectFailed, command.line));
        next_ = commands_.size();
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
        next_ = commands_.size();
        return;
    }
    Advance(point.cycle);
  }
}

void ScriptRunner::NoteLastLine(char byte) {
  if (byte == '\n') {
    if (!line_.empty()) last_line_ = std::exchange(line_, {});
  } else if (byte != '\r' && line_.size() < kMaxShownLine) {
    line_.push_back(byte);
  }
}

bool ScriptRunner::NoteGuestEnd() {
  for (; !done(); ++next_) {
    if (!Expecting()) continue;
    Fail(commands_[next_], "was not met before the guest ended");
    next_ = commands_.size();
    return false;
  }
  return true;
}

void ScriptRunner::Fail(const ScriptCommand& command, std::string_view what) {
  const std::string& last = line_.empty() ? last_line_ : line_;
  failure_ = absl::StrCat("line ", command.line, ": expect ", QuoteScriptText(command.text), " ",
                          std::string(what), "; ",
                          last.empty() ? "the guest wrote nothing"
                                       : "last output: " + QuoteScriptText(last));
}

}  // namespace isochron::cli
