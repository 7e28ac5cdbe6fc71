#include "cli/docs/command_list.h"

#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

void Collect(const CLI::App& app, const std::string& words, std::vector<Command>& commands) {
  for (const CLI::App* child : CommandsBelow(app)) {
    const std::string name = absl::StrCat(words, words.empty() ? "" : " ", child->get_name());
    commands.push_back({name, child});
    Collect(*child, name, commands);
  }
}

}  // namespace

std::vector<const CLI::App*> CommandsBelow(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<Command> CommandsAndGroupsOf(const CLI::App& app) {
  std::vector<Command> commands;
  Collect(app, "", commands);
  return commands;
}

std::vector<Command> CommandsOf(const CLI::App& app) {
  std::vector<Command> commands = CommandsAndGroupsOf(app);
  std::erase_if(commands,
                [](const Command& command) { return !CommandsBelow(*command.app).empty(); });
  return commands;
}

std::vector<const CLI::Option*> OptionsOf(const CLI::App& app, bool positional) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() != positional) options.push_back(option);
  }
  return options;
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

}  // namespace isochron::cli
