// `isochron conform`: runs a guest on two engines at the same time and compares everything.

#ifndef ISOCHRON_CLI_COMMANDS_CONFORM_H_
#define ISOCHRON_CLI_COMMANDS_CONFORM_H_

#include <functional>
#include <string>

#include <CLI/App.hpp>

#include "cli/run/run_options.h"

namespace isochron::cli {

struct ConformOptions {
  RunOptions run;
  std::string log_path;      // empty: run a guest; otherwise repeat this log
  std::string engines;       // two names, "ref,jit"
  std::string output_path;   // empty: the log is not kept
  std::string guest_option;  // one that a log excludes, if any was given
};

// Adds the command to `app`; when it is given, `command` becomes what runs it.
void AddConformCommand(CLI::App& app, std::function<int()>& command);

// Runs the guest on both engines. Says in one line on standard error that they agree, or finds the
// first instruction at which they do not and reports it there. What was found is at the paths for
// reports, too, whatever it was. Returns the exit code.
int ConformGuest(ConformOptions options);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_CONFORM_H_
