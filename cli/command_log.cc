#include "cli/command_log.h"

namespace isochron::cli {

void AddLogCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* log = app.add_subcommand("log", "Read, compare, check and pack logs");
  AddLogInfoCommand(*log, command);
  AddLogDumpCommand(*log, command);
  AddLogDiffCommand(*log, command);
  AddLogVerifyCommand(*log, command);
  AddLogBundleCommand(*log, command);
}

}  // namespace isochron::cli
