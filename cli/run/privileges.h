// Giving up what a process does not need, as far as the user and the host let it.

#ifndef ISOCHRON_CLI_RUN_PRIVILEGES_H_
#define ISOCHRON_CLI_RUN_PRIVILEGES_H_

#include "absl/status/status.h"
#include "cli/host/sandbox.h"
#include "cli/run/run_options.h"

namespace isochron::cli {

// Enters the sandbox, as EnterSandbox() does, as `use` has it. Where it is not demanded and the
// host has none, the process goes on without. An error: nothing is to be run.
absl::Status GiveUpPrivileges(SandboxUse use, SandboxMode mode);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_PRIVILEGES_H_
