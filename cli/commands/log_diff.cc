#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/log.h"
#include "cli/run/guest.h"
#include "cli/run/run_options.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "replaylog/describe_diff.h"
#include "replaylog/event_history.h"
#include "replaylog/log_diff.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {
namespace {

using replaylog::EventPair;
using replaylog::LogReader;

struct DiffOptions {
  std::string left;
  std::string right;
  bool json = false;
  bool all = false;
  std::optional<uint64_t> columns;
};

// One comparison, from the headers to the last line.
class Diff {
 public:
  Diff(const DiffOptions& options, LogReader& left, LogReader& right)
      : options_(options),
        left_(left),
        right_(right),
        text_(options.left, options.right, left.header().config.clock_hz,
              options.columns.value_or(OutputColumns())) {}

  int Run();

 private:
  void Headers();
  absl::Status Events();
  void Differs(const EventPair& pair);
  // The last line.
  void Conclude();

  const DiffOptions& options_;
  LogReader& left_;
  LogReader& right_;
  replaylog::DiffText text_;
  TextOutput out_;
  replaylog::EventHistory before_;  // the equal events last seen
  bool headers_differ_ = false;
  bool all_read_ = false;
  uint64_t equal_ = 0;
  uint64_t equal_in_a_row_ = 0;
  uint64_t different_ = 0;
};

void Diff::Headers() {
  const std::vector<replaylog::HeaderDifference> differences =
      replaylog::CompareHeaders(left_.header(), right_.header());
  headers_differ_ = !differences.empty();
  if (!headers_differ_) return;
  if (!options_.json) {
    out_.Line(absl::StrCat("the headers of ", options_.left, " and ", options_.right, " differ:"));
  }
  for (const replaylog::HeaderDifference& difference : differences) {
    out_.Line(options_.json ? replaylog::DifferenceToJson(difference)
                            : absl::StrCat("  ", difference.field, ": ", difference.left, " and ",
                                           difference.right));
  }
}

absl::Status Diff::Events() {
  replaylog::LogComparison comparison(left_, right_);
  EventPair pair;
  while (!out_.failed()) {
    absl::StatusOr<bool> more = comparison.Next(pair);
    if (!more.ok()) return more.status();
    if (!*more) {
      all_read_ = true;
      break;
    }
    if (pair.equal) {
      ++equal_;
      ++equal_in_a_row_;
      before_.Add(*std::move(pair.left));
      continue;
    }
    ++different_;
    Differs(pair);
    equal_in_a_row_ = 0;
    if (!options_.all) break;
  }
  return absl::OkStatus();
}

void Diff::Differs(const EventPair& pair) {
  if (options_.json) {
    out_.Line(replaylog::DifferenceToJson(pair, left_.header().config.clock_hz));
    return;
  }
  if (different_ == 1) {
    out_.Line(absl::StrCat(pair.one_ended ? "" : "first difference at ", text_.Summary(pair)));
    out_.Lines(text_.Heading());
    for (const replaylog::Event& event : before_.events()) {
      out_.Lines(text_.Equal({event, event, true, false}));
    }
  } else {
    if (equal_in_a_row_ > 0) out_.Line(absl::StrCat("  ", equal_in_a_row_, " equal events"));
    out_.Line(absl::StrCat("difference ", different_, " at ", text_.Summary(pair)));
  }
  out_.Lines(text_.Different(pair));
}

void Diff::Conclude() {
  const bool equal = !headers_differ_ && different_ == 0;
  if (options_.json) {
    out_.Line(absl::StrCat("{\"type\":\"result\",\"equal\":", equal ? "true" : "false",
                           ",\"complete\":", all_read_ ? "true" : "false",
                           ",\"equal_events\":", equal_, ",\"differences\":", different_, "}"));
  } else if (different_ == 0) {
    out_.Line(headers_differ_ ? "all events are equal" : "the logs are equal");
  } else if (options_.all) {
    out_.Line(absl::StrCat(different_, " differences, ", equal_, " events are equal"));
  }
}

int Diff::Run() {
  Headers();
  const absl::Status status = Events();
  if (status.ok()) Conclude();
  const bool equal = !headers_differ_ && different_ == 0;
  const int exit_code = out_.Finish(ToInt(equal ? ExitCode::kOk : ExitCode::kDifference));
  return status.ok() ? exit_code : RefuseInput(status);
}

int DiffLogs(const DiffOptions& options) {
  absl::StatusOr<std::unique_ptr<LogReader>> left = LogReader::Open(options.left);
  if (!left.ok()) return RefuseInput(left.status());
  absl::StatusOr<std::unique_ptr<LogReader>> right = LogReader::Open(options.right);
  if (!right.ok()) return RefuseInput(right.status());
  return Diff(options, **left, **right).Run();
}

}  // namespace

void AddLogDiffCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* diff = log.add_subcommand("diff", "Find the differences of two logs");
  auto options = std::make_shared<DiffOptions>();
  diff->add_option("left", options->left, "a log, or a bundle")->type_name("LOG")->required();
  diff->add_option("right", options->right, "another")->type_name("LOG")->required();
  diff->add_flag("--all", options->all, "go on behind the first difference");
  diff->add_flag("--json", options->json, "a JSON object a line (docs/replay-log.md)");
  AddWidthOption(*diff, options->columns)
      ->description("columns of a line; from 160 on the logs stand side by side");
  diff->footer(ExitCodeHelp({ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage,
                             ExitCode::kDifference, ExitCode::kSignalBase}));
  diff->callback([options, &command] { command = [options] { return DiffLogs(*options); }; });
}

}  // namespace isochron::cli
