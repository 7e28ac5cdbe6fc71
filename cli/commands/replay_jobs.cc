#include "cli/commands/replay_jobs.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
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
#include "cli/text/text_output.h"
#include "hostio/number.h"
#include "machine/events/cycle_text.h"
#include "machine/machine.h"
#include "machine/stop_condition.h"
#include "timeline/segment_replay.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

// What was asked for, for messages.
std::string_view NameOf(const SideBySideOptions& options) {
  if (options.jobs != 0) return "--jobs";
  return options.parts.scheduler.empty() ? "--part" : "--dask";
}

absl::StatusOr<timeline::SegmentReplayOptions> SegmentsOf(const std::string& path,
                                                          const replaylog::LogHeader& header,
                                                          const SideBySideOptions& options) {
  if (absl::Status status = CheckLogForJobs(path); !status.ok()) return status;
  const std::string snapshots = timeline::FindSnapshots(path);
  const auto reader = timeline::SnapshotReader::Open(snapshots, header);
  if (absl::IsNotFound(reader.status())) {
    return absl::NotFoundError(
        absl::StrCat(std::string(reader.status().message()), "; ", std::string(NameOf(options)),
                     " needs snapshots, which replay --snapshot-every makes"));
  }
  if (!reader.ok()) return reader.status();
  timeline::SegmentReplayOptions segments{path, snapshots, std::max(options.jobs, 1)};
  if (options.parts.work.has_value()) {
    segments.only = timeline::SegmentBounds{options.parts.work->from, options.parts.work->to};
  }
  return segments;
}

std::string EventsEqual(uint64_t events, size_t parts) {
  return absl::StrCat(events, " events are equal",
                      parts > 1 ? absl::StrCat(", in ", parts, " parts side by side") : "");
}

// How a replay that found no difference ended.
std::string DescribeEqual(const std::string& path, const timeline::SegmentReplayOutcome& outcome,
                          uint64_t clock_hz) {
  const std::string cycle = machine::WithSeconds(outcome.cycle, clock_hz);
  if (!outcome.end.has_value()) {
    return absl::StrCat("replayed ", path, " to cycle ", cycle,
                        ", where it breaks off (it is partial)");
  }
  return absl::StrCat("replayed ", path, " to its end at cycle ", cycle, ": ",
                      DescribeEnd(*outcome.end));
}

// Tells of a replay of all of the log, or to JoinParts() of a part.
int Report(const std::string& path, const timeline::SegmentReplayOutcome& outcome,
           const machine::KernelImage& kernel, const machine::MachineConfig& config,
           const std::optional<PartWork>& part) {
  const uint64_t clock_hz = config.clock_hz;
  if (outcome.divergence.has_value()) {
    Tell(DivergenceReport(path, *outcome.divergence,
                          {outcome.cycle, outcome.pc, outcome.cpu, static_cast<int>(config.cpus)},
                          kernel, clock_hz));
    return ToInt(ExitCode::kDifference);
  }
  if (!part.has_value()) {
    Say(absl::StrCat(DescribeEqual(path, outcome, clock_hz), "; ",
                     EventsEqual(outcome.events_compared, outcome.segments)));
    return ToInt(ExitCode::kOk);
  }
  TextOutput out;
  std::string line = absl::StrCat(outcome.events_compared);
  if (part->to == machine::kNever) {
    absl::StrAppend(&line, " ", DescribeEqual(path, outcome, clock_hz));
  }
  out.Line(line);
  return out.Finish(ToInt(ExitCode::kOk));
}

int ListParts(const std::vector<timeline::SegmentBounds>& parts) {
  TextOutput out;
  for (const timeline::SegmentBounds& part : parts) out.Line(PartName(part.from, part.until));
  return out.Finish(ToInt(ExitCode::kOk));
}

// The line that a replay ends with, of what the parts wrote.
absl::StatusOr<int> JoinParts() {
  uint64_t events = 0;
  size_t parts = 0;
  std::string end;
  const auto take = [&](std::string_view line) -> absl::StatusOr<bool> {
    const size_t blank = std::min(line.find(' '), line.size());
    const std::optional<uint64_t> number = hostio::ParseDigits(line.substr(0, blank), 10);
    if (!number.has_value()) return absl::InvalidArgumentError("is no number of events");
    events += *number;
    ++parts;
    end = std::string(line.substr(std::min(blank + 1, line.size())));
    return true;
  };
  if (absl::Status status = ReadParts(take, [] {}); !status.ok()) return status;
  if (end.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("standard input: ends ",
                                                   parts == 0 ? "before the first part" : "early",
                                                   ": what the last part writes is not there"));
  }
  Say(absl::StrCat(end, "; ", EventsEqual(events, parts)));
  return ToInt(ExitCode::kOk);
}

absl::StatusOr<int> Replay(const std::string& path, const RunOptions& options,
                           const SideBySideOptions& side_by_side) {
  const std::optional<PartWork>& part = side_by_side.parts.work;
  if (part.has_value() && part->kind == PartWork::Kind::kJoin) return JoinParts();
  absl::StatusOr<OpenedLog> log = OpenLogToRun(path, options, std::max(side_by_side.jobs, 1));
  if (!log.ok()) return log.status();
  const absl::StatusOr<timeline::SegmentReplayOptions> segments =
      SegmentsOf(path, log->reader->header(), side_by_side);
  if (!segments.ok()) return segments.status();
  if (part.has_value() && part->kind == PartWork::Kind::kList) {
    const auto parts = timeline::ListSegments(*segments, kMostParts);
    if (!parts.ok()) return parts.status();
    return ListParts(*parts);
  }
  const absl::StatusOr<GuestImages> images = LoadLogImages(*log->reader, path, options);
  if (!images.ok()) return images.status();
  RunOptions run = options;
  run.config = log->reader->header().config;
  if (absl::Status status = ValidateOptions(run); !status.ok()) return status;

  const machine::EngineFactory engine = EngineFactoryFor(run);
  const absl::StatusOr<timeline::SegmentReplayOutcome> outcome = timeline::ReplaySegments(
      *segments, [&] { return machine::Machine::Create(run.config, images->boot, engine); });
  if (!outcome.ok()) return outcome.status();
  return Report(path, *outcome, images->boot.kernel, run.config, part);
}

}  // namespace

void AddSideBySideOptions(CLI::App& replay, SideBySideOptions& options) {
  AddJobsOption(replay, options.jobs,
                "verify what lies between the snapshots beside the log with so many machines at a "
                "time, and show no console");
  AddPartsOptions(replay, options.parts, "the same by the workers of a Dask cluster");
}

int ReplaySideBySide(const CLI::App& replay, const std::string& path, const RunOptions& options,
                     const SideBySideOptions& side_by_side) {
  const std::string name(NameOf(side_by_side));
  const std::set<std::string> allowed = {"--kernel",     "--initrd",   "--disk", "--engine",
                                         "--max-memory", "--max-pipe", name};
  for (const CLI::Option* other : replay.get_options()) {
    if (other->count() == 0 || other->get_positional() || allowed.contains(other->get_name())) {
      continue;
    }
    return RefuseInput(absl::InvalidArgumentError(
        absl::StrCat(name, " and ", other->get_name(), " do not go together")));
  }
  if (!side_by_side.parts.scheduler.empty()) {
    return BecomeClusterClient(replay, side_by_side.parts.scheduler, PartsWanted::kAll, {path});
  }
  const absl::StatusOr<int> exit_code = Replay(path, options, side_by_side);
  return exit_code.ok() ? *exit_code : RefuseInput(exit_code.status());
}

}  // namespace isochron::cli
