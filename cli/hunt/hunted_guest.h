// A guest that is run under one schedule after the other.

#ifndef ISOCHRON_CLI_HUNT_HUNTED_GUEST_H_
#define ISOCHRON_CLI_HUNT_HUNTED_GUEST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/control/script.h"
#include "cli/run/guest_disks.h"
#include "cli/run/guest_images.h"
#include "cli/run/run_options.h"
#include "machine/events/config.h"
#include "machine/events/observer.h"
#include "machine/events/run_end.h"
#include "machine/machine.h"
#include "replaylog/event.h"

namespace isochron::cli {

// What came of a run.
struct HuntVerdict {
  bool fails = false;  // what was hunted for has happened
  uint64_t cycle = 0;  // of the end: what was to be seen may have come before
  uint64_t instructions = 0;
  machine::RunEnd end;
};

// Runs a guest from power-on, each time with another schedule and otherwise the same. Several
// threads may have runs at the same time.
class HuntedGuest {
 public:
  // `failure` is an `expect`: a run in which it is met within its cycles, counted from power-on,
  // fails. A run ends soon behind that, or when it has not been met. Each begins with what is on
  // the disks and in NVRAM now; nothing is written to either. InvalidArgument when options and
  // images make no machine of several CPUs, or a script is none.
  static absl::StatusOr<HuntedGuest> Create(const RunOptions& options, ScriptCommand failure);

  // What to do with a machine before it runs; empty: nothing.
  using Preparation = std::function<void(machine::Machine&)>;
  absl::StatusOr<HuntVerdict> Run(const machine::ScheduleConfig& schedule,
                                  const Preparation& prepare = {}) const;
  // The same, and writes the log of the run. Internal, and no log, when the run does not come to
  // `expected`, which another run by that schedule has come to.
  absl::Status Record(const machine::ScheduleConfig& schedule, const HuntVerdict& expected,
                      const std::string& path) const;

  // The header of a log of it, with that schedule.
  replaylog::LogHeader Header(const machine::ScheduleConfig& schedule) const;
  // The script, in words: empty without one.
  std::string ScriptText() const;
  // Behind the runs: see CheckDisks().
  int CheckImages(int exit_code) const { return CheckDisks(images_.disks, exit_code); }
  const machine::KernelImage& kernel() const { return images_.boot.kernel; }
  const machine::MachineConfig& config() const { return config_; }

 private:
  HuntedGuest(const RunOptions& options, machine::MachineConfig config, GuestImages images,
              std::vector<ScriptCommand> script, ScriptCommand failure)
      : options_(options),
        config_(std::move(config)),
        images_(std::move(images)),
        script_(std::move(script)),
        failure_(std::move(failure)) {}

  RunOptions options_;
  machine::MachineConfig config_;  // with disks and NVRAM
  GuestImages images_;
  std::vector<ScriptCommand> script_;
  ScriptCommand failure_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HUNT_HUNTED_GUEST_H_
