// A machine that follows a log, up to a point if so wished.

#ifndef ISOCHRON_CLI_RUN_REPLAY_DRIVER_H_
#define ISOCHRON_CLI_RUN_REPLAY_DRIVER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/run/run_options.h"
#include "machine/events/input.h"
#include "machine/events/observer.h"
#include "machine/machine.h"
#include "replaylog/event_stream.h"
#include "replaylog/log_reader.h"
#include "timeline/replayer.h"

namespace isochron::cli {

// A log that can be run again on this version.
struct OpenedLog {
  std::unique_ptr<replaylog::LogReader> reader;
  uint64_t last_cycle = 0;
  machine::Digest identity;
  bool has_end = false;  // a partial log has none
};

// Opens the log or bundle at `path` and reads all of it, which takes next to nothing beside running
// it. An error names the path when the file is no sound log, one of another model, or its
// machine, or so many of them, have more memory than the options allow.
absl::StatusOr<OpenedLog> OpenLogToRun(const std::string& path, const RunOptions& options,
                                       int machines = 1);

// Whether the log at `path` can be read by several readers, as --jobs and --dask have it:
// InvalidArgument when it is no regular file.
absl::Status CheckLogForJobs(const std::string& path);

// Stands between a machine and the Replayer: gives the run the inputs of a log and holds its
// events against it until the log ends, a given cycle is reached, or somebody loses patience.
// What happens after that is no longer compared.
class ReplayDriver final : public machine::Observer, public machine::InputSource {
 public:
  struct Options {
    // The first boundary at or past this cycle ends the replay, before the inputs that the log has
    // there; the first input point when the run is to go on with other inputs.
    std::optional<uint64_t> until;
    // Whether the run goes on there with inputs from elsewhere. Otherwise it is stopped.
    bool live = false;
  };

  enum class State {
    kReplaying,     // or came to the end of the log
    kReachedUntil,  // stopped where `until` said
    kLive,          // went on from there
    kAbandoned,     // Abandon() was called
  };

  // All must outlive the driver.
  ReplayDriver(replaylog::EventSource& source, const machine::Machine& machine,
               const Options& options)
      : machine_(machine), options_(options), replayer_(source, machine.config().clock_hz) {}

  State state() const { return state_; }
  const timeline::Replayer& replayer() const { return replayer_; }

  // Where the CPU was that acted when the run left its log.
  struct Place {
    uint64_t cycle = 0;
    uint64_t pc = 0;  // bit 0: PALmode
    uint32_t cpu = 0;
    int cpus = 1;  // that there are

    static Place Of(const machine::Machine& machine, uint32_t cpu, uint64_t cycle) {
      return {cycle, machine.cpu(static_cast<int>(cpu)).pc, cpu, machine.cpu_count()};
    }
  };
  const std::optional<Place>& divergence_place() const { return place_; }

  // Whether it goes live unless the log ends before.
  bool goes_live() const { return options_.live; }

  // The replay is to end here, as if `until` had said so.
  void EndHere() { state_ = State::kReachedUntil; }
  // What comes from now on is not compared.
  void Abandon() { state_ = State::kAbandoned; }

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;
  uint64_t NextStop(uint64_t cycle, uint64_t until) override;
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override;
  std::optional<machine::Input> TakeDebugged(const machine::InputPoint& point) override;

  void On(const machine::Event& event) override;
  absl::Status status() const override;

 private:
  const machine::Machine& machine_;
  const Options options_;
  timeline::Replayer replayer_;
  State state_ = State::kReplaying;
  std::optional<Place> place_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_REPLAY_DRIVER_H_
