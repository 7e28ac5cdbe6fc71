// `isochron run|record --gdb`: a run in the hands of a gdb.

#ifndef ISOCHRON_CLI_COMMANDS_LIVE_GDB_H_
#define ISOCHRON_CLI_COMMANDS_LIVE_GDB_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/host/gdb_socket.h"
#include "cli/run/guest_run.h"
#include "cli/run/run_options.h"
#include "cli/run/session.h"
#include "debug/symbols.h"
#include "machine/machine.h"
#include "timeline/timeline.h"

namespace isochron::cli {

struct LiveGdbOptions {
  std::optional<GdbTarget> target;  // nothing: there is no gdb
  std::vector<std::string> symbol_files;
  std::optional<uint64_t> snapshot_memory;  // bytes, to go back from
};

// Adds --gdb, --symbols and --snapshot-memory.
void AddLiveGdbOptions(CLI::App& command, LiveGdbOptions& options);

// Whether they go together with those of the run, whose log is to be at `log_path`, if it has one.
absl::Status CheckLiveGdb(const LiveGdbOptions& options, const RunOptions& run,
                          const std::string& log_path);

// Runs a guest as one gdb wants it, from power-on on. What gdb writes is an input of the run, all
// else that it does leaves no trace. When it goes, the run goes on without it; when it kills the
// machine, or has started us and goes, the run ends in order where the machine stands.
class LiveGdb final : public RunDriver {
 public:
  // Listens, and says where. `run`, which must outlive it, gets it as its driver; nullptr when
  // there is to be no gdb. InvalidArgument when there is no listening there.
  static absl::StatusOr<std::unique_ptr<LiveGdb>> Create(const LiveGdbOptions& options,
                                                         GuestRun& run);

  absl::Status Await() override;
  machine::RunEnd Run(machine::Machine& machine) override;
  // That of an internal error when the run could not be gone back in as it was.
  int CodeAfter(int exit_code) const override;

 private:
  LiveGdb(GuestRun& run, bool stdio, const timeline::Timeline::Options& snapshots,
          std::unique_ptr<debug::Symbols> symbols, std::unique_ptr<GdbSocket> socket);
  // As long as the client is there. The end, if the run has come to it.
  std::optional<machine::RunEnd> ServeClient(machine::Machine& machine);

  GuestRun& run_;
  const bool stdio_;  // gdb has started us
  const timeline::Timeline::Options snapshots_;
  const std::unique_ptr<debug::Symbols> symbols_;
  const std::unique_ptr<GdbSocket> socket_;
  bool there_ = false;   // a client has come
  bool failed_ = false;  // going back has
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_LIVE_GDB_H_
