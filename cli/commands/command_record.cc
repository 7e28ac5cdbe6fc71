#include "cli/commands/command_record.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/run/guest.h"
#include "cli/run/log_output.h"
#include "cli/run/report_file.h"
#include "cli/run/snapshot_output.h"
#include "cli/text/exit_code.h"
#include "machine/machine.h"
#include "timeline/observer_list.h"

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
  CommandFiles files;
  files.AddLog(options.log_path, "the log");
  absl::StatusOr<Guest> guest = PrepareGuest(options.run, std::move(files));
  if (!guest.ok()) return RefuseInput(guest.status());
  absl::StatusOr<std::unique_ptr<LogOutput>> log =
      LogOutput::Create(options.log_path, options.run, *guest);
  if (!log.ok()) return RefuseInput(log.status());
  (*log)->Limit(options.run, *guest->session);
  timeline::ObserverList observers;
  observers.Add(&(*log)->recorder());
  std::unique_ptr<SnapshotOutput> snapshots;
  if (options.snapshot_every.has_value()) {
    absl::StatusOr<std::unique_ptr<SnapshotOutput>> created =
        SnapshotOutput::Create(options.log_path, HeaderOf(*guest), *guest->machine,
                               options.snapshot_every->Cycles(options.run.config.clock_hz));
    if (!created.ok()) {
      (*log)->Discard();
      return RefuseInput(created.status());
    }
    snapshots = *std::move(created);
    observers.Add(&snapshots->taker());
  }
  ControlServices services;
  services.snapshot = [&] {
    return TakeSnapshot(snapshots, options.log_path, HeaderOf(*guest), *guest->machine, observers);
  };
  services.save = [&](const std::string& path) { return (*log)->SaveCopy(path, guest->files); };
  guest->session->SetSandboxMode(SandboxMode::kRecord);
  guest->session->SetControlServices(std::move(services));
  guest->machine->SetObserver(&observers);
  absl::StatusOr<machine::RunEnd> end = guest->session->Run(*guest->machine);
  guest->machine->SetObserver(nullptr);
  if (!end.ok()) {
    if (snapshots != nullptr) snapshots->Discard();
    (*log)->Discard();
    return RefuseInput(end.status());
  }
  int exit_code = (*log)->Finish(*end, guest->session->Report(*end, *guest->machine));
  if (snapshots != nullptr) exit_code = snapshots->FinishOr(exit_code);
  exit_code = WriteRunReport(options.run, *end, exit_code, *guest, (*log)->Identity());
  const std::string fields = (*log)->Json();
  log->reset();  // who hears of the end may record to the same file
  guest->session->EndControl(*end, *guest->machine, exit_code, fields);
  return exit_code;
}

}  // namespace isochron::cli
