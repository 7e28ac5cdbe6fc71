#include "cli/commands/report.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/run/guest.h"
#include "cli/run/open_timeline.h"
#include "cli/run/privileges.h"
#include "cli/run/run_options.h"
#include "cli/text/command_line.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "debug/report/run_report.h"
#include "replaylog/output_file.h"

namespace isochron::cli {
namespace {

struct ReportCommand {
  TimelineOptions log;
  std::string output;
  bool profile = false;
  int jobs = 0;
};

int ReportLog(const ReportCommand& options) {
  absl::StatusOr<std::vector<OpenedTimeline>> opened = OpenTimelines(options.log, options.jobs);
  if (!opened.ok()) return RefuseInput(opened.status());
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> file =
      replaylog::OutputFile::Create(options.output);
  if (!file.ok()) return RefuseInput(file.status());
  if (absl::Status status = GiveUpPrivileges(options.log.run.sandbox, SandboxMode::kRecord);
      !status.ok()) {
    (*file)->Discard();
    return RefuseInput(status);
  }
  std::vector<timeline::Timeline*> timelines;
  for (const OpenedTimeline& one : *opened) timelines.push_back(one.timeline.get());
  const OpenedTimeline& first = opened->front();
  debug::ReportSubject subject;
  subject.log = ShellQuote(options.log.log_path);
  subject.identity = first.identity.ToString();
  subject.last_cycle = first.last_cycle;
  subject.profile = options.profile;
  if (options.jobs > 1) subject.cuts = first.snapshot_cycles;
  const timeline::Timeline* failed = timelines.front();
  const absl::StatusOr<std::string> page =
      debug::MakeReport(timelines, *first.symbols, subject, &failed);
  const absl::Status status = (*file)->Finish(page.ok() ? (*file)->Write(*page) : page.status());
  if (status.ok()) return ToInt(ExitCode::kOk);
  if (!page.ok()) return ReportTimelineFailure(status, options.log.log_path, *failed);
  Say(std::string(status.message()));
  return ToInt(ExitCode::kInternal);
}

}  // namespace

void AddReportCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* report = app.add_subcommand("report", "Show a log's run as a page to look at");
  auto options = std::make_shared<ReportCommand>();
  AddLogToLookInto(*report, options->log);
  report->add_option("-o,--output", options->output, "where to write the page (HTML)")
      ->type_name("FILE")
      ->required();
  report->add_flag("--profile", options->profile,
                   "with the flame graph of the whole run, for which that is run once more");
  AddJobsOption(*report, options->jobs,
                "run what lies between the snapshots beside the log with so many machines at a "
                "time");
  report->footer(ExitCodeHelp(ExitCodesOfLookers()));
  report->callback([options, &command] { command = [options] { return ReportLog(*options); }; });
}

}  // namespace isochron::cli
