#include "cli/commands/replay_gdb.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/run/command_files.h"
#include "cli/run/guest.h"
#include "cli/run/log_output.h"
#include "cli/run/privileges.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "debug/gdb/gdb_server.h"
#include "debug/gdb/timeline_debuggee.h"
#include "hostio/stop_signals.h"
#include "machine/events/input.h"
#include "replaylog/event.h"
#include "replaylog/output_file.h"
#include "timeline/timeline.h"

namespace isochron::cli {
namespace {

// The log of the run that `monitor branch` makes of a recording.
class BranchLog {
 public:
  BranchLog(const TimelineOptions& options, OpenedTimeline& opened)
      : options_(options), opened_(opened) {}

  // Begins it at `path` with what has been up to here, and has the run go on.
  absl::Status Begin(const std::string& path) {
    if (replaylog::IsSpecialFile(path)) {
      return absl::InvalidArgumentError("a branch needs the name of a file for its log");
    }
    CommandFiles files;
    files.AddInput(options_.log_path, "the log that is replayed");
    files.AddImages(opened_.images);
    files.AddLog(path, "the new log");
    if (absl::Status status = files.Check(); !status.ok()) return status;
    timeline::Timeline& timeline = *opened_.timeline;
    if (timeline.run_end().has_value()) return timeline.Branch(nullptr, nullptr);
    absl::StatusOr<std::unique_ptr<LogOutput>> log =
        LogOutput::Create(path, options_.run, timeline.header(), opened_.images);
    if (!log.ok()) return log.status();
    absl::Status status =
        timeline.ReadPast([&](const replaylog::Event& event) { (*log)->Append(event); });
    if (status.ok()) status = timeline.Branch(nullptr, &(*log)->recorder());
    if (!status.ok()) {
      (*log)->Discard();
      return status;
    }
    log_ = *std::move(log);
    return absl::OkStatus();
  }

  // Ends the run in order, if there is one and nothing has, and its log. Returns the exit code.
  int Finish(int signal, int exit_code) {
    if (log_ == nullptr) return exit_code;
    using machine::StopCause;
    timeline::Timeline& timeline = *opened_.timeline;
    if (const auto back = timeline.GoToPresent(); !back.ok()) {
      return log_->Finish(machine::RunEnd::OfHost(back.status()), exit_code);
    }
    if (!timeline.run_end().has_value()) {
      (void)timeline.Inject(machine::Input::Stop(
          signal != 0 ? StopCause::kSignal : StopCause::kQuit, static_cast<uint32_t>(signal)));
    }
    return log_->Finish(*timeline.run_end(), exit_code);
  }

 private:
  const TimelineOptions& options_;
  OpenedTimeline& opened_;
  std::unique_ptr<LogOutput> log_;
};

// Serves the client that is there. Returns the exit code.
int Serve(const TimelineOptions& options, OpenedTimeline& opened, GdbSocket& socket) {
  debug::TimelineDebuggee debuggee(*opened.timeline, *opened.symbols);
  BranchLog branch(options, opened);
  debuggee.SetBrancher([&branch](const std::string& path) { return branch.Begin(path); });
  const absl::Status status = debug::GdbServer(debuggee, socket).Serve();
  const int signal = socket.signal();
  if (signal == 0 && !status.ok()) Say(absl::StrCat("gdb was left: ", status.message()));
  const int exit_code =
      branch.Finish(signal, ToInt(signal == 0 ? ExitCode::kOk : ExitCode::kSignalBase) + signal);
  if (signal != 0 || debuggee.failure().ok()) return exit_code;
  return ReportTimelineFailure(debuggee.failure(), options.log_path, *opened.timeline);
}

}  // namespace

CLI::Option* AddGdbOption(CLI::App& command, std::optional<GdbTarget>& target,
                          const std::string& description) {
  return command
      .add_option_function<std::string>(
          "--gdb", [&target](const std::string& text) { target = *ParseGdbTarget(text); },
          description)
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
  return Serve(options, *opened, **socket);
}

}  // namespace isochron::cli
