#include "cli/commands/replay_jobs.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <CLI/Option.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/run/guest.h"
#include "cli/run/guest_images.h"
#include "cli/run/replay_driver.h"
#include "cli/run/replay_report.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "machine/events/cycle_text.h"
#include "machine/machine.h"
#include "timeline/segment_replay.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

absl::StatusOr<timeline::SegmentReplayOptions> SegmentsOf(const std::string& path,
                                                          const replaylog::LogHeader& header,
                                                          int jobs) {
  if (absl::Status status = CheckLogForJobs(path); !status.ok()) return status;
  const std::string snapshots = timeline::FindSnapshots(path);
  const auto reader = timeline::SnapshotReader::Open(snapshots, header);
  if (absl::IsNotFound(reader.status())) {
    return absl::NotFoundError(
        absl::StrCat(std::string(reader.status().message()),
                     "; --jobs needs snapshots, which replay --snapshot-every makes"));
  }
  if (!reader.ok()) return reader.status();
  return timeline::SegmentReplayOptions{path, snapshots, jobs};
}

int Report(const std::string& path, const timeline::SegmentReplayOutcome& outcome,
           const machine::KernelImage& kernel, uint64_t clock_hz) {
  if (outcome.divergence.has_value()) {
    Tell(
        DivergenceReport(path, *outcome.divergence, {outcome.cycle, outcome.pc}, kernel, clock_hz));
    return ToInt(ExitCode::kDifference);
  }
  const std::string compared = absl::StrCat(
      outcome.events_compared, " events are equal",
      outcome.segments > 1 ? absl::StrCat(", in ", outcome.segments, " parts side by side") : "");
  const std::string cycle = machine::WithSeconds(outcome.cycle, clock_hz);
  if (outcome.end.has_value()) {
    Say(absl::StrCat("replayed ", path, " to its end at cycle ", cycle, ": ",
                     DescribeEnd(*outcome.end), "; ", compared));
  } else {
    Say(absl::StrCat("replayed ", path, " to cycle ", cycle,
                     ", where it breaks off (it is partial); ", compared));
  }
  return ToInt(ExitCode::kOk);
}

absl::StatusOr<int> Replay(const std::string& path, const RunOptions& options, int jobs) {
  absl::StatusOr<OpenedLog> log = OpenLogToRun(path, options, jobs);
  if (!log.ok()) return log.status();
  const absl::StatusOr<timeline::SegmentReplayOptions> segments =
      SegmentsOf(path, log->reader->header(), jobs);
  if (!segments.ok()) return segments.status();
  const absl::StatusOr<GuestImages> images = LoadLogImages(*log->reader, path, options);
  if (!images.ok()) return images.status();
  RunOptions run = options;
  run.config = log->reader->header().config;
  if (absl::Status status = ValidateOptions(run); !status.ok()) return status;

  const machine::EngineFactory engine = EngineFactoryFor(run);
  const absl::StatusOr<timeline::SegmentReplayOutcome> outcome = timeline::ReplaySegments(
      *segments, [&] { return machine::Machine::Create(run.config, images->boot, engine); });
  if (!outcome.ok()) return outcome.status();
  return Report(path, *outcome, images->boot.kernel, run.config.clock_hz);
}

}  // namespace

void AddReplayJobsOption(CLI::App& replay, int& jobs) {
  AddJobsOption(replay, jobs,
                "verify what lies between the snapshots beside the log with so many machines at a "
                "time, and show no console");
}

int ReplaySideBySide(const CLI::App& replay, const std::string& path, const RunOptions& options,
                     int jobs) {
  const std::set<std::string> allowed = {"--kernel",     "--initrd",   "--engine",
                                         "--max-memory", "--max-pipe", "--jobs"};
  for (const CLI::Option* other : replay.get_options()) {
    if (other->count() == 0 || other->get_positional() || allowed.contains(other->get_name())) {
      continue;
    }
    return RefuseInput(absl::InvalidArgumentError(
        absl::StrCat("--jobs and ", other->get_name(), " do not go together")));
  }
  const absl::StatusOr<int> exit_code = Replay(path, options, jobs);
  return exit_code.ok() ? *exit_code : RefuseInput(exit_code.status());
}

}  // namespace isochron::cli
