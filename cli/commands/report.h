// `isochron report`: a log's run as a page to look at.

#ifndef ISOCHRON_CLI_COMMANDS_REPORT_H_
#define ISOCHRON_CLI_COMMANDS_REPORT_H_

#include <functional>

#include <CLI/App.hpp>

namespace isochron::cli {

// Adds `report`. When it is given, `command` becomes what runs it and returns the exit code.
void AddReportCommand(CLI::App& app, std::function<int()>& command);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_REPORT_H_
