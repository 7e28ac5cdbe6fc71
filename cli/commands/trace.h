// `isochron trace`.

#ifndef ISOCHRON_CLI_COMMANDS_TRACE_H_
#define ISOCHRON_CLI_COMMANDS_TRACE_H_

#include <functional>

#include <CLI/App.hpp>

namespace isochron::cli {

// Adds `trace`. When it is given, `command` becomes what runs it and returns the exit code.
void AddTraceCommand(CLI::App& app, std::function<int()>& command);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_TRACE_H_
