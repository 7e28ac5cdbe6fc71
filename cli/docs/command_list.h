// The commands of the program and their options, as what is generated from them goes through them.

#ifndef ISOCHRON_CLI_DOCS_COMMAND_LIST_H_
#define ISOCHRON_CLI_DOCS_COMMAND_LIST_H_

#include <string>
#include <vector>

#include <CLI/App.hpp>

namespace isochron::cli {

// A command with the words that call it: "log dump".
struct Command {
  std::string words;
  const CLI::App* app;
};

// The commands right below one, in order; none when it does something itself.
std::vector<const CLI::App*> CommandsBelow(const CLI::App& app);

// All commands that do something, in order.
std::vector<Command> CommandsOf(const CLI::App& app);

// All commands and those that only have others below them, in order, parents first.
std::vector<Command> CommandsAndGroupsOf(const CLI::App& app);

// The options of a command, or what it takes without naming an option.
std::vector<const CLI::Option*> OptionsOf(const CLI::App& app, bool positional);

// "-o" and "--output".
std::vector<std::string> NamesOf(const CLI::Option& option);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_DOCS_COMMAND_LIST_H_
