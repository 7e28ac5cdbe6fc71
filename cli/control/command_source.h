// Where commands of the control language come from while a machine runs.

#ifndef ISOCHRON_CLI_CONTROL_COMMAND_SOURCE_H_
#define ISOCHRON_CLI_CONTROL_COMMAND_SOURCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/control/script.h"
#include "machine/events/input.h"

namespace isochron::cli {

// What became of a command.
struct CommandResult {
  // Empty: it was obeyed. Otherwise why an `expect` was not met.
  std::string failure;
  // When: that of the byte that ended the text which an `expect` found, otherwise that of the
  // input point or stop point.
  uint64_t cycle = 0;
  // Of an `expect`: what the guest has written since the end of the last text that an `expect`
  // found, up to the end of this one; up to now when it was not met.
  std::string output;
  // Of an `expect` of a regular expression that was met: the text that matched, then those of its
  // groups, nothing for one that has no part in it.
  std::vector<std::optional<std::string>> groups = {};
};

// Gives a runner its commands one at a time.
class CommandSource {
 public:
  virtual ~CommandSource() = default;
  // At an input point or stop point, when all earlier commands are done: the next one. May block;
  // the machine stands still meanwhile. Nothing: the machine is to run on to the next such point.
  virtual std::optional<ScriptCommand> Next(const machine::InputPoint& point) = 0;
  // At an input point or stop point, while a `run` without an end is under way.
  virtual void OnEndlessRun() = 0;
  // A command is done, or failed.
  virtual void OnDone(const ScriptCommand& command, const CommandResult& result) = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_COMMAND_SOURCE_H_
