#include "cli/commands/trace.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/run/cpu_option.h"
#include "cli/run/guest.h"
#include "cli/run/open_timeline.h"
#include "cli/run/privileges.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "debug/trace.h"
#include "hostio/number.h"
#include "machine/machine.h"

namespace isochron::cli {
namespace {

struct TraceCommand {
  TimelineOptions log;
  std::optional<machine::GuestTime> from;
  std::optional<machine::GuestTime> to;
  std::vector<std::string> modes;
  std::optional<int> cpu;
  std::optional<uint8_t> asn;
  bool json = false;
};

std::optional<debug::Level> LevelNamed(std::string_view name) {
  for (const debug::Level level :
       {debug::Level::kUser, debug::Level::kKernel, debug::Level::kPal}) {
    if (name == debug::LevelName(level)) return level;
  }
  return std::nullopt;
}

std::vector<debug::Level> LevelsOf(const TraceCommand& options) {
  std::vector<debug::Level> levels;
  for (const std::string& mode : options.modes) levels.push_back(*LevelNamed(mode));
  return levels;
}

int TraceLog(const TraceCommand& options) {
  absl::StatusOr<OpenedTimeline> opened = OpenTimeline(options.log);
  if (!opened.ok()) return RefuseInput(opened.status());
  if (absl::Status status = CheckCpu(options.cpu, opened->timeline->machine()); !status.ok()) {
    return RefuseInput(status);
  }
  const absl::StatusOr<CycleRange> range = RangeIn(*opened, options.from, options.to);
  if (!range.ok()) return RefuseInput(range.status());
  if (absl::Status status = GiveUpPrivileges(options.log.run.sandbox, SandboxMode::kRun);
      !status.ok()) {
    return RefuseInput(status);
  }
  TextOutput out;
  const absl::Status status = debug::Trace(
      *opened->timeline, *opened->symbols,
      {range->from, range->to, LevelsOf(options), options.asn, options.cpu, options.json},
      [&out](std::string_view line) {
        out.Line(line);
        return !out.failed();
      });
  const int exit_code = out.Finish(ToInt(ExitCode::kOk));
  if (status.ok()) return exit_code;
  return ReportTimelineFailure(status, options.log.log_path, *opened->timeline);
}

}  // namespace

void AddTraceCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* trace = app.add_subcommand("trace", "List what a log's guest executed");
  auto options = std::make_shared<TraceCommand>();
  AddLogToLookInto(*trace, options->log);
  AddRangeOptions(*trace, options->from, options->to);
  trace
      ->add_option("--mode", options->modes,
                   "list what this mode executed: user, kernel or pal; may be given again")
      ->check([](const std::string& mode) {
        return std::string(LevelNamed(mode).has_value() ? "" : "it is user, kernel or pal");
      })
      ->allow_extra_args(false)
      ->type_name("user|kernel|pal");
  AddCpuOption(*trace, options->cpu, "list what this CPU executed, from 0 on");
  trace
      ->add_option_function<std::string>(
          "--asn",
          [options](const std::string& text) {
            options->asn = static_cast<uint8_t>(*hostio::ParseNumber(text));
          },
          "list what was executed with this address space number, 0 to 255")
      ->check([](const std::string& text) {
        const absl::StatusOr<uint64_t> number = hostio::ParseNumber(text);
        return std::string(number.ok() && *number <= UINT8_MAX ? "" : "an ASN is 0 to 255");
      })
      ->type_name("N");
  trace->add_flag("--json", options->json, "a JSON object a line (docs/query.md)");
  trace->footer(ExitCodeHelp(ExitCodesOfLookers()));
  trace->callback([options, &command] { command = [options] { return TraceLog(*options); }; });
}

}  // namespace isochron::cli
