#include "cli/commands/help.h"

#include <memory>
#include <string>
#include <vector>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/run/guest.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "cli/text/usage_error.h"

namespace isochron::cli {
namespace {

int PrintHelpOf(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* shown = &app;
  std::string name = app.get_name();
  for (const std::string& word : words) {
    const CLI::App* found = nullptr;
    for (const CLI::App* command : shown->get_subcommands([](const CLI::App*) { return true; })) {
      if (command->check_name(word)) found = command;
    }
    if (found == nullptr) {
      return RefuseInput(absl::InvalidArgumentError(
          absl::StrCat(UnknownCommand(*shown, word), " (see isochron --help)")));
    }
    shown = found;
    absl::StrAppend(&name, " ", word);
  }
  TextOutput out;
  // CLI::App::help() would show that of the command that was given.
  out.Lines(shown->get_formatter()->make_help(shown, name, CLI::AppFormatMode::Normal));
  return out.Finish(ToInt(ExitCode::kOk));
}

}  // namespace

void AddHelpCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* help = app.add_subcommand("help", "Show the help of a command, as its --help does");
  auto words = std::make_shared<std::vector<std::string>>();
  help->add_option("command", *words, "the command, such as log dump")->type_name("COMMAND");
  help->footer(ExitCodeHelp({ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage}));
  help->callback(
      [&app, words, &command] { command = [&app, words] { return PrintHelpOf(app, *words); }; });
}

}  // namespace isochron::cli
