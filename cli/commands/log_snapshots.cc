#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands/log.h"
#include "cli/run/guest.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "machine/events/cycle_text.h"
#include "replaylog/log_reader.h"
#include "replaylog/output_file.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

using replaylog::LogReader;
using timeline::SnapshotReader;

int ListSnapshots(const std::string& path) {
  absl::StatusOr<std::unique_ptr<SnapshotReader>> snapshots = SnapshotReader::Open(path);
  if (!snapshots.ok()) return RefuseInput(snapshots.status());
  const std::unique_ptr<LogReader> log = LogOfSnapshots(**snapshots);
  TextOutput out;
  out.Line(absl::StrCat("log: ",
                        log == nullptr ? "none of theirs is beside them" : log->source().path()));
  out.Line(absl::StrFormat("%16s %12s %12s  %s", "cycle", "seconds", "bytes", "state"));
  for (const timeline::SnapshotInfo& snapshot : (*snapshots)->snapshots()) {
    const std::string seconds =
        log == nullptr ? "?" : machine::SecondsText(snapshot.cycle, log->header().config.clock_hz);
    out.Line(absl::StrFormat("%16d %12s %12d  %s", snapshot.cycle, seconds, snapshot.bytes,
                             snapshot.state.ToString()));
  }
  if ((*snapshots)->breaks_off()) out.Line("the file breaks off here: it is partial");
  return out.Finish(ToInt(ExitCode::kOk));
}

}  // namespace

std::unique_ptr<LogReader> LogOfSnapshots(const SnapshotReader& snapshots) {
  const std::string& path = snapshots.source().path();
  const std::string suffix = timeline::SnapshotPath("");
  std::string log = replaylog::WithoutPartial(path);
  if (!log.ends_with(suffix)) return nullptr;
  log.resize(log.size() - suffix.size());
  for (const std::string& name : {log, replaylog::PartialPath(log)}) {
    if (replaylog::IsSpecialFile(name)) continue;
    absl::StatusOr<std::unique_ptr<LogReader>> reader = LogReader::Open(name);
    if (reader.ok() && snapshots.BelongsTo((*reader)->header())) return *std::move(reader);
  }
  return nullptr;
}

void AddLogSnapshotsCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* snapshots = log.add_subcommand("snapshots", "List the snapshots of a log");
  auto path = std::make_shared<std::string>();
  snapshots->add_option("file", *path, "the snapshots, F.snapshots of log F")
      ->type_name("FILE")
      ->required();
  snapshots->footer(ExitCodeHelp());
  snapshots->callback([path, &command] { command = [path] { return ListSnapshots(*path); }; });
}

}  // namespace isochron::cli
