#include "cli/commands/record.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/run/guest.h"
#include "cli/run/guest_run.h"
#include "cli/run/log_output.h"
#include "cli/run/snapshot_output.h"
#include "cli/text/exit_code.h"

namespace isochron::cli {

void AddRecordCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* record = app.add_subcommand("record", "Run a guest and write its replay log");
  auto options = std::make_shared<RecordOptions>();
  record->add_option("-o,--output", options->log_path, "the log to write; - is standard output")
      ->type_name("LOG")
      ->required();
  AddSnapshotOption(*record, options->snapshot_every);
  AddMachineOptions(*record, options->run);
  AddIntervalOptions(*record, options->run);
  AddEngineOption(*record, options->run);
  AddControlOptions(*record, options->run);
  AddLiveGdbOptions(*record, options->gdb);
  AddLogLimitOption(*record, options->run);
  AddConsoleOptions(*record, options->run);
  AddReportOption(*record, options->run);
  record->footer(TerminalHelp() + ExitCodeHelp(ExitCodesOfRuns()));
  record->callback([options, &command] { command = [options] { return RecordGuest(*options); }; });
}

int RecordGuest(const RecordOptions& options) {
  if (options.snapshot_every.has_value()) {
    if (absl::Status status = SnapshotOutput::CheckLog(options.log_path); !status.ok()) {
      return RefuseInput(status);
    }
  }
  absl::Status status = CheckLiveGdb(options.gdb, options.run, options.log_path);
  if (!status.ok()) return RefuseInput(status);
  CommandFiles files;
  files.AddLog(options.log_path, "the log");
  absl::StatusOr<Guest> guest = PrepareGuest(options.run, std::move(files));
  if (!guest.ok()) return RefuseInput(guest.status());
  GuestRun run(*std::move(guest), SandboxMode::kRecord);
  status = run.AddLog(options.log_path, options.run);
  if (status.ok()) {
    status = run.AddSnapshots(options.log_path, HeaderOf(run.guest()), options.snapshot_every);
  }
  std::unique_ptr<LiveGdb> gdb;
  if (status.ok()) {
    auto created = LiveGdb::Create(options.gdb, run);
    status = created.status();
    if (created.ok()) gdb = *std::move(created);
  }
  if (!status.ok()) {
    run.Discard();
    return RefuseInput(status);
  }
  return run.RunToEnd(options.run);
}

}  // namespace isochron::cli
