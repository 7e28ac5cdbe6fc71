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

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// A line that adds something where the command is this one.
std::string At(const std::string& words, const std::string& what) {
  return absl::StrCat("complete -c isochron -n ", Quoted("__isochron_at " + Quoted(words)), " ",
                      what, "\n");
}

// What follows the names of an option that takes a value.
std::string OfferValues(const CLI::Option& option, const CLI::App& command) {
  const Values values = ValuesOf(option, command);
  switch (values.kind) {
    case Values::Kind::kUnknown: return " -x";
    case Values::Kind::kWords:
      return absl::StrCat(" -x -a ", Quoted(absl::StrJoin(values.words, " ")));
    case Values::Kind::kFile: return " -r -F";
    case Values::Kind::kConsole:
      return absl::StrCat(" -x -a ", Quoted(absl::StrCat(absl::StrJoin(values.words, " "),
                                                         " (__isochron_console_file)")));
  }
  return "";
}

std::string Options(const CLI::App& app, const std::string& words) {
  std::string text;
  for (const CLI::Option* option : OptionsOf(app, false)) {
    std::string what;
    for (const std::string& name : option->get_snames()) absl::StrAppend(&what, "-s ", name, " ");
    for (const std::string& name : option->get_lnames()) absl::StrAppend(&what, "-l ", name, " ");
    absl::StrAppend(&what, "-d ", Quoted(option->get_description()));
    if (TakesValue(*option)) what += OfferValues(*option, app);
    text += At(words, what);
  }
  for (const CLI::Option* argument : OptionsOf(app, true)) {
    const Values values = ValuesOf(*argument, app);
    text += At(words, values.kind == Values::Kind::kFile
                          ? "-F"
                          : absl::StrCat("-a ", Quoted(absl::StrJoin(values.words, " "))));
  }
  return text;
}

std::string CommandNames(const CLI::App& app, const std::string& words) {
  std::string text;
  for (const CLI::App* child : CommandsBelow(app)) {
    text +=
        At(words, absl::StrCat("-a ", child->get_name(), " -d ", Quoted(child->get_description())));
  }
  return text;
}

}  // namespace

std::string FishCompletion(const CLI::App& app) {
  const std::vector<Command> all = CommandsAndGroupsOf(app);
  std::string text =
      "# Completion of isochron for fish. Generated from the definitions of commands and options.\n"
      "function __isochron_at\n"
      "    set -l command ''\n"
      "    for word in (commandline -opc)[2..]\n"
      "        switch (string trim -- \"$command $word\")\n";
  for (const Command& command : all) {
    absl::StrAppend(&text, "            case ", Quoted(command.words),
                    "\n                set command ", Quoted(command.words), "\n");
  }
  text +=
      "        end\n"
      "    end\n"
      "    test \"$command\" = \"$argv[1]\"\n"
      "end\n\n"
      "function __isochron_console_file\n"
      "    set -l typed (string replace -r '^--[a-z0-9-]+=' '' -- (commandline -ct))\n"
      "    if string match -q 'file:*' -- $typed\n"
      "        string replace -r '^' file: -- (__fish_complete_path (string sub -s 6 -- $typed))\n"
      "    else\n"
      "        echo file:\n"
      "    end\n"
      "end\n\n"
      "complete -c isochron -f\n";
  absl::StrAppend(&text, CommandNames(app, ""), Options(app, ""));
  for (const Command& command : all) {
    absl::StrAppend(&text, CommandNames(*command.app, command.words),
                    Options(*command.app, command.words));
  }
  return text;
}

}  // namespace isochron::cli
