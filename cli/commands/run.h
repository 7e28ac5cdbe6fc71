// `isochron run`: boots a guest and runs it to its end.

#ifndef ISOCHRON_CLI_COMMANDS_RUN_H_
#define ISOCHRON_CLI_COMMANDS_RUN_H_

#include <functional>

#include <CLI/App.hpp>

#include "cli/commands/live_gdb.h"
#include "cli/run/run_options.h"

namespace isochron::cli {

// Adds the command. When it is the one that was given, `command` becomes what runs it and
// returns the exit code.
void AddRunCommand(CLI::App& app, std::function<int()>& command);

// Boots and runs; errors go to standard error. Returns the exit code.
int RunGuest(const RunOptions& options, const LiveGdbOptions& gdb = {});

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_RUN_H_
