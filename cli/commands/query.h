// `isochron query`.

#ifndef ISOCHRON_CLI_COMMANDS_QUERY_H_
#define ISOCHRON_CLI_COMMANDS_QUERY_H_

#include <functional>

#include <CLI/App.hpp>

namespace isochron::cli {

// Adds `query`. When it is given, `command` becomes what runs it and returns the exit code.
void AddQueryCommand(CLI::App& app, std::function<int()>& command);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_QUERY_H_
