#include "cli/commands/command_run.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/run/guest.h"
#include "cli/run/report_file.h"
#include "cli/text/exit_code.h"
#include "machine/machine.h"

namespace isochron::cli {

void AddRunCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* run = app.add_subcommand("run", "Boot a kernel and run it to its end");
  auto options = std::make_shared<RunOptions>();
  AddMachineOptions(*run, *options);
  AddEngineOption(*run, *options);
  AddControlOptions(*run, *options);
  AddConsoleOptions(*run, *options);
  AddReportOption(*run, *options);
  run->footer(TerminalHelp() + ExitCodeHelp(ExitCodesOfRuns()));
  run->callback([options, &command] { command = [options] { return RunGuest(*options); }; });
}

int RunGuest(const RunOptions& options) {
  absl::StatusOr<Guest> guest = PrepareGuest(options, CommandFiles());
  if (!guest.ok()) return RefuseInput(guest.status());
  // Its report is a file that is made when the guest has run.
  if (!options.report_path.empty()) guest->session->SetSandboxMode(SandboxMode::kRecord);
  absl::StatusOr<machine::RunEnd> end = guest->session->Run(*guest->machine);
  if (!end.ok()) return RefuseInput(end.status());
  const int exit_code =
      WriteRunReport(options, *end, guest->session->Report(*end, *guest->machine), *guest, "");
  guest->session->EndControl(*end, *guest->machine, exit_code);
  return exit_code;
}

}  // namespace isochron::cli
