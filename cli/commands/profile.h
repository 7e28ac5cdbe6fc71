// `isochron profile`.

#ifndef ISOCHRON_CLI_COMMANDS_PROFILE_H_
#define ISOCHRON_CLI_COMMANDS_PROFILE_H_

#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace isochron::cli {

// Adds `profile`. When it is given, `command` becomes what runs it and returns the exit code.
void AddProfileCommand(CLI::App& app, std::function<int()>& command);

// What its --by and --format take.
std::vector<std::string> ProfileRowNames();
std::vector<std::string> ProfileFormatNames();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_PROFILE_H_
