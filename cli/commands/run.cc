#include "cli/commands/run.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "cli/run/guest.h"
#include "cli/run/guest_run.h"
#include "cli/text/exit_code.h"

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
  const SandboxMode sandbox =
      options.report_path.empty() ? SandboxMode::kRun : SandboxMode::kRecord;
  return GuestRun(*std::move(guest), sandbox).RunToEnd(options);
}

}  // namespace isochron::cli
