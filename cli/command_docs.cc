#include "cli/command_docs.h"

#include <functional>
#include <string_view>
#include <vector>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/command_log.h"
#include "cli/exit_code.h"
#include "cli/option_kind.h"
#include "conformance/engines.h"

namespace isochron::cli {
namespace {

// A command with the words that call it: "log dump".
struct Command {
  std::string words;
  const CLI::App* app;
};

// All commands that do something, in order.
void CollectCommands(const CLI::App& app, const std::string& words,
                     std::vector<Command>& commands) {
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string name = absl::StrCat(words, words.empty() ? "" : " ", child->get_name());
    const size_t before = commands.size();
    CollectCommands(*child, name, commands);
    if (commands.size() == before) commands.push_back({name, child});
  }
}

std::vector<Command> CommandsOf(const CLI::App& app) {
  std::vector<Command> commands;
  CollectCommands(app, "", commands);
  return commands;
}

std::vector<const CLI::Option*> OptionsOf(const CLI::App& app, bool positional) {
  std::vector<const CLI::Option*> options;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional() != positional) options.push_back(option);
  }
  return options;
}

// Text for man(7): its own characters are protected.
std::string Roff(std::string_view text) {
  std::string roff = absl::StrReplaceAll(std::string(text), {{"\\", "\\e"}, {"-", "\\-"}});
  if (roff.starts_with(".") || roff.starts_with("'")) roff.insert(0, "\\&");
  return absl::StrReplaceAll(roff, {{"\n.", "\n\\&."}, {"\n'", "\n\\&'"}});
}

std::string RoffValue(const CLI::Option& option) {
  return absl::StrCat(" \\fI", Roff(option.get_type_name()), "\\fR");
}

// "-o, --output LOG" with bold names.
std::string RoffNames(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("\\fB\\-" + name + "\\fR");
  for (const std::string& name : option.get_lnames()) {
    names.push_back("\\fB\\-\\-" + Roff(name) + "\\fR");
  }
  std::string text = absl::StrJoin(names, ", ");
  if (TakesValue(option)) text += RoffValue(option);
  return text;
}

// The shortest way to write it: "-o LOG".
std::string RoffShortest(const CLI::Option& option) {
  const std::string name = option.get_snames().empty() ? "--" + option.get_lnames().front()
                                                       : "-" + option.get_snames().front();
  return absl::StrCat("\\fB", Roff(name), "\\fR", TakesValue(option) ? RoffValue(option) : "");
}

std::string Synopsis(const Command& command) {
  std::string text = absl::StrCat(".B isochron ", Roff(command.words), "\n");
  for (const CLI::Option* option : OptionsOf(*command.app, false)) {
    if (!option->get_required()) continue;
    absl::StrAppend(&text, RoffShortest(*option), "\n");
  }
  absl::StrAppend(&text, "[\\fIOPTION\\fR...]\\&\n");
  for (const CLI::Option* option : OptionsOf(*command.app, true)) {
    const std::string name = absl::StrCat("\\fI", Roff(option->get_type_name()), "\\fR");
    for (int i = 0; i < std::max(1, option->get_items_expected_min()); ++i) {
      absl::StrAppend(&text, option->get_required() ? name : absl::StrCat("[", name, "]"), "\n");
    }
  }
  return text + ".br\n";
}

std::string RoffCommand(const Command& command) {
  std::string text = absl::StrCat(".SS isochron ", Roff(command.words), "\n",
                                  Roff(command.app->get_description()), ".\n");
  for (const CLI::Option* option : OptionsOf(*command.app, false)) {
    if (option->get_single_name() == "help") continue;
    absl::StrAppend(&text, ".TP\n", RoffNames(*option), "\n", Roff(option->get_description()));
    if (!option->get_default_str().empty()) {
      absl::StrAppend(&text, " (default: ", Roff(option->get_default_str()), ")");
    }
    absl::StrAppend(&text, ".\n");
  }
  return text;
}

// Installing below another prefix than /usr replaces it (packaging/CMakeLists.txt).
constexpr std::string_view kDocumentation = "/usr/share/doc/isochron";

constexpr std::string_view kFiles =
    ".SH FILES\n"
    ".TP\n\\fILOG\\fR\nThe replay log; \\fILOG\\fR.partial until it is complete.\n"
    ".TP\n\\fILOG\\fR.images\nA text that names the images of a log with their digests.\n"
    ".TP\n\\fILOG\\fR.snapshots\nWhere a replay of the log can begin.\n";

// An offer of these words, as a command of bash.
std::string Offer(const std::vector<std::string>& words) {
  return absl::StrCat("_isochron_offer \"", absl::StrJoin(words, " "), "\"");
}

// What a value of this option is completed to, as a command of bash.
std::string Completion(const CLI::Option& option) {
  const std::string name = option.get_single_name();
  const std::vector<std::string> engines = conformance::EngineNames();
  if (name == "engine") return Offer(engines);
  if (name == "engines") {
    std::vector<std::string> pairs;
    for (const std::string& first : engines) {
      for (const std::string& second : engines) pairs.push_back(absl::StrCat(first, ",", second));
    }
    return Offer(pairs);
  }
  if (name == "type") return Offer(LogDumpTypes());
  if (name == "console") {
    return Offer({"stdio", "null", "file:"}) +
           "; if [[ ${COMPREPLY[0]-} == file: ]]; then compopt -o nospace; fi";
  }
  if (NamesFile(option)) return "compopt -o default";
  return ":";
}

// The branch of a command in the completion's case.
std::string BashCommand(const Command& command) {
  std::vector<std::string> names;
  std::string values;
  for (const CLI::Option* option : OptionsOf(*command.app, false)) {
    std::vector<std::string> patterns;
    for (const std::string& name : option->get_snames()) patterns.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) patterns.push_back("--" + name);
    names.insert(names.end(), patterns.begin(), patterns.end());
    if (!TakesValue(*option)) continue;
    absl::StrAppend(&values, "        ", absl::StrJoin(patterns, " | "), ") ",
                    Completion(*option), "; return ;;\n");
  }
  std::string text = absl::StrCat("    \"", command.words, "\")\n");
  if (!values.empty()) {
    absl::StrAppend(&text, "      case $previous in\n", values, "      esac\n");
  }
  if (!OptionsOf(*command.app, true).empty()) {
    text += "      if [[ $word != -* ]]; then compopt -o default; return; fi\n";
  }
  return absl::StrCat(text, "      ", Offer(names), " ;;\n");
}

// The branch for what has commands below it.
std::string BashGroup(const CLI::App& app, const std::string& words) {
  std::vector<std::string> names;
  std::string text;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(child->get_name());
    const bool is_group =
        !child->get_subcommands([](const CLI::App*) { return true; }).empty();
    if (is_group) {
      text += BashGroup(*child, absl::StrCat(words, words.empty() ? "" : " ", child->get_name()));
    }
  }
  if (words.empty()) names.push_back("--version");
  names.push_back("--help");
  return absl::StrCat(text, "    \"", words, "\") ", Offer(names), " ;;\n");
}

}  // namespace

std::string ManPage(const CLI::App& app, const std::string& version) {
  std::string text = absl::StrCat(
      ".\\\" Generated from the definitions of commands and options.\n"
      ".TH ISOCHRON 1 \"\" \"isochron ",
      version, "\" \"User Commands\"\n.SH NAME\nisochron \\- ",
      Roff(absl::AsciiStrToLower(app.get_description().substr(0, 1)) +
           app.get_description().substr(1)),
      "\n.SH SYNOPSIS\n");
  const std::vector<Command> commands = CommandsOf(app);
  for (const Command& command : commands) text += Synopsis(command);
  absl::StrAppend(&text, ".B isochron \\-\\-version\n.br\n.B isochron \\-\\-help\n",
                  ".SH DESCRIPTION\n",
                  "Runs kernels for DEC Alpha on an emulated EV67 in a Clipper board, does exactly "
                  "the same thing every time,\nand records and replays runs.\n",
                  ".SH COMMANDS\n");
  for (const Command& command : commands) text += RoffCommand(command);
  text += ".SH EXIT STATUS\n";
  for (const ExitCodeRow& row : kExitCodes) {
    absl::StrAppend(&text, ".TP\n", ExitCodeText(row), "\n", Roff(row.meaning), ".\n");
  }
  return absl::StrCat(text, std::string(kFiles),
                      ".SH SEE ALSO\nThe documentation in ", std::string(kDocumentation),
                      ", first of all docs/cli.md,\nwhich describes all of this, scripts and keys.\n");
}

std::string BashCompletion(const CLI::App& app) {
  std::string text =
      "# Completion of isochron for bash. Generated from the definitions of commands and options.\n"
      "_isochron_offer() {\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\")\n"
      "}\n\n"
      "_isochron() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} command='' before=$((COMP_CWORD - 1)) i\n"
      "  # Bash takes = and : for words.\n"
      "  if [[ $word == [=:] ]]; then\n"
      "    word=''\n"
      "    ((++before))\n"
      "  fi\n"
      "  if [[ ${COMP_WORDS[before]} == : ]]; then\n"
      "    if [[ ${COMP_WORDS[before - 1]} == file ]]; then compopt -o default; fi\n"
      "    return\n"
      "  fi\n"
      "  if [[ ${COMP_WORDS[before]} == = ]]; then ((--before)); fi\n"
      "  local previous=${COMP_WORDS[before]}\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case \"${command:+$command }${COMP_WORDS[i]}\" in\n";
  std::vector<std::string> all;
  std::function<void(const CLI::App&, const std::string&)> add =
      [&](const CLI::App& parent, const std::string& words) {
        for (const CLI::App* child :
             parent.get_subcommands([](const CLI::App*) { return true; })) {
          const std::string full = absl::StrCat(words, words.empty() ? "" : " ", child->get_name());
          all.push_back(full);
          add(*child, full);
        }
      };
  add(app, "");
  for (const std::string& words : all) {
    absl::StrAppend(&text, "      \"", words, "\") command=\"", words, "\" ;;\n");
  }
  text += "    esac\n  done\n  case $command in\n";
  for (const Command& command : CommandsOf(app)) text += BashCommand(command);
  text += BashGroup(app, "");
  return text +
         "  esac\n"
         "}\n"
         "complete -F _isochron isochron\n";
}

}  // namespace isochron::cli
