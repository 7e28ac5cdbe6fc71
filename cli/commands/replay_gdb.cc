#include "cli/commands/replay_gdb.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/run/guest.h"
#include "cli/run/privileges.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "debug/gdb/gdb_server.h"
#include "debug/gdb/timeline_debuggee.h"
#include "hostio/stop_signals.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {
namespace {

// Serves the client that is there. Returns the exit code.
int Serve(const TimelineOptions& options, OpenedTimeline& opened, GdbSocket& socket,
          std::unique_ptr<replaylog::LogReader> log) {
  debug::TimelineDebuggee debuggee(*opened.timeline, *opened.symbols, std::move(log));
  const absl::Status status = debug::GdbServer(debuggee, socket).Serve();
  if (socket.signal() != 0) return ToInt(ExitCode::kSignalBase) + socket.signal();
  if (!status.ok()) Say(absl::StrCat("gdb was left: ", status.message()));
  if (debuggee.failure().ok()) return ToInt(ExitCode::kOk);
  return ReportTimelineFailure(debuggee.failure(), options.log_path, *opened.timeline);
}

}  // namespace

CLI::Option* AddGdbOption(CLI::App& command, std::optional<GdbTarget>& target) {
  return command
      .add_option_function<std::string>(
          "--gdb", [&target](const std::string& text) { target = *ParseGdbTarget(text); },
          "replay nothing by itself: wait for a gdb there, which goes forward and back in the "
          "recording; - is standard input and output (docs/debugging.md)")
      ->check([](const std::string& text) {
        const absl::StatusOr<GdbTarget> parsed = ParseGdbTarget(text);
        return parsed.ok() ? std::string() : std::string(parsed.status().message());
      })
      ->type_name("[ADDRESS:]PORT|unix:PATH|-")
      ->group("Control");
}

int ShowToGdb(const TimelineOptions& options, const GdbTarget& target) {
  hostio::StopSignals signals;
  absl::StatusOr<OpenedTimeline> opened = OpenTimeline(options);
  if (!opened.ok()) return RefuseInput(opened.status());
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
      replaylog::LogReader::Open(options.log_path);
  if (!log.ok()) return RefuseInput(log.status());
  absl::StatusOr<std::unique_ptr<GdbSocket>> socket = GdbSocket::Open(target, signals);
  if (!socket.ok()) return RefuseInput(socket.status());
  if (!(*socket)->where().empty()) {
    Say(absl::StrCat("waiting for gdb: target remote ", (*socket)->where()));
  }
  const absl::StatusOr<bool> there = (*socket)->AwaitClient();
  if (!there.ok()) return RefuseInput(there.status());
  if (!*there) return ToInt(ExitCode::kSignalBase) + (*socket)->signal();
  if (absl::Status status = GiveUpPrivileges(options.run.sandbox, SandboxMode::kReplay);
      !status.ok()) {
    return RefuseInput(status);
  }
  return Serve(options, *opened, **socket, *std::move(log));
}

}  // namespace isochron::cli
