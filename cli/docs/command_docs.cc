#include "cli/docs/command_docs.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/docs/command_list.h"
#include "cli/host/escape_keys.h"
#include "cli/text/exit_code.h"
#include "cli/text/option_kind.h"

namespace isochron::cli {
namespace {

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
    ".TP\n\\fILOG\\fR\nThe replay log; \\fILOG\\fR.partial until it is complete. See "
    "isochron\\-log(5).\n"
    ".TP\n\\fILOG\\fR.images\nA text that names the images of a log with their digests.\n"
    ".TP\n\\fILOG\\fR.snapshots\nWhere a replay of the log can begin.\n"
    ".TP\n/tmp/perf\\-\\fIPID\\fR.map\nWhat \\fB\\-\\-perf\\-map\\fR writes.\n"
    ".TP\n/usr/share/isochron/guests/keys.elf\n"
    "The guest that \\fBisochron demo\\fR boots, and the tutorial takes apart.\n";

struct Example {
  std::string_view purpose;
  std::string_view lines;
};

constexpr Example kExamples[] = {
    {"Boots a guest that comes with the program, and waits for a line to be typed:",
     "isochron demo"},
    {"Boots Linux at the terminal:",
     "isochron run --kernel vmlinux --initrd initrd.cpio.gz --append console=ttyS0"},
    {"Records a session, and runs it again with every event compared:",
     "isochron record -o boot.log --kernel vmlinux --initrd initrd.cpio.gz --append console=ttyS0\n"
     "isochron replay boot.log"},
    {"Records what a script does; the log is the same every time:",
     "isochron record -o boot.log --kernel vmlinux --script session --console null"},
    {"Looks into a log, and packs it with its images for somebody else:",
     "isochron log info boot.log\n"
     "isochron log dump boot.log --type input\n"
     "isochron log bundle boot.log -o boot.bundle"},
    {"Goes on by hand from where a recorded run stood at cycle 2,000,000,000:",
     "isochron replay boot.log --until 2G --live -o other.log"},
    {"Holds the engines against each other on a guest of yours:",
     "isochron conform --kernel vmlinux --report difference.html"},
    {"Looks for an order of two CPUs in which a guest fails, and says what makes it fail:",
     "isochron hunt --schedule pct:3 --within 2G --fail 'expect /Oops/' -o hunt -- \\\n"
     "  --kernel vmlinux --cpus 2"},
};

std::string Examples() {
  std::string text = ".SH EXAMPLES\n";
  for (const Example& example : kExamples) {
    absl::StrAppend(&text, ".PP\n", Roff(example.purpose), "\n.PP\n.in +4n\n.EX\n",
                    Roff(example.lines), "\n.EE\n.in\n");
  }
  return text;
}

// What Ctrl-A h shows: a line a key, which and what for.
std::string Keys() {
  std::string text = ".SH KEYS\nAt a terminal all keys go to the guest, but for these:\n";
  const std::vector<std::string> lines =
      absl::StrSplit(std::string(EscapeKeys::Help()), '\n', absl::SkipEmpty());
  for (const std::string& line : lines) {
    const size_t gap = std::min(line.find("  "), line.size());
    const std::string meaning(absl::StripAsciiWhitespace(line.substr(gap)));
    absl::StrAppend(&text, ".TP\n\\fB", Roff(line.substr(0, gap)), "\\fR\n", Roff(meaning), ".\n");
  }
  return text;
}

// Options that stand before any command.
std::string GlobalSynopsis(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : OptionsOf(app, false)) {
    absl::StrAppend(&text, ".br\n.B isochron \\-\\-", Roff(option->get_lnames().front()), "\n");
  }
  return text;
}

}  // namespace

std::string ManPage(const CLI::App& app, const std::string& version) {
  const std::string description = app.get_description();
  std::string text = absl::StrCat(
      ".\\\" Generated from the definitions of commands and options.\n"
      ".TH ISOCHRON 1 \"\" \"isochron ",
      version, "\" \"User Commands\"\n.SH NAME\nisochron \\- ",
      Roff(absl::AsciiStrToLower(description.substr(0, 1)) + description.substr(1)),
      "\n.SH SYNOPSIS\n");
  const std::vector<Command> commands = CommandsOf(app);
  for (const Command& command : commands) text += Synopsis(command);
  absl::StrAppend(&text, GlobalSynopsis(app), ".SH DESCRIPTION\n",
                  "Runs kernels for DEC Alpha on an emulated EV67 in a Clipper board, does exactly "
                  "the same thing every time,\nand records and replays runs.\n",
                  ".SH COMMANDS\n");
  for (const Command& command : commands) text += RoffCommand(command);
  text += Keys();
  text += ".SH EXIT STATUS\n";
  for (const ExitCodeRow& row : kExitCodes) {
    absl::StrAppend(&text, ".TP\n", ExitCodeText(row), "\n", Roff(row.meaning), ".\n");
  }
  return absl::StrCat(text, std::string(kFiles), Examples(),
                      ".SH SEE ALSO\n.BR isochron\\-script (5),\n.BR isochron\\-log (5)\n.PP\n"
                      "The documentation in ",
                      std::string(kDocumentation),
                      ", first of all docs/cli.md,\nwhich describes all of this in full.\n");
}

}  // namespace isochron::cli
