// `isochron demo`: boots a small guest that comes with the program.

#ifndef ISOCHRON_CLI_COMMANDS_DEMO_H_
#define ISOCHRON_CLI_COMMANDS_DEMO_H_

#include <functional>
#include <string>

#include <CLI/App.hpp>

#include "absl/status/statusor.h"

namespace isochron::cli {

// Adds the command. When it is the one that was given, `command` becomes what runs it and
// returns the exit code.
void AddDemoCommand(CLI::App& app, std::function<int()>& command);

// The path of the demo's kernel: where an installation has it, seen from `program` (the path of the
// running program), otherwise where the build has it. NotFound, with the places, when it is at
// neither.
absl::StatusOr<std::string> FindDemoKernel(const std::string& program);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_DEMO_H_
