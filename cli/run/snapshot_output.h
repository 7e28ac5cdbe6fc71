// The snapshots that a command writes beside a log.

#ifndef ISOCHRON_CLI_RUN_SNAPSHOT_OUTPUT_H_
#define ISOCHRON_CLI_RUN_SNAPSHOT_OUTPUT_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/events/observer.h"
#include "machine/machine.h"
#include "replaylog/event.h"
#include "timeline/observer_list.h"
#include "timeline/snapshot.h"

namespace isochron::cli {

// Takes snapshots of a machine while it is recorded or replayed.
class SnapshotOutput {
 public:
  // InvalidArgument when the log at `log_path` is no file, so that nothing can be beside it.
  static absl::Status CheckLog(const std::string& log_path);

  // Snapshots for the log at `log_path`, at the first checkpoint of every `interval` cycles. The
  // machine must outlive this. Errors: those of CheckLog(), a file that cannot be written.
  static absl::StatusOr<std::unique_ptr<SnapshotOutput>> Create(const std::string& log_path,
                                                                const replaylog::LogHeader& header,
                                                                machine::Machine& machine,
                                                                uint64_t interval);

  // An interval that never passes: snapshots only where TakeNext() asks for them.
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  // Takes one at the next checkpoint, too.
  void TakeNext() { taker_.TakeNext(); }

  // What is to observe the machine, after what writes the log.
  machine::Observer& taker() { return taker_; }

  // Removes the file: nothing was run.
  void Discard() { writer_->Discard(); }

  // Completes the file. Returns `exit_code`, or tells an error and returns its code.
  int FinishOr(int exit_code);

 private:
  SnapshotOutput(std::unique_ptr<timeline::SnapshotWriter> writer, machine::Machine& machine,
                 uint64_t interval)
      : writer_(std::move(writer)), taker_(machine, *writer_, interval) {}

  std::unique_ptr<timeline::SnapshotWriter> writer_;
  timeline::SnapshotTaker taker_;
};

// Takes a snapshot at the next checkpoint; begins the file, and observing, when there is none yet.
absl::Status TakeSnapshot(std::unique_ptr<SnapshotOutput>& snapshots, const std::string& log_path,
                          const replaylog::LogHeader& header, machine::Machine& machine,
                          timeline::ObserverList& observers);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_SNAPSHOT_OUTPUT_H_
