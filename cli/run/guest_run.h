// One run of a guest, put together from its parts.

#ifndef ISOCHRON_CLI_RUN_GUEST_RUN_H_
#define ISOCHRON_CLI_RUN_GUEST_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/host/sandbox.h"
#include "cli/run/guest.h"
#include "cli/run/log_output.h"
#include "cli/run/run_options.h"
#include "cli/run/session.h"
#include "cli/run/snapshot_output.h"
#include "machine/events/guest_time.h"
#include "machine/events/observer.h"
#include "machine/machine.h"
#include "replaylog/event.h"
#include "timeline/observer_list.h"

namespace isochron::cli {

// A guest, which brings machine, engine and session, and what a command adds to it: a log that it
// writes, snapshots, a log that it follows, who else observes it. Commands say which parts there
// are; how they are joined, and what is done with them before and after the run, is here.
//
//   add parts; Run(); then Finish() with what the run came to, and Conclude(), once reports are out
//
// Observers are told of an event in the order in which they were added.
class GuestRun {
 public:
  GuestRun(Guest guest, SandboxMode sandbox);
  GuestRun(const GuestRun&) = delete;
  GuestRun& operator=(const GuestRun&) = delete;

  Guest& guest() { return guest_; }
  const Guest& guest() const { return guest_; }
  Session& session() { return *guest_.session; }
  machine::Machine& machine() { return *guest_.machine; }
  const machine::Machine& machine() const { return *guest_.machine; }

  // Records to `path`, as LogOutput::Create() does, and ends the run at --max-log. With an empty
  // path nobody keeps the log: it is made for its identity.
  absl::Status AddLog(const std::string& path, const RunOptions& options);
  // Takes snapshots beside the log at `log_path`, whose header that is, each `interval`; without
  // one only where the control channel asks for them, and there is no file before.
  absl::Status AddSnapshots(const std::string& log_path, const replaylog::LogHeader& header,
                            const std::optional<machine::GuestTime>& interval);
  // Why the control channel gets no snapshots.
  void RefuseSnapshots(const std::string& why);
  void AddObserver(machine::Observer& observer) { observers_.Add(&observer); }
  // Has that one run the machine. `driver` must outlive the run.
  void SetDriver(RunDriver& driver) { plan_.driver = &driver; }
  // Follows a log, which ends, or is left, at `last_cycle`. `driver` must outlive the run.
  void Follow(ReplayDriver& driver, uint64_t last_cycle);

  // The log, nullptr when none is added.
  LogOutput* log() { return log_.get(); }
  // Its identity and, if somebody keeps it, what it is as JSON; empty when it is not complete.
  std::string LogIdentity() const { return log_ != nullptr ? log_->Identity() : ""; }
  std::string LogJson() const { return keeps_log_ ? log_->Json() : ""; }

  // Runs to the end. On an error nothing was run, and what was begun is gone.
  absl::StatusOr<machine::RunEnd> Run();
  // Removes the files that were begun: nothing was run.
  void Discard();
  // Completes log, snapshots, disks and NVRAM. Returns `exit_code`, or tells an error and returns
  // its code.
  int Finish(const machine::RunEnd& end, int exit_code);
  // Closes the log and tells the control channel how all ended, as the last thing: who hears of it
  // may record to the same file. `fields`: what else is to be told, as JSON.
  void Conclude(const machine::RunEnd& end, int exit_code, const std::string& fields = "");

  // All of that for a run that is not compared with anything. Returns the exit code.
  int RunToEnd(const RunOptions& options);

 private:
  int FinishNvram(const machine::RunEnd& end, int exit_code);

  Guest guest_;
  SessionPlan plan_;
  timeline::ObserverList observers_;
  std::unique_ptr<LogOutput> log_;
  bool keeps_log_ = false;
  std::unique_ptr<SnapshotOutput> snapshots_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_GUEST_RUN_H_
