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
  auto gdb = std::make_shared<LiveGdbOptions>();
  AddMachineOptions(*run, *options);
  AddEngineOption(*run, *options);
  AddControlOptions(*run, *options);
  AddLiveGdbOptions(*run, *gdb);
  AddConsoleOptions(*run, *options);
  AddReportOption(*run, *options);
  run->footer(TerminalHelp() + ExitCodeHelp(ExitCodesOfRuns()));
  run->callback(
      [options, gdb, &command] { command = [options, gdb] { return RunGuest(*options, *gdb); }; });
}

int RunGuest(const RunOptions& options, const LiveGdbOptions& gdb) {
  if (absl::Status status = CheckLiveGdb(gdb, options, /*log_path=*/""); !status.ok()) {
    return RefuseInput(status);
  }
  absl::StatusOr<Guest> guest = PrepareGuest(options, CommandFiles());
  if (!guest.ok()) return RefuseInput(guest.status());
  // Its report and its NVRAM are files that are made when the guest has run.
  const bool makes_files = !options.report_path.empty() || !options.nvram_path.empty();
  const SandboxMode sandbox = makes_files ? SandboxMode::kRecord : SandboxMode::kRun;
  GuestRun run(*std::move(guest), sandbox);
  const auto driver = LiveGdb::Create(gdb, run);
  if (!driver.ok()) return RefuseInput(driver.status());
  return run.RunToEnd(options);
}

}  // namespace isochron::cli
