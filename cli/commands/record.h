// `isochron record`: runs a guest and writes its log.

#ifndef ISOCHRON_CLI_COMMANDS_RECORD_H_
#define ISOCHRON_CLI_COMMANDS_RECORD_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <CLI/App.hpp>

#include "cli/commands/live_gdb.h"
#include "cli/run/run_options.h"

namespace isochron::cli {

struct RecordOptions {
  RunOptions run;
  std::string log_path;  // "-": standard output
  std::optional<machine::GuestTime> snapshot_every;
  LiveGdbOptions gdb;
};

// Adds the command. When it is the one that was given, `command` becomes what runs it and
// returns the exit code.
void AddRecordCommand(CLI::App& app, std::function<int()>& command);

// As RunGuest(), with a log at `log_path`.
int RecordGuest(const RecordOptions& options);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_RECORD_H_
