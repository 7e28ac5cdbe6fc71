// `isochron help`: the help of a command.

#ifndef ISOCHRON_CLI_COMMANDS_HELP_H_
#define ISOCHRON_CLI_COMMANDS_HELP_H_

#include <functional>

#include <CLI/App.hpp>

namespace isochron::cli {

// Adds the command to `app`, which must outlive `command`; when it is given, `command` becomes what
// runs it.
void AddHelpCommand(CLI::App& app, std::function<int()>& command);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_HELP_H_
