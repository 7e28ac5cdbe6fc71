#include "cli/commands/live_gdb.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands/replay_gdb.h"
#include "cli/run/log_output.h"
#include "cli/run/open_timeline.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "debug/gdb/gdb_server.h"
#include "debug/gdb/timeline_debuggee.h"
#include "timeline/timeline.h"

namespace isochron::cli {

namespace {

// Whether it is the host's failure in the present, with which the run ended and which that tells.
bool IsOfHost(const absl::Status& failure, const std::optional<machine::RunEnd>& end) {
  return end.has_value() && end->kind == machine::RunEnd::Kind::kObserver &&
         end->message == failure.message();
}

}  // namespace

absl::Status CheckLiveGdb(const LiveGdbOptions& options, const RunOptions& run,
                          const std::string& log_path) {
  if (!options.target.has_value()) {
    if (options.symbol_files.empty() && !options.snapshot_memory.has_value()) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError("--snapshot-memory and --symbols need --gdb");
  }
  if (run.control.has_value()) {
    return absl::InvalidArgumentError("--gdb and --control exclude each other: one drives the run");
  }
  if (options.target->kind != GdbTarget::Kind::kStdio) return absl::OkStatus();
  bool taken = log_path == "-";
  for (const ConsoleTarget& console : run.consoles) {
    taken = taken || console.kind == ConsoleTarget::Kind::kStdio;
  }
  if (!taken) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--gdb - has standard input and output to itself: give --console null or --console "
      "file:PATH, and write the log to a file");
}

void AddLiveGdbOptions(CLI::App& command, LiveGdbOptions& options) {
  AddGdbOption(command, options.target,
               "wait for a gdb there before the guest starts, which then stops it, looks and "
               "writes; - is standard input and output (docs/debugging.md)");
  AddSnapshotMemoryOption(command, options.snapshot_memory);
  AddSymbolsOption(command, options.symbol_files);
}

absl::StatusOr<std::unique_ptr<LiveGdb>> LiveGdb::Create(const LiveGdbOptions& options,
                                                         GuestRun& run) {
  if (!options.target.has_value()) return nullptr;
  auto symbols = MakeSymbols(run.machine().kernel(), options.symbol_files);
  if (!symbols.ok()) return symbols.status();
  absl::StatusOr<std::unique_ptr<GdbSocket>> socket =
      GdbSocket::Open(*options.target, run.session().stop_event());
  if (!socket.ok()) return socket.status();
  const bool stdio = options.target->kind == GdbTarget::Kind::kStdio;
  if (!stdio) Say(absl::StrCat("waiting for gdb: target remote ", (*socket)->where()));
  std::unique_ptr<LiveGdb> gdb(new LiveGdb(run, stdio, SnapshotBudget(options.snapshot_memory),
                                           *std::move(symbols), *std::move(socket)));
  run.SetDriver(*gdb);
  return gdb;
}

LiveGdb::LiveGdb(GuestRun& run, bool stdio, const timeline::Timeline::Options& snapshots,
                 std::unique_ptr<debug::Symbols> symbols, std::unique_ptr<GdbSocket> socket)
    : run_(run),
      stdio_(stdio),
      snapshots_(snapshots),
      symbols_(std::move(symbols)),
      socket_(std::move(socket)) {}

absl::Status LiveGdb::Await() {
  const absl::StatusOr<bool> there = socket_->AwaitClient();
  if (!there.ok()) return there.status();
  there_ = *there;
  return absl::OkStatus();
}

machine::RunEnd LiveGdb::Run(machine::Machine& machine) {
  if (there_) {
    if (std::optional<machine::RunEnd> end = ServeClient(machine)) return *std::move(end);
  }
  return machine.Run();
}

int LiveGdb::CodeAfter(int exit_code) const {
  return failed_ ? ToInt(ExitCode::kInternal) : exit_code;
}

std::optional<machine::RunEnd> LiveGdb::ServeClient(machine::Machine& machine) {
  const auto timeline = timeline::Timeline::CreateLive(machine, HeaderOf(run_.guest()), snapshots_);
  debug::TimelineDebuggee debuggee(*timeline, *symbols_);
  debug::GdbServer server(debuggee, *socket_);
  if (const absl::Status status = server.Serve(); !status.ok()) {
    Say(absl::StrCat("gdb was left: ", std::string(status.message())));
  }
  const absl::StatusOr<timeline::Arrival> back = timeline->GoToPresent();
  if (!debuggee.failure().ok() && !IsOfHost(debuggee.failure(), timeline->run_end())) {
    Say(absl::StrCat("in the past: ", std::string(debuggee.failure().message())));
    failed_ = true;
  }
  if (!back.ok()) return machine::RunEnd::OfHost(back.status());
  run_.session().NoteIdleElsewhere(timeline->idle_elsewhere());
  // Who has asked for a stop gets it from the session.
  const bool over = server.killed() || (stdio_ && !socket_->stopped());
  if (over && !timeline->run_end().has_value()) {
    (void)timeline->Inject(machine::Input::Stop(machine::StopCause::kQuit));
  }
  return timeline->run_end();
}

}  // namespace isochron::cli
