// The control language: what somebody wants of a machine, as text.

#ifndef ISOCHRON_CLI_CONTROL_SCRIPT_H_
#define ISOCHRON_CLI_CONTROL_SCRIPT_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace isochron::cli {

// One command. docs/cli.md describes the language.
struct ScriptCommand {
  enum class Kind : uint8_t {
    kExpect,  // wait until the guest has written `text`, or a match of it, at most `cycles` cycles
    kSend,    // type `text`
    kSendAt,  // type `text` at cycle `cycles`, or at once when it is past
    kSendBreak,  // send a break, not before cycle `cycles`
    kStop,       // end the run, not before cycle `cycles`
    kRun,        // let `cycles` cycles pass
    // Only in requests: what is asked of the program, not of the guest.
    kSnapshot,  // take a snapshot at the next checkpoint
    kSave,      // copy the log so far to the file `text`
    kStats,     // tell counts and the state's digest
    kPeek,      // tell the quadword of RAM at `text`, a symbol or an address
    kInspect,   // tell the fields of the machine's state at and below the path `text`
  };
  // What `expect` waits without `within`: 20G cycles.
  static constexpr uint64_t kDefaultWithin = 20'000'000'000;
  // Of a `run` to the guest's end.
  static constexpr uint64_t kEndless = std::numeric_limits<uint64_t>::max();

  Kind kind = Kind::kStop;
  std::string text;          // never empty where it has a meaning
  uint64_t cycles = 0;       // kExpect, kSendAt, kSendBreak, kStop, kRun
  uint8_t uart = 0;          // kSend, kSendAt, kSendBreak: whom it is for; kExpect: who wrote it
  uint32_t line = 0;         // where it was written, from 1
  bool is_regex = false;     // kExpect: `text` is a regular expression that RegexMatcher takes
  bool ignore_case = false;  // with it

  bool operator==(const ScriptCommand&) const = default;
};

// Of all that follows, `clock_hz` is what makes cycles of seconds.

// One line of the language; nothing when it is blank or only a comment. InvalidArgument with
// a message "name:line:column: what is wrong"; columns count bytes from 1.
absl::StatusOr<std::optional<ScriptCommand>> ParseScriptLine(std::string_view text,
                                                             std::string_view name, uint32_t line,
                                                             uint64_t clock_hz);

// One line of a control channel: the same language and what is only in requests; there `run` needs
// no number, and then means for ever.
absl::StatusOr<std::optional<ScriptCommand>> ParseRequest(std::string_view text,
                                                          std::string_view name, uint32_t line,
                                                          uint64_t clock_hz);

// A whole script; the first error ends it.
absl::StatusOr<std::vector<ScriptCommand>> ParseScript(std::string_view text, std::string_view name,
                                                       uint64_t clock_hz);

// What an `expect` looks for, as the language writes it.
std::string ExpectedText(const ScriptCommand& expect);

// A command in a few words, such as `serial1 expect "# "`; what only requests are is empty.
std::string DescribeCommand(const ScriptCommand& command);

// `bytes` as the language would write them, with the quotes.
std::string QuoteScriptText(std::string_view bytes);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_SCRIPT_H_
