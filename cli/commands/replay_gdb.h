// `isochron replay --gdb`: a recording in the hands of a gdb.

#ifndef ISOCHRON_CLI_COMMANDS_REPLAY_GDB_H_
#define ISOCHRON_CLI_COMMANDS_REPLAY_GDB_H_

#include <optional>
#include <string>

#include <CLI/App.hpp>

#include "cli/host/gdb_socket.h"
#include "cli/run/open_timeline.h"

namespace isochron::cli {

// Adds --gdb.
CLI::Option* AddGdbOption(CLI::App& command, std::optional<GdbTarget>& target,
                          const std::string& description);

// Waits for one client, shows it the recording, and goes when it goes. Messages go to standard
// error. Returns the exit code.
int ShowToGdb(const TimelineOptions& options, const GdbTarget& target);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_REPLAY_GDB_H_
