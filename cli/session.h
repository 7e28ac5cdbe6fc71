// What surrounds a machine while it runs: terminal, script, pacing, limits, reports.

#ifndef ISOCHRON_CLI_SESSION_H_
#define ISOCHRON_CLI_SESSION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/console_output.h"
#include "cli/cycle_limit.h"
#include "cli/host_queue.h"
#include "cli/pacer.h"
#include "cli/run_options.h"
#include "cli/script.h"
#include "cli/script_runner.h"
#include "machine/console.h"
#include "machine/input.h"
#include "machine/machine.h"

namespace isochron::cli {

// Runs a machine as the options say and tells how it ended.
//
// At an input point, in this order: console output is written out; the pacer may block; then
// inputs are taken from the script, from the host (what was typed in its order, then requests
// to stop: Ctrl-A x, signals, a failed console), from the cycle limit. The first stop ends
// the run.
class Session final : private machine::InputSource, private machine::ConsoleSink {
 public:
  // Opens the console; nothing else is started. InvalidArgument when it cannot be opened.
  static absl::StatusOr<std::unique_ptr<Session>> Create(const RunOptions& options,
                                                         std::vector<ScriptCommand> script);
  ~Session() override;

  // Runs to the end, with the terminal raw meanwhile if standard input is one and is the
  // console. Reports on standard error. Returns the exit code.
  int Run(machine::Machine& machine);

 private:
  Session(const RunOptions& options, std::vector<ScriptCommand> script, int console_fd);

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;

  // Runs with terminal, signals and host reader in place. InvalidArgument when the terminal
  // cannot be made raw.
  absl::StatusOr<machine::RunEnd> RunWithHost(machine::Machine& machine);
  int Report(const machine::RunEnd& end, const machine::Machine& machine);
  // The file descriptor that input comes from, -1 for none.
  int InputFd() const;

  const RunOptions options_;
  const bool scripted_;
  const int console_fd_;
  HostQueue queue_;
  ConsoleOutput output_;
  ScriptRunner script_;
  std::unique_ptr<HostClock> clock_;
  std::optional<Pacer> pacer_;
  std::optional<CycleLimit> limit_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_SESSION_H_
