#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/log.h"
#include "cli/run/guest.h"
#include "cli/run/run_options.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "replaylog/describe.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {
namespace {

// In JSON the header counts as an event of this type, before all others.
constexpr std::string_view kHeaderType = "header";

struct DumpOptions {
  std::string path;
  bool json = false;
  std::optional<machine::GuestTime> from_time;
  std::optional<machine::GuestTime> to_time;
  // The same in cycles of the log's clock.
  std::optional<uint64_t> from;
  std::optional<uint64_t> to;
  std::vector<std::string> types;   // wanted; empty: all
  std::vector<std::string> others;  // that are not wanted
  bool full = false;
  std::optional<uint64_t> columns;

  bool Wants(std::string_view type) const {
    const auto has = [type](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), type) != names.end();
    };
    return (types.empty() || has(types)) && !has(others);
  }
};

// What leaves out a type begins with it.
constexpr std::string_view kNot = "no-";

std::string CheckType(const std::string& name) {
  const std::vector<std::string> known = LogDumpTypes();
  if (std::find(known.begin(), known.end(), name) != known.end()) return "";
  const std::vector<std::string> types(known.begin(), known.begin() + known.size() / 2);
  return absl::StrCat("'", name, "' is none of ", absl::StrJoin(types, ", "),
                      ", nor one of them behind ", std::string(kNot));
}

absl::Status DumpEvents(replaylog::LogReader& log, const DumpOptions& options, TextOutput& out) {
  if (options.from.has_value()) {
    if (absl::Status status = log.SeekToCycle(*options.from); !status.ok()) return status;
  }
  const uint64_t clock_hz = log.header().config.clock_hz;
  const size_t columns =
      options.full ? replaylog::kAllColumns : options.columns.value_or(OutputColumns());
  replaylog::Event event;
  while (!out.failed()) {
    absl::StatusOr<bool> more = log.Next(event);
    if (!more.ok()) return more.status();
    if (!*more || (options.to.has_value() && event.cycle > *options.to)) break;
    if (!options.Wants(replaylog::EventTypeName(replaylog::TypeOf(event)))) continue;
    out.Line(options.json ? replaylog::EventToJson(event)
                          : replaylog::DescribeEvent(event, clock_hz, columns));
  }
  return absl::OkStatus();
}

int Dump(DumpOptions options) {
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
      replaylog::LogReader::Open(options.path);
  if (!log.ok()) return RefuseInput(log.status());
  const uint64_t clock_hz = (*log)->header().config.clock_hz;
  if (options.from_time.has_value()) options.from = options.from_time->Cycles(clock_hz);
  if (options.to_time.has_value()) options.to = options.to_time->Cycles(clock_hz);
  if (options.from.value_or(0) > options.to.value_or(UINT64_MAX)) {
    return RefuseInput(absl::InvalidArgumentError("--from is behind --to"));
  }
  TextOutput out;
  if (!options.json) {
    out.Line(replaylog::EventTableHeading());
  } else if (options.Wants(kHeaderType) && options.from.value_or(0) == 0) {
    out.Line(replaylog::HeaderToJson((*log)->header()));
  }
  const absl::Status status = DumpEvents(**log, options, out);
  const int exit_code = out.Finish(ToInt(ExitCode::kOk));
  return status.ok() ? exit_code : RefuseInput(status);
}

}  // namespace

std::vector<std::string> LogDumpTypes() {
  std::vector<std::string> types = {std::string(kHeaderType)};
  for (const std::string_view type : replaylog::EventTypeNames()) types.emplace_back(type);
  const size_t known = types.size();
  for (size_t i = 0; i < known; ++i) types.push_back(std::string(kNot) + types[i]);
  return types;
}

void AddLogDumpCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* dump = log.add_subcommand("dump", "Print the events of a log");
  auto options = std::make_shared<DumpOptions>();
  dump->add_option("log", options->path, "the log, or a bundle")->type_name("LOG")->required();
  dump->add_flag("--json", options->json, "a JSON object a line (docs/replay-log.md)");
  AddTimeOption(*dump, "--from", options->from_time,
                "leave out events before this: a cycle, or seconds as in 1.5s");
  AddTimeOption(*dump, "--to", options->to_time, "leave out events after this, likewise");
  dump->add_option_function<std::vector<std::string>>(
          "--type",
          [options](const std::vector<std::string>& names) {
            for (const std::string& name : names) {
              if (name.starts_with(kNot)) {
                options->others.push_back(name.substr(kNot.size()));
              } else {
                options->types.push_back(name);
              }
            }
          },
          "leave out events of other types, or with no-NAME those of this one; may be given again")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->check(CheckType);
  dump->add_flag("--full", options->full, "print all that events hold, in lines of any length");
  AddWidthOption(*dump, options->columns);
  dump->footer(ExitCodeHelp(ExitCodesOfReaders()));
  dump->callback([options, &command] { command = [options] { return Dump(*options); }; });
}

}  // namespace isochron::cli
