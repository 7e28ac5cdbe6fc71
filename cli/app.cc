#include "cli/app.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/strings/str_cat.h"
#include "cli/commands/conform.h"
#include "cli/commands/demo.h"
#include "cli/commands/help.h"
#include "cli/commands/hunt.h"
#include "cli/commands/log.h"
#include "cli/commands/profile.h"
#include "cli/commands/query.h"
#include "cli/commands/record.h"
#include "cli/commands/replay.h"
#include "cli/commands/report.h"
#include "cli/commands/run.h"
#include "cli/commands/trace.h"
#include "cli/host/terminal.h"
#include "cli/run/version.h"
#include "cli/text/command_line.h"
#include "cli/text/exit_code.h"
#include "cli/text/option_kind.h"
#include "cli/text/report.h"
#include "cli/text/usage_error.h"
#include "hostio/file.h"

namespace isochron::cli {
namespace {

int UsageError(const std::string& message) {
  Say(message);
  return ToInt(ExitCode::kUsage);
}

// How to ask for the help of the command that was being read: "isochron log dump --help".
std::string HelpOf(const CLI::App& app) {
  const std::vector<CLI::App*> given = app.get_subcommands();
  return absl::StrCat(app.get_name(), " ", given.empty() ? "--help" : HelpOf(*given.front()));
}

int UsageErrorIn(const CLI::App& app, const std::string& message) {
  return UsageError(absl::StrCat(message, " (see ", HelpOf(app), ")"));
}

// Whether anybody can read what is written there.
bool IsWritable(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY) return false;
  pollfd state = {fd, POLLOUT, 0};
  return poll(&state, 1, 0) < 0 || (state.revents & (POLLERR | POLLNVAL)) == 0;
}

// So that no file opened later takes the place of a stream that was closed.
void FillClosedStream(int fd) {
  if (fcntl(fd, F_GETFD) == -1) {
    [[maybe_unused]] int opened = open("/dev/null", O_RDWR);
  }
}

// Ends the process: what the host refuses cannot be had by unwinding either. A log stays readable
// to its last whole frame.
[[noreturn]] void EndRefused(std::string_view what) {
  RawTerminal::LeaveNow();
  hostio::WriteAll(STDERR_FILENO, "isochron: ");
  hostio::WriteAll(STDERR_FILENO, what);
  hostio::WriteAll(STDERR_FILENO, "\n");
  _exit(ToInt(ExitCode::kInternal));
}

// Has what the host does to us come out as errors where we asked for something.
void PrepareProcess() {
  signal(SIGPIPE, SIG_IGN);  // an error of write()
  signal(SIGXFSZ, SIG_IGN);  // the same
  std::set_new_handler([] { EndRefused("the host has no memory left"); });
}

// Help and version; what CLI11 calls a successful end of parsing.
int PrintHelp(const CLI::App& app, const CLI::ParseError& request) {
  std::ostringstream text;
  app.exit(request, text, text);
  if (hostio::WriteAll(STDOUT_FILENO, text.str()) == text.str().size()) {
    return ToInt(ExitCode::kOk);
  }
  Say("cannot write standard output");
  return ToInt(ExitCode::kInternal);
}

// What holds for the options of all commands: a flag has no value, and a file has a name.
void RefuseEmptyValues(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!TakesValue(*option)) option->disable_flag_override();
    if (!NamesFile(*option)) continue;
    option->check([](const std::string& path) {
      return std::string(path.empty() ? "the path is empty" : "");
    });
  }
  for (CLI::App* command : app.get_subcommands({})) RefuseEmptyValues(*command);
}

}  // namespace

void AddCommands(CLI::App& app, std::function<int()>& command) {
  app.set_version_flag("-V,--version", VersionText());
  app.require_subcommand(0, 1);
  app.footer(ExitCodeHelp());
  AddRunCommand(app, command);
  AddRecordCommand(app, command);
  AddReplayCommand(app, command);
  AddConformCommand(app, command);
  AddHuntCommand(app, command);
  AddLogCommand(app, command);
  AddQueryCommand(app, command);
  AddTraceCommand(app, command);
  AddReportCommand(app, command);
  AddProfileCommand(app, command);
  AddDemoCommand(app, command);
  AddHelpCommand(app, command);
}

int Main(int argc, char** argv) {
  FillClosedStream(STDIN_FILENO);
  const bool writable = IsWritable(STDOUT_FILENO);
  FillClosedStream(STDOUT_FILENO);
  FillClosedStream(STDERR_FILENO);
  if (!writable) return UsageError("standard output is closed");
  PrepareProcess();

  NoteCommandLine(argc, argv);
  CLI::App app(kDescription, "isochron");
  std::function<int()> command;
  AddCommands(app, command);
  RefuseEmptyValues(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // CLI11 knows no other way
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return PrintHelp(app, error);
    }
    return UsageErrorIn(app, ExplainParseError(app, error));
  }
  if (!command) return UsageErrorIn(app, "a command is required");
  return command();
}

}  // namespace isochron::cli
