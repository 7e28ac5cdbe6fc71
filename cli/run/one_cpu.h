// What knows machines of one CPU only.

#ifndef ISOCHRON_CLI_RUN_ONE_CPU_H_
#define ISOCHRON_CLI_RUN_ONE_CPU_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "machine/events/config.h"

namespace isochron::cli {

// InvalidArgument when the machine has several CPUs: `what`, as "--from", cannot be used with it.
inline absl::Status NeedsOneCpu(const machine::MachineConfig& config, std::string_view what) {
  if (config.cpus == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what),
                   " knows machines of one CPU only (docs/smp.md); this one has ", config.cpus));
}

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_ONE_CPU_H_
