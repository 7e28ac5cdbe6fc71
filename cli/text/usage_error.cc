#include "cli/text/usage_error.h"

#include <algorithm>
#include <string_view>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/strings/str_cat.h"
#include "cli/text/suggestion.h"

namespace isochron::cli {
namespace {

std::string DidYouMean(const std::string& name) {
  return name.empty() ? "" : absl::StrCat("; did you mean '", name, "'?");
}

// The command that was given, of the last level.
const CLI::App& GivenCommand(const CLI::App& app) {
  const std::vector<CLI::App*> given = app.get_subcommands();
  return given.empty() ? app : GivenCommand(*given.front());
}

bool IsGroup(const CLI::App& app) { return !CommandNames(app).empty(); }

std::string UnknownOption(const CLI::App& app, const std::string& word) {
  const std::string_view name = std::string_view(word).substr(0, word.find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& known : option->get_lnames()) names.push_back(known);
  }
  const size_t dashes = std::min(name.find_first_not_of('-'), name.size());
  const std::string meant = Suggestion(name.substr(dashes), names);
  return absl::StrCat("there is no option '", std::string(name), "'",
                      DidYouMean(meant.empty() ? "" : "--" + meant));
}

// What is wrong with words that no command or option took; empty without such words.
std::string ExplainExtras(const CLI::App& app) {
  // Those of `app` itself come first.
  for (const CLI::App* level = &app;;) {
    std::vector<std::string> words = level->remaining();
    std::erase(words, "--");  // CLI11 counts it among them
    if (!words.empty()) {
      if (IsGroup(*level) && !words.front().starts_with('-')) {
        return UnknownCommand(*level, words.front());
      }
      // What follows an option that is none may be its value.
      const auto option = std::find_if(words.begin(), words.end(), [](const std::string& word) {
        return word.size() > 1 && word.front() == '-';
      });
      if (option != words.end()) return UnknownOption(*level, *option);
      return absl::StrCat("'", words.front(), "' is one argument too many");
    }
    const std::vector<CLI::App*> given = level->get_subcommands();
    if (given.empty()) return "";
    level = given.front();
  }
}

// Why a value is none, for the first one on the command line of which that is so; empty when all
// are good.
std::string ExplainValues(const CLI::App& app) {
  for (CLI::Option* option : app.parse_order()) {
    for (std::string value : option->results()) {
      for (int index = 0;; ++index) {
        const CLI::Validator* validator = nullptr;
        try {
          validator = option->get_validator(index);
        } catch (const CLI::OptionNotFound&) {  // CLI11's only way to say that there are no more
          break;
        }
        const std::string wrong = (*validator)(value);
        if (!wrong.empty()) return absl::StrCat(option->get_name(), ": ", wrong);
      }
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::string UnknownCommand(const CLI::App& app, const std::string& word) {
  return absl::StrCat("there is no command '", word, "'",
                      DidYouMean(Suggestion(word, CommandNames(app))));
}

std::string ExplainParseError(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = ExplainExtras(app);
  if (text.empty()) text = ExplainValues(GivenCommand(app));
  return text.empty() ? error.what() : text;
}

}  // namespace isochron::cli
