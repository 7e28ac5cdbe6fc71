// `isochron log ...`: reading logs, a file a command.

#ifndef ISOCHRON_CLI_COMMANDS_LOG_H_
#define ISOCHRON_CLI_COMMANDS_LOG_H_

#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "replaylog/log_reader.h"
#include "timeline/snapshot.h"

namespace isochron::cli {

// Adds `log` with all its commands. When one of them is given, `command` becomes what runs it
// and returns the exit code.
void AddLogCommand(CLI::App& app, std::function<int()>& command);

// The commands of `log`, each added the same way.
void AddLogInfoCommand(CLI::App& log, std::function<int()>& command);
void AddLogDumpCommand(CLI::App& log, std::function<int()>& command);
void AddLogDiffCommand(CLI::App& log, std::function<int()>& command);
void AddLogVerifyCommand(CLI::App& log, std::function<int()>& command);
void AddLogBundleCommand(CLI::App& log, std::function<int()>& command);
void AddLogPcapCommand(CLI::App& log, std::function<int()>& command);
void AddLogSnapshotsCommand(CLI::App& log, std::function<int()>& command);

// The log beside F.snapshots that its snapshots are of; nullptr when there is none.
std::unique_ptr<replaylog::LogReader> LogOfSnapshots(const timeline::SnapshotReader& snapshots);

// What `log dump --type` takes: "header" and the types of events.
std::vector<std::string> LogDumpTypes();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_LOG_H_
