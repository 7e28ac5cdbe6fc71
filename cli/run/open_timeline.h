// A log opened to look into its run: what every command has that goes back and forth in one.

#ifndef ISOCHRON_CLI_RUN_OPEN_TIMELINE_H_
#define ISOCHRON_CLI_RUN_OPEN_TIMELINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/run/run_options.h"
#include "debug/symbols.h"
#include "machine/events/digest.h"
#include "machine/events/guest_time.h"
#include "machine/firmware/elf_image.h"
#include "replaylog/image_set.h"
#include "timeline/timeline.h"

namespace isochron::cli {

struct TimelineOptions {
  std::string log_path;
  RunOptions run;  // images, budgets, engine, sandbox
  // For snapshots in memory, in bytes; nothing: a quarter of what the host lets the process have.
  std::optional<uint64_t> snapshot_memory;
  // Of a partial log: up to here nothing happened behind its last event.
  std::optional<machine::GuestTime> known_to;
  // Of each --symbols: FILE or FILE@ADDRESS.
  std::vector<std::string> symbol_files;
};

// The log itself, and what AddTimelineOptions() adds, of a command that does nothing but look.
void AddLogToLookInto(CLI::App& command, TimelineOptions& options);

// --symbols, of which each is FILE or FILE@ADDRESS.
void AddSymbolsOption(CLI::App& command, std::vector<std::string>& files);

// Names of a kernel's code and data, of PALcode's and of those files'. An error names the file.
absl::StatusOr<std::unique_ptr<debug::Symbols>> MakeSymbols(const machine::KernelImage& kernel,
                                                            const std::vector<std::string>& files);

// --snapshot-memory, in bytes.
void AddSnapshotMemoryOption(CLI::App& command, std::optional<uint64_t>& bytes);
// What there is for snapshots if that is given, or not.
timeline::Timeline::Options SnapshotBudget(std::optional<uint64_t> bytes);

// --snapshot-memory and --symbols.
void AddTimelineOptions(CLI::App& command, TimelineOptions& options);

struct OpenedTimeline {
  std::unique_ptr<timeline::Timeline> timeline;
  // Of the kernel, PALcode and --symbols; of the first of several alone. They point into the
  // timeline's machine.
  std::unique_ptr<debug::Symbols> symbols;
  uint64_t last_cycle = 0;  // of the log's last event
  // Of the snapshots beside the log; empty when there are none.
  std::vector<uint64_t> snapshot_cycles;
  machine::Digest identity;
  // What the machine was made of.
  std::vector<replaylog::ImageFile> images;
};

// Opens the log or bundle at options.log_path, verifies it, finds its images and the snapshots
// beside it, and makes its machine, which stands at power-on. Snapshots that cannot be used are
// told of and left alone. Errors are of input, as one line that names the file.
absl::StatusOr<OpenedTimeline> OpenTimeline(const TimelineOptions& options);

// As many of one log, and at least one, which share what memory there is for snapshots; symbols and
// images are the first's. Several are an error where the log is no regular file or has no snapshots
// beside it, at which its run could be cut.
absl::StatusOr<std::vector<OpenedTimeline>> OpenTimelines(const TimelineOptions& options, int jobs);

// A span of guest time as --from and --to give it, in cycles.
struct CycleRange {
  uint64_t from = 0;
  uint64_t to = 0;
};

// Adds --from and --to.
void AddRangeOptions(CLI::App& command, std::optional<machine::GuestTime>& from,
                     std::optional<machine::GuestTime>& to);

// What they mean in that run: from its beginning, to its end, when they are absent.
// InvalidArgument when the range is empty or begins behind the end of the run.
absl::StatusOr<CycleRange> RangeIn(const OpenedTimeline& opened,
                                   const std::optional<machine::GuestTime>& from,
                                   const std::optional<machine::GuestTime>& to);

// The exit code of what a Timeline says when it cannot go on, of which it tells: a report of the
// difference for a run that leaves its log.
int ReportTimelineFailure(const absl::Status& status, const std::string& log_path,
                          const timeline::Timeline& timeline);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_OPEN_TIMELINE_H_
