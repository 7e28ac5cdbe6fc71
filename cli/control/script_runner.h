// Obeys a script inside the sequencer.

#ifndef ISOCHRON_CLI_CONTROL_SCRIPT_RUNNER_H_
#define ISOCHRON_CLI_CONTROL_SCRIPT_RUNNER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/control/command_source.h"
#include "cli/control/regex_matcher.h"
#include "cli/control/script.h"
#include "cli/control/stream_matcher.h"
#include "machine/bus/console.h"
#include "machine/events/input.h"

namespace isochron::cli {

// Runs commands one after the other. It sees every byte of both UARTs at the cycle at which the
// guest sent it and acts at input points alone, so a script does the same in every run; where input
// points are far apart it does what sends nothing at stop points, too.
//
// An `expect` looks at the bytes of its UART since the end of the last match there, also those that
// came before its turn. Its cycles count from the end of the command before it. When the last
// command is done, the guest just runs on.
//
// With a source, commands come from there, each when the one before is done and the next input
// point or stop point reached. The cycles of a command count from that point, and an `expect` that
// is not met ends nothing.
class ScriptRunner final : public machine::InputSource, public machine::ConsoleSink {
 public:
  // Bytes of a UART since the last match that are kept for `expect`s to come; older ones are
  // dropped.
  static constexpr size_t kMaxOutput = size_t{16} << 20;
  // The most inputs of one input point; commands that would make more wait for the next one.
  static constexpr size_t kMaxInputs = 32;

  // The first command begins at `start_cycle` of the run. `clock_hz`: for messages.
  ScriptRunner(std::vector<ScriptCommand> commands, uint64_t clock_hz, uint64_t start_cycle = 0);
  // `source` must outlive the runner.
  ScriptRunner(CommandSource* source, uint64_t clock_hz) : clock_hz_(clock_hz), source_(source) {}

  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;
  uint64_t NextStop(uint64_t cycle, uint64_t until) override;
  // May block as Poll() may.
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override;

  // To be called when the guest powered off or reset for good at `cycle`. False, with failure()
  // set, when an `expect` of a script is left that can no longer be met.
  bool NoteGuestEnd(uint64_t cycle = 0);

  // No command is left.
  bool done() const { return next_ == commands_.size(); }
  // What to tell the user when an `expect` was not met: which, and the last line that the
  // guest wrote to its UART. Empty when none failed.
  const std::string& failure() const { return failure_; }
  // What the guest wrote to a UART since the last match there.
  const std::string& output(int uart = 0) const { return streams_[uart].output; }
  // The command under way; nullptr when none is left.
  const ScriptCommand* current() const { return done() ? nullptr : &commands_[next_]; }

 private:
  // Bytes that a search for a regular expression lets gather before it looks at them.
  static constexpr size_t kMaxPending = 4096;

  // What the guest writes to one UART.
  struct Stream {
    std::string output;     // since the last match
    char before = '\n';     // what was written before `output`
    std::string line;       // the line that the guest is writing
    std::string last_line;  // the last one that it has written, not empty
  };

  // Obeys commands up to one that has to wait: also, unless it may send, to one that sends.
  void Obey(const machine::InputPoint& point, bool may_send, std::vector<machine::Input>& inputs);
  bool Expecting() const;
  // The current command is an `expect` of a regular expression.
  bool Searching() const { return Expecting() && commands_[next_].is_regex; }
  // The current command is an `expect` that looks at this UART.
  bool ExpectingFrom(int uart) const { return Expecting() && commands_[next_].uart == uart; }
  // What the current command, an `expect`, looks at.
  Stream& expected() { return streams_[commands_[next_].uart]; }
  // The guest has written a byte.
  void Take(int uart, uint64_t cycle, char byte);
  // Looks for the regular expression of the current command in what is pending. What comes behind a
  // match is taken again, by the commands that follow.
  void Search();
  // Looks for the current command's text in what its UART has written, from `start` on. Returns the
  // end of the first match, and makes the state of the search that of the end of the output when
  // there is none.
  std::optional<size_t> SearchOutput(size_t start);
  // Makes commands_[next_] the current command from `cycle` on. An `expect` looks for its text in
  // what has been written since the last match; those that are met by it are done.
  void Begin(uint64_t cycle);
  // Forgets the first `size` bytes of a stream's output.
  static void DropOutput(Stream& stream, size_t size);
  // CommandResult::groups of the current command.
  std::vector<std::optional<std::string>> Groups() const;
  // The current command is done.
  void CountDone(const CommandResult& result);
  // Makes what the source has next the current command. False when it has nothing.
  bool FetchCommand(const machine::InputPoint& point);
  static void NoteLastLine(Stream& stream, char byte);
  std::string DescribeFailure(const ScriptCommand& command, std::string_view what) const;
  // Tells, in place of a user who reads failure(), the source.
  void Fail(uint64_t cycle, std::string_view what);

  uint64_t clock_hz_;
  CommandSource* source_ = nullptr;
  std::vector<ScriptCommand> commands_;
  size_t next_ = 0;
  uint64_t deadline_ = 0;              // when the current `expect` fails or `run` is done
  StreamMatcher matcher_;              // of the current command if it is an `expect` of a text
  std::optional<RegexMatcher> regex_;  // if it is one of a regular expression
  // The cycles of the last bytes of what it looks at, which it has not seen yet: it looks at many
  // at once, and finds what it would have found byte by byte.
  std::vector<uint64_t> pending_;
  std::array<Stream, 2> streams_;  // of the UARTs
  std::string failure_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_SCRIPT_RUNNER_H_
