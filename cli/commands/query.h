// `isochron query`.

#ifndef ISOCHRON_CLI_COMMANDS_QUERY_H_
#define ISOCHRON_CLI_COMMANDS_QUERY_H_

#include <functional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace isochron::cli {

// Adds `query`. When it is given, `command` becomes what runs it and returns the exit code.
void AddQueryCommand(CLI::App& app, std::function<int()>& command);

// The names of its questions.
std::vector<std::string> QuestionNames();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_QUERY_H_
