// --cpu: one of the CPUs of a recorded machine.

#ifndef ISOCHRON_CLI_RUN_CPU_OPTION_H_
#define ISOCHRON_CLI_RUN_CPU_OPTION_H_

#include <optional>
#include <string>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "machine/machine.h"

namespace isochron::cli {

// Adds --cpu, a number from 0 on.
void AddCpuOption(CLI::App& command, std::optional<int>& cpu, const std::string& description);

// InvalidArgument, with those that there are, when the machine of a log has no such CPU.
absl::Status CheckCpu(const std::optional<int>& cpu, const machine::Machine& machine);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_CPU_OPTION_H_
