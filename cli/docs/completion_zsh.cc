#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/docs/command_list.h"
#include "cli/docs/completion.h"
#include "cli/text/option_kind.h"

namespace isochron::cli {
namespace {

// Text inside a specification of _arguments, itself inside single quotes.
std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}, {"'", "'\\''"}});
}

// ":LOG:_files", what _arguments does for a value.
std::string Action(const CLI::Option& option, const CLI::App& command) {
  const Values values = ValuesOf(option, command);
  std::string action = " ";  // a message, and nothing to offer
  switch (values.kind) {
    case Values::Kind::kUnknown: break;
    case Values::Kind::kWords:
      action = absl::StrCat("(", absl::StrJoin(values.words, " "), ")");
      break;
    case Values::Kind::kFile: action = "_files"; break;
    case Values::Kind::kConsole:
      action = absl::StrCat("_isochron_console ", absl::StrJoin(values.words, " "));
      break;
  }
  return absl::StrCat(":", Escaped(option.get_type_name()), ":", action);
}

// The specification of an option: '(-o --output)'{-o+,--output=}'[the log]:LOG:_files'.
std::string OptionSpec(const CLI::Option& option, const CLI::App& command) {
  const std::vector<std::string> names = NamesOf(option);
  const bool takes_value = TakesValue(option);
  std::vector<std::string> forms = names;
  for (std::string& form : forms) {
    if (takes_value) form += form.starts_with("--") ? "=" : "+";
  }
  const bool repeats = takes_value && option.get_items_expected_max() > 1;
  const std::string spec = absl::StrCat("[", Escaped(option.get_description()), "]",
                                        takes_value ? Action(option, command) : "");
  if (repeats && forms.size() == 1) return absl::StrCat("'*", forms[0], spec, "'");
  if (forms.size() == 1) return absl::StrCat("'", forms[0], spec, "'");
  return absl::StrCat("'", repeats ? "*" : absl::StrCat("(", absl::StrJoin(names, " "), ")"), "'{",
                      absl::StrJoin(forms, ","), "}'", spec, "'");
}

// The function of a command.
std::string CommandFunction(const CLI::App& app, const std::string& name) {
  std::string text = absl::StrCat(name, "() {\n  _arguments -s");
  for (const CLI::Option* option : OptionsOf(app, false)) {
    absl::StrAppend(&text, " \\\n    ", OptionSpec(*option, app));
  }
  int place = 0;
  for (const CLI::Option* option : OptionsOf(app, true)) {
    const std::string action = Action(*option, app);
    for (int i = 0; i < std::max(1, option->get_items_expected_min()); ++i) {
      absl::StrAppend(&text, " \\\n    '", ++place, option->get_required() ? "" : ":", action, "'");
    }
    if (option->get_items_expected_max() > place) {
      absl::StrAppend(&text, " \\\n    '*", action, "'");
    }
  }
  return text + "\n}\n\n";
}

// The functions of what has commands below it, and of those.
std::string GroupFunctions(const CLI::App& app, const std::string& name) {
  std::string below, offers, branches;
  for (const CLI::App* child : CommandsBelow(app)) {
    const std::string function = absl::StrCat(name, "_", child->get_name());
    below += CommandsBelow(*child).empty() ? CommandFunction(*child, function)
                                           : GroupFunctions(*child, function);
    absl::StrAppend(&offers, "        '", child->get_name(), ":", Escaped(child->get_description()),
                    "'\n");
    absl::StrAppend(&branches, "        ", child->get_name(), ") ", function, " ;;\n");
  }
  std::string text = absl::StrCat(
      below, name, "() {\n  local context state state_descr line\n  typeset -A opt_args\n",
      "  _arguments -C");
  for (const CLI::Option* option : OptionsOf(app, false)) {
    absl::StrAppend(&text, " \\\n    ", OptionSpec(*option, app));
  }
  return absl::StrCat(text, " \\\n    '1: :->command' '*:: :->arguments'\n",
                      "  case $state in\n"
                      "    command)\n      local -a commands=(\n",
                      offers,
                      "      )\n      _describe command commands ;;\n"
                      "    arguments)\n      case $words[1] in\n",
                      branches, "      esac ;;\n  esac\n}\n\n");
}

constexpr char kBegin[] =
    R"(#compdef isochron
# Completion of isochron for zsh. Generated from the definitions of commands and options.

_isochron_console() {
  if compset -P file:; then
    _files
  else
    compadd "$@"
    compadd -S "" file:
  fi
}

)";

}  // namespace

std::string ZshCompletion(const CLI::App& app) {
  return absl::StrCat(kBegin, GroupFunctions(app, "_isochron"), "_isochron \"$@\"\n");
}

}  // namespace isochron::cli
