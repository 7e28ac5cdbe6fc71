// What the process gives up before a guest runs.

#ifndef ISOCHRON_CLI_HOST_SANDBOX_H_
#define ISOCHRON_CLI_HOST_SANDBOX_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace isochron::cli {

// What a command still has to do while the guest runs and after it.
enum class SandboxMode : uint8_t {
  kRun,      // opens no file any more
  kRecord,   // completes its log, writes copies and snapshots
  kReplay,   // the same of a new log
  kConform,  // looks for the first difference in child processes, with engines of their own
  kNetwork,  // no command: the process of --net user, which connects to what the guest asks for
};
inline constexpr int kSandboxModes = 5;

// "run", "record", "replay", "conform", "network".
const char* SandboxModeName(SandboxMode mode);

// Why this build or process can have no sandbox, as the tools that it runs under need more system
// calls than it does; empty when it can.
std::string WhyNoSandbox();

// For good, and for all threads: no new privileges, and of the system calls those in
// docs/security.md. Any other ends the process with exit code 1 and a line that names it; files are
// left as they are, so that a log is readable to its last whole frame. Unavailable when the host
// has no such filters.
//
// To be called when all images and the console are open. Threads may be made afterwards, too.
absl::Status EnterSandbox(SandboxMode mode);

// The system calls of each mode, as the table in docs/security.md.
std::string SandboxTable();

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_SANDBOX_H_
