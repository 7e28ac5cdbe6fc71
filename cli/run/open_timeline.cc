#include "cli/run/open_timeline.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/run/guest.h"
#include "cli/run/guest_images.h"
#include "cli/run/replay_driver.h"
#include "cli/run/replay_report.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "hostio/image_file.h"
#include "hostio/memory_limit.h"
#include "hostio/number.h"
#include "machine/events/cycle_text.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

// FILE or FILE@ADDRESS. A name may have an '@' in it, of which no number follows the last.
absl::Status AddSymbolFile(const std::string& text, debug::Symbols& symbols) {
  std::string path = text;
  uint64_t bias = 0;
  if (const size_t at = text.rfind('@'); at != text.npos) {
    const auto address = hostio::ParseNumber(std::string_view(text).substr(at + 1));
    if (address.ok()) {
      path = text.substr(0, at);
      bias = *address;
    }
  }
  const absl::StatusOr<std::string> bytes = hostio::ReadImageFile(path);
  if (!bytes.ok()) return bytes.status();
  const absl::Status status = symbols.AddFile(*bytes, bias);
  return status.ok() ? status : hostio::WithPath(status, path);
}

// Those of a file that cannot be used only make going back slower.
std::unique_ptr<timeline::SnapshotReader> OpenSnapshots(const std::string& log_path,
                                                        const replaylog::LogHeader& header) {
  auto reader = timeline::SnapshotReader::Open(timeline::FindSnapshots(log_path), header);
  if (reader.ok()) return *std::move(reader);
  if (!absl::IsNotFound(reader.status())) {
    Say(absl::StrCat(std::string(reader.status().message()), "; going on without snapshots"));
  }
  return nullptr;
}

// Of a log that has been verified: a machine of those images, at power-on, on a timeline. `jobs`:
// how many there will be at a time.
absl::StatusOr<OpenedTimeline> MakeTimeline(const TimelineOptions& options, int jobs,
                                            std::unique_ptr<replaylog::LogReader> reader,
                                            machine::BootImages images) {
  RunOptions run = options.run;
  run.config = reader->header().config;
  if (absl::Status status = ValidateOptions(run); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine =
      machine::Machine::Create(run.config, std::move(images), EngineFactoryFor(run));
  if (!machine.ok()) return machine.status();
  OpenedTimeline opened;
  timeline::Timeline::Options budget = SnapshotBudget(options.snapshot_memory);
  budget.snapshot_bytes /= static_cast<uint64_t>(jobs);
  if (options.known_to.has_value()) {
    budget.known_to = options.known_to->Cycles(run.config.clock_hz);
  }
  std::unique_ptr<timeline::SnapshotReader> snapshots =
      OpenSnapshots(options.log_path, reader->header());
  if (snapshots != nullptr) {
    for (const timeline::SnapshotInfo& snapshot : snapshots->snapshots()) {
      opened.snapshot_cycles.push_back(snapshot.cycle);
    }
  }
  absl::StatusOr<std::unique_ptr<timeline::Timeline>> timeline = timeline::Timeline::Create(
      std::move(reader), std::move(snapshots), *std::move(machine), budget);
  if (!timeline.ok()) return timeline.status();
  opened.timeline = *std::move(timeline);
  return opened;
}

}  // namespace

void AddSnapshotMemoryOption(CLI::App& command, std::optional<uint64_t>& bytes) {
  AddSizeOption(command, "--snapshot-memory", bytes,
                "host memory for snapshots, from which it goes back (default: a quarter of the "
                "host's)")
      ->group("Machine");
}

timeline::Timeline::Options SnapshotBudget(std::optional<uint64_t> bytes) {
  timeline::Timeline::Options budget;
  budget.snapshot_bytes = bytes.value_or(hostio::HostMemoryLimit().bytes / 4);
  budget.host_time = absl::Now;
  return budget;
}

void AddTimelineOptions(CLI::App& command, TimelineOptions& options) {
  AddSnapshotMemoryOption(command, options.snapshot_memory);
  AddSymbolsOption(command, options.symbol_files);
}

void AddSymbolsOption(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option("--symbols", files,
                  "take names from this program, too, perhaps loaded at an address other than "
                  "linked at; may be given again")
      ->type_name("FILE[@ADDRESS]")
      ->allow_extra_args(false)
      ->group("Images");
}

absl::StatusOr<std::unique_ptr<debug::Symbols>> MakeSymbols(const machine::KernelImage& kernel,
                                                            const std::vector<std::string>& files) {
  auto symbols = std::make_unique<debug::Symbols>(kernel);
  for (const std::string& file : files) {
    if (absl::Status status = AddSymbolFile(file, *symbols); !status.ok()) return status;
  }
  return symbols;
}

void AddLogToLookInto(CLI::App& command, TimelineOptions& options) {
  command.add_option("log", options.log_path, "the log, or a bundle")->type_name("LOG")->required();
  AddImageOptions(command, options.run);
  AddBudgetOptions(command, options.run);
  AddEngineOption(command, options.run);
  AddTimelineOptions(command, options);
  AddSandboxOption(command, options.run);
}

absl::StatusOr<OpenedTimeline> OpenTimeline(const TimelineOptions& options) {
  absl::StatusOr<std::vector<OpenedTimeline>> opened = OpenTimelines(options, 1);
  if (!opened.ok()) return opened.status();
  return std::move(opened->front());
}

absl::StatusOr<std::vector<OpenedTimeline>> OpenTimelines(const TimelineOptions& options,
                                                          int jobs) {
  const int count = std::max(jobs, 1);
  if (count > 1) {
    if (absl::Status status = CheckLogForJobs(options.log_path); !status.ok()) return status;
  }
  // The log is verified once, the images are read once, and one table of symbols does for all.
  absl::StatusOr<OpenedLog> log = OpenLogToRun(options.log_path, options.run, count);
  if (!log.ok()) return log.status();
  if (options.known_to.has_value() && log->has_end) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.log_path, ": the log tells of the run to its end: leave --known-to out"));
  }
  absl::StatusOr<GuestImages> images = LoadLogImages(*log->reader, options.log_path, options.run);
  if (!images.ok()) return images.status();
  std::vector<OpenedTimeline> opened;
  std::unique_ptr<replaylog::LogReader> reader = std::move(log->reader);
  while (static_cast<int>(opened.size()) < count) {
    if (!opened.empty()) {
      absl::StatusOr<std::unique_ptr<replaylog::LogReader>> another =
          replaylog::LogReader::Open(options.log_path);
      if (!another.ok()) return another.status();
      reader = *std::move(another);
    }
    absl::StatusOr<OpenedTimeline> one =
        MakeTimeline(options, count, std::move(reader), images->boot);
    if (!one.ok()) return one.status();
    one->last_cycle = log->last_cycle;
    one->identity = log->identity;
    opened.push_back(*std::move(one));
    if (count > 1 && opened.front().snapshot_cycles.empty()) {
      return absl::NotFoundError(absl::StrCat(
          options.log_path,
          ": --jobs needs snapshots beside the log, which replay --snapshot-every makes"));
    }
  }
  OpenedTimeline& first = opened.front();
  first.images = std::move(images->files);
  auto symbols = MakeSymbols(first.timeline->machine().kernel(), options.symbol_files);
  if (!symbols.ok()) return symbols.status();
  first.symbols = *std::move(symbols);
  return opened;
}

void AddRangeOptions(CLI::App& command, std::optional<machine::GuestTime>& from,
                     std::optional<machine::GuestTime>& to) {
  AddTimeOption(command, "--from", from, "begin at this: a cycle, or seconds as in 1.5s");
  AddTimeOption(command, "--to", to, "end before this, likewise");
}

absl::StatusOr<CycleRange> RangeIn(const OpenedTimeline& opened,
                                   const std::optional<machine::GuestTime>& from,
                                   const std::optional<machine::GuestTime>& to) {
  const uint64_t clock_hz = opened.timeline->header().config.clock_hz;
  CycleRange range;
  range.from = from.has_value() ? from->Cycles(clock_hz) : 0;
  range.to = to.has_value() ? to->Cycles(clock_hz) : UINT64_MAX;
  if (range.from > range.to) return absl::InvalidArgumentError("--from is behind --to");
  if (range.from > opened.last_cycle) {
    return absl::InvalidArgumentError(
        absl::StrCat("--from is behind the end of the recording at cycle ",
                     machine::WithSeconds(opened.last_cycle, clock_hz)));
  }
  return range;
}

int ReportTimelineFailure(const absl::Status& status, const std::string& log_path,
                          const timeline::Timeline& timeline) {
  if (!timeline.divergence().has_value()) return RefuseInput(status);
  const machine::Machine& machine = timeline.machine();
  const ReplayDriver::Place place =
      ReplayDriver::Place::Of(machine, timeline.divergence()->actual.cpu, machine.now());
  Tell(DivergenceReport(log_path, *timeline.divergence(), place, machine.kernel(),
                        timeline.header().config.clock_hz));
  return ToInt(ExitCode::kDifference);
}

}  // namespace isochron::cli
