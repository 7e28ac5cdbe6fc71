// `isochron replay`: runs a guest again as its log tells and compares everything.

#ifndef ISOCHRON_CLI_COMMANDS_REPLAY_H_
#define ISOCHRON_CLI_COMMANDS_REPLAY_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <CLI/App.hpp>

#include "cli/commands/replay_jobs.h"
#include "cli/host/gdb_socket.h"
#include "cli/run/open_timeline.h"
#include "cli/run/run_options.h"

namespace isochron::cli {

struct ReplayOptions {
  RunOptions run;  // the configuration comes from the log
  std::string log_path;
  std::optional<machine::GuestTime> from;  // a snapshot at or before this is the start
  std::optional<machine::GuestTime> until;
  std::optional<machine::GuestTime> snapshot_every;
  bool live = false;
  SideBySideOptions side_by_side;  // none: one machine replays all of it
  std::string new_log_path;        // not empty exactly when `live`
  std::optional<GdbTarget> gdb;
  TimelineOptions timeline;  // with `gdb`: what else it takes than the above
};

// Adds the command. When it is the one that was given, `command` becomes what runs it and
// returns the exit code.
void AddReplayCommand(CLI::App& app, std::function<int()>& command);

// Replays; errors and reports go to standard error. Returns the exit code.
int ReplayLog(ReplayOptions options);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_REPLAY_H_
