// Obeys a script inside the sequencer.

#ifndef ISOCHRON_CLI_SCRIPT_RUNNER_H_
#define ISOCHRON_CLI_SCRIPT_RUNNER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/script.h"
#include "cli/stream_matcher.h"
#include "machine/console.h"
#include "machine/input.h"

namespace isochron::cli {

// Runs commands one after the other. It sees every byte of UART 0 at the cycle at which the
// guest sent it and acts at input points alone, so a script does the same in every run.
//
// An `expect` looks at the bytes since the end of the last match, also those that came before
// its turn. Its cycles count from the end of the command before it. When the last command is
// done, the guest just runs on.
class ScriptRunner final : public machine::InputSource, public machine::ConsoleSink {
 public:
  // The first command begins at `start_cycle` of the run.
  explicit ScriptRunner(std::vector<ScriptCommand> commands, uint64_t start_cycle = 0);

  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;

  // To be called when the guest powered off or reset for good. False, with failure() set, when
  // an `expect` is left that can no longer be met.
  bool NoteGuestEnd();

  bool done() const { return next_ == commands_.size(); }
  // What to tell the user when an `expect` was not met: which, and the last line that the
  // guest wrote. Empty when none failed.
  const std::string& failure() const { return failure_; }

 private:
  bool Expecting() const;
  // Makes commands_[next_] the current command from `cycle` on.
  void Begin(uint64_t cycle);
  // Goes on to the next command; looks for it in what it has not seen yet.
  void Advance(uint64_t cycle);
  void SearchUnseen(uint64_t cycle);
  void NoteLastLine(char byte);
  void Fail(const ScriptCommand& command, std::string_view what);

  std::vector<ScriptCommand> commands_;
  size_t next_ = 0;
  uint64_t deadline_ = 0;  // the current `expect` must be met by this cycle
  StreamMatcher matcher_;  // of the current command if it is an `expect`
  std::string unseen_;     // output since the last match that no `expect` has looked at
  std::string line_;       // the line that the guest is writing
  std::string last_line_;  // the last one that it has written, not empty
  std::string failure_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_SCRIPT_RUNNER_H_
