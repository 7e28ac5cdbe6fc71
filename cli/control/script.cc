#include "cli/control/script.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/control/regex_matcher.h"
#include "hostio/escape.h"
#include "machine/events/guest_time.h"

namespace isochron::cli {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Reads one line from left to right. Every reader leaves the position behind what it read,
// and on an error at the character to blame.
class LineParser {
 public:
  LineParser(std::string_view text, std::string_view name, uint32_t line, uint64_t clock_hz,
             bool is_request)
      : text_(text), name_(name), line_(line), clock_hz_(clock_hz), is_request_(is_request) {}

  absl::StatusOr<std::optional<ScriptCommand>> Parse() {
    SkipSpace();
    if (AtEnd()) return std::nullopt;
    ScriptCommand command;
    command.line = line_;
    if (absl::Status status = ParseCommand(command); !status.ok()) return status;
    SkipSpace();
    if (!AtEnd()) return Error("nothing more is expected on this line");
    return command;
  }

 private:
  absl::Status ParseCommand(ScriptCommand& command) {
    const size_t start = at_;
    const std::string_view verb = Word();
    if (verb == "serial1") return ParseSerial1(command);
    if (verb == "expect") return ParseExpect(command);
    if (IsSend(verb)) return ParseSend(verb, ScriptCommand::Kind::kSend, command);
    if (verb == "at") return ParseAt(command);
    if (verb == "stop") {
      command.kind = ScriptCommand::Kind::kStop;
      return absl::OkStatus();
    }
    if (verb == "run") return ParseRun(command);
    if (is_request_) {
      if (verb == "stats" || verb == "snapshot") {
        command.kind =
            verb == "stats" ? ScriptCommand::Kind::kStats : ScriptCommand::Kind::kSnapshot;
        return absl::OkStatus();
      }
      if (verb == "peek") {
        command.kind = ScriptCommand::Kind::kPeek;
        return ParseWord(command.text, "expected a symbol or an address");
      }
      if (verb == "inspect") {
        command.kind = ScriptCommand::Kind::kInspect;
        return ParseWord(command.text, "expected a name of the state, such as cpu0.pc or uart0");
      }
      if (verb == "save") {
        command.kind = ScriptCommand::Kind::kSave;
        return ParseText(command.text);
      }
    }
    at_ = start;
    return Error(is_request_ ? "unknown request; there are expect, send, send-break, serial1, at, "
                               "run, stop, stats, peek, inspect, snapshot and save"
                             : "unknown command; there are expect, send, send-break, serial1, at, "
                               "run and stop");
  }

  static bool IsSend(std::string_view verb) { return verb == "send" || verb == "send-break"; }

  // What follows `serial1` at the beginning of a command.
  absl::Status ParseSerial1(ScriptCommand& command) {
    command.uart = 1;
    SkipSpace();
    const size_t start = at_;
    const std::string_view verb = Word();
    if (verb == "expect") return ParseExpect(command);
    if (IsSend(verb)) return ParseSend(verb, ScriptCommand::Kind::kSend, command);
    at_ = start;
    return Error("expected 'expect', 'send' or 'send-break'");
  }

  // What follows a verb of which IsSend() is true. `send`: the kind of the command when it sends a
  // text.
  absl::Status ParseSend(std::string_view verb, ScriptCommand::Kind send, ScriptCommand& command) {
    command.kind = verb == "send" ? send : ScriptCommand::Kind::kSendBreak;
    return verb == "send" ? ParseText(command.text) : absl::OkStatus();
  }

  absl::Status ParseWord(std::string& word, std::string_view expected) {
    SkipSpace();
    word = Word();
    return word.empty() ? Error(expected) : absl::OkStatus();
  }

  absl::Status ParseRun(ScriptCommand& command) {
    command.kind = ScriptCommand::Kind::kRun;
    SkipSpace();
    if (is_request_ && AtEnd()) {
      command.cycles = ScriptCommand::kEndless;
      return absl::OkStatus();
    }
    return ParseCycleCount(command.cycles);
  }

  absl::Status ParseExpect(ScriptCommand& command) {
    command.kind = ScriptCommand::Kind::kExpect;
    command.cycles = ScriptCommand::kDefaultWithin;
    SkipSpace();
    const bool is_regex = at_ < text_.size() && text_[at_] == '/';
    if (absl::Status status = is_regex ? ParseRegex(command) : ParseText(command.text);
        !status.ok()) {
      return status;
    }
    SkipSpace();
    if (AtEnd()) return absl::OkStatus();
    if (absl::Status status = Keyword("within"); !status.ok()) return status;
    return ParseCycleCount(command.cycles);
  }

  // "/re/" or "/re/i", in which a slash is "\/"; everything else is left to the regular expression.
  absl::Status ParseRegex(ScriptCommand& command) {
    command.is_regex = true;
    const size_t start = at_++;
    while (at_ < text_.size() && text_[at_] != '/') {
      const bool is_escape = text_[at_] == '\\' && at_ + 1 < text_.size();
      if (is_escape && text_[at_ + 1] != '/') command.text.push_back('\\');
      if (is_escape) ++at_;
      command.text.push_back(text_[at_++]);
    }
    const bool is_closed = at_ < text_.size();
    if (is_closed) ++at_;
    if (at_ < text_.size() && text_[at_] == 'i') {
      command.ignore_case = true;
      ++at_;
    }
    if (is_closed && !AtEnd() && !IsSpace(text_[at_])) {
      return Error("after a regular expression there is i, for either case, or nothing");
    }
    const size_t end = std::exchange(at_, start);
    if (!is_closed) return Error("the closing slash is missing");
    if (absl::StatusOr<RegexMatcher> matcher =
            RegexMatcher::Create(command.text, command.ignore_case);
        !matcher.ok()) {
      return Error(std::string(matcher.status().message()));
    }
    at_ = end;
    return absl::OkStatus();
  }

  absl::Status ParseAt(ScriptCommand& command) {
    if (absl::Status status = ParseCycleCount(command.cycles); !status.ok()) return status;
    SkipSpace();
    size_t start = at_;
    std::string_view verb = Word();
    if (verb == "stop") {
      command.kind = ScriptCommand::Kind::kStop;
      return absl::OkStatus();
    }
    const bool is_serial1 = verb == "serial1";
    if (is_serial1) {
      command.uart = 1;
      SkipSpace();
      start = at_;
      verb = Word();
    }
    if (IsSend(verb)) return ParseSend(verb, ScriptCommand::Kind::kSendAt, command);
    at_ = start;
    return Error(is_serial1 ? "expected 'send' or 'send-break'"
                            : "expected 'send', 'send-break', 'serial1' or 'stop'");
  }

  absl::Status Keyword(std::string_view keyword) {
    const size_t start = at_;
    if (Word() == keyword) return absl::OkStatus();
    at_ = start;
    return Error(absl::StrCat("expected '", std::string(keyword), "'"));
  }

  absl::Status ParseCycleCount(uint64_t& cycles) {
    SkipSpace();
    const size_t start = at_;
    absl::StatusOr<machine::GuestTime> value = machine::ParseGuestTime(Word());
    if (!value.ok()) {
      at_ = start;
      return Error(std::string(value.status().message()));
    }
    cycles = value->Cycles(clock_hz_);
    return absl::OkStatus();
  }

  absl::Status ParseText(std::string& text) {
    SkipSpace();
    const size_t start = at_;
    if (AtEnd() || text_[at_] != '"') return Error("expected a text in double quotes");
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') {
        text.push_back(text_[at_++]);
      } else if (absl::Status status = ParseEscape(text); !status.ok()) {
        return status;
      }
    }
    if (at_ == text_.size()) {
      at_ = start;
      return Error("the closing double quote is missing");
    }
    ++at_;
    if (text.empty()) {
      at_ = start;
      return Error("the text is empty");
    }
    return absl::OkStatus();
  }

  absl::Status ParseEscape(std::string& text) {
    std::string_view rest = std::string_view(text_).substr(at_ + 1);
    const absl::Status status = hostio::TakeEscape(rest, text);
    if (!status.ok()) return Error(std::string(status.message()));
    at_ = text_.size() - rest.size();
    return absl::OkStatus();
  }

  std::string_view Word() {
    const size_t start = at_;
    while (at_ < text_.size() && !IsSpace(text_[at_]) && text_[at_] != '"' && text_[at_] != '#') {
      ++at_;
    }
    return text_.substr(start, at_ - start);
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  bool AtEnd() const { return at_ == text_.size() || text_[at_] == '#'; }

  absl::Status Error(std::string_view message) const {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(name_), ":", line_, ":", at_ + 1, ": ", std::string(message)));
  }

  std::string_view text_;
  std::string_view name_;
  uint32_t line_;
  uint64_t clock_hz_;
  bool is_request_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<std::optional<ScriptCommand>> ParseScriptLine(std::string_view text,
                                                             std::string_view name, uint32_t line,
                                                             uint64_t clock_hz) {
  return LineParser(text, name, line, clock_hz, /*is_request=*/false).Parse();
}

absl::StatusOr<std::optional<ScriptCommand>> ParseRequest(std::string_view text,
                                                          std::string_view name, uint32_t line,
                                                          uint64_t clock_hz) {
  return LineParser(text, name, line, clock_hz, /*is_request=*/true).Parse();
}

absl::StatusOr<std::vector<ScriptCommand>> ParseScript(std::string_view text, std::string_view name,
                                                       uint64_t clock_hz) {
  std::vector<ScriptCommand> commands;
  for (uint32_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    absl::StatusOr<std::optional<ScriptCommand>> command =
        ParseScriptLine(text.substr(0, end), name, line, clock_hz);
    if (!command.ok()) return command.status();
    if (command->has_value()) commands.push_back(**std::move(command));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return commands;
}

std::string ExpectedText(const ScriptCommand& expect) {
  if (!expect.is_regex) return QuoteScriptText(expect.text);
  std::string text = "/";
  for (const char c : expect.text) {
    if (c == '/') text.push_back('\\');
    text.push_back(c);
  }
  return text + (expect.ignore_case ? "/i" : "/");
}

std::string DescribeCommand(const ScriptCommand& command) {
  const std::string uart = command.uart == 1 ? "serial1 " : "";
  switch (command.kind) {
    case ScriptCommand::Kind::kExpect: return uart + "expect " + ExpectedText(command);
    case ScriptCommand::Kind::kSend:
    case ScriptCommand::Kind::kSendAt: return uart + "send " + QuoteScriptText(command.text);
    case ScriptCommand::Kind::kSendBreak: return uart + "send-break";
    case ScriptCommand::Kind::kRun: return "run";
    case ScriptCommand::Kind::kStop: return "stop";
    case ScriptCommand::Kind::kSnapshot:
    case ScriptCommand::Kind::kSave:
    case ScriptCommand::Kind::kStats:
    case ScriptCommand::Kind::kPeek:
    case ScriptCommand::Kind::kInspect: break;
  }
  return "";
}

std::string QuoteScriptText(std::string_view bytes) {
  std::string quoted = "\"";
  for (char c : bytes) {
    switch (c) {
      case '\n': quoted += "\\n"; break;
      case '\r': quoted += "\\r"; break;
      case '\t': quoted += "\\t"; break;
      case '\x1b': quoted += "\\e"; break;
      case '\\': quoted += "\\\\"; break;
      case '"': quoted += "\\\""; break;
      default:
        if (c >= ' ' && c <= '~') {
          quoted.push_back(c);
        } else {
          absl::StrAppendFormat(&quoted, "\\x%02x", static_cast<uint8_t>(c));
        }
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace isochron::cli
