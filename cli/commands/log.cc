#include "cli/commands/log.h"

#include "cli/run/run_options.h"
#include "cli/text/exit_code.h"

namespace isochron::cli {

void AddLogCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* log = app.add_subcommand("log", "Read, compare, check and pack logs");
  log->footer(ExitCodeHelp({ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage,
                            ExitCode::kDifference, ExitCode::kSignalBase}));
  AddLogInfoCommand(*log, command);
  AddLogDumpCommand(*log, command);
  AddLogDiffCommand(*log, command);
  AddLogVerifyCommand(*log, command);
  AddLogBundleCommand(*log, command);
  AddLogPcapCommand(*log, command);
  AddLogSnapshotsCommand(*log, command);
  for (CLI::App* subcommand : log->get_subcommands({})) AddPipeOption(*subcommand);
}

}  // namespace isochron::cli
