#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/docs/command_list.h"
#include "cli/docs/completion.h"
#include "cli/text/option_kind.h"

namespace isochron::cli {
namespace {

// An offer of these words.
std::string Offer(const std::vector<std::string>& words) {
  return absl::StrCat("_isochron_offer \"", absl::StrJoin(words, " "), "\"");
}

// What offers the values of an option.
std::string OfferValues(const CLI::Option& option, const CLI::App& command) {
  Values values = ValuesOf(option, command);
  switch (values.kind) {
    case Values::Kind::kUnknown: return ":";
    case Values::Kind::kWords: return Offer(values.words);
    case Values::Kind::kFile: return "compopt -o default";
    case Values::Kind::kConsole:
      values.words.push_back("file:");
      return Offer(values.words) +
             "; if [[ ${COMPREPLY[0]-} == file: ]]; then compopt -o nospace; fi";
  }
  return ":";
}

// The branch of a command in the completion's case.
std::string CommandBranch(const Command& command) {
  std::vector<std::string> names;
  std::string values;
  for (const CLI::Option* option : OptionsOf(*command.app, false)) {
    const std::vector<std::string> patterns = NamesOf(*option);
    names.insert(names.end(), patterns.begin(), patterns.end());
    if (!TakesValue(*option)) continue;
    absl::StrAppend(&values, "        ", absl::StrJoin(patterns, " | "), ") ",
                    OfferValues(*option, *command.app), "; return ;;\n");
  }
  std::string text = absl::StrCat("    \"", command.words, "\")\n");
  if (!values.empty()) {
    absl::StrAppend(&text, "      case $previous in\n", values, "      esac\n");
  }
  // The arguments of a command are all of a kind.
  if (const std::vector<const CLI::Option*> arguments = OptionsOf(*command.app, true);
      !arguments.empty()) {
    absl::StrAppend(&text, "      if [[ $word != -* ]]; then ",
                    OfferValues(*arguments.front(), *command.app), "; return; fi\n");
  }
  return absl::StrCat(text, "      ", Offer(names), " ;;\n");
}

// The branch for what has commands below it.
std::string GroupBranch(const CLI::App& app, const std::string& words) {
  std::vector<std::string> names;
  for (const CLI::App* child : CommandsBelow(app)) names.push_back(child->get_name());
  for (const CLI::Option* option : OptionsOf(app, false)) {
    const std::vector<std::string> patterns = NamesOf(*option);
    names.insert(names.end(), patterns.begin(), patterns.end());
  }
  return absl::StrCat("    \"", words, "\") ", Offer(names), " ;;\n");
}

constexpr char kBegin[] =
    R"(# Completion of isochron for bash. Generated from the definitions of commands and options.
_isochron_offer() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

_isochron() {
  local word=${COMP_WORDS[COMP_CWORD]} command='' before=$((COMP_CWORD - 1)) i
  # Bash takes = and : for words.
  if [[ $word == [=:] ]]; then
    word=''
    ((++before))
  fi
  if [[ ${COMP_WORDS[before]} == : ]]; then
    if [[ ${COMP_WORDS[before - 1]} == file ]]; then compopt -o default; fi
    return
  fi
  if [[ ${COMP_WORDS[before]} == = ]]; then ((--before)); fi
  local previous=${COMP_WORDS[before]}
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "${command:+$command }${COMP_WORDS[i]}" in
)";

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  const std::vector<Command> all = CommandsAndGroupsOf(app);
  std::string text = kBegin;
  for (const Command& command : all) {
    absl::StrAppend(&text, "      \"", command.words, "\") command=\"", command.words, "\" ;;\n");
  }
  text += "    esac\n  done\n  case $command in\n";
  for (const Command& command : all) {
    text += CommandsBelow(*command.app).empty() ? CommandBranch(command)
                                                : GroupBranch(*command.app, command.words);
  }
  return absl::StrCat(text, GroupBranch(app, ""),
                      "  esac\n"
                      "}\n"
                      "complete -F _isochron isochron\n");
}

}  // namespace isochron::cli
