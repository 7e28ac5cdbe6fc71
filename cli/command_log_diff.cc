#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/command_log.h"
#include "cli/exit_code.h"
#include "cli/guest.h"
#include "cli/text_output.h"
#include "replaylog/log_diff.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {
namespace {

using replaylog::LogReader;

int Diff(const std::string& left_path, const std::string& right_path) {
  absl::StatusOr<std::unique_ptr<LogReader>> left = LogReader::Open(left_path);
  if (!left.ok()) return RefuseInput(left.status());
  absl::StatusOr<std::unique_ptr<LogReader>> right = LogReader::Open(right_path);
  if (!right.ok()) return RefuseInput(right.status());

  const std::vector<std::string> headers =
      replaylog::CompareHeaders((*left)->header(), (*right)->header());
  absl::StatusOr<std::optional<replaylog::EventDifference>> events =
      replaylog::FindFirstDifference(**left, **right);
  if (!events.ok()) return RefuseInput(events.status());

  TextOutput out;
  if (!headers.empty()) {
    out.Line(absl::StrCat("the headers of ", left_path, " and ", right_path, " differ:"));
    for (const std::string& line : headers) out.Line(absl::StrCat("  ", line));
  }
  if (events->has_value()) {
    std::string text = (*events)->Describe(left_path, right_path);
    if (text.ends_with('\n')) text.pop_back();
    out.Line(text);
  } else {
    out.Line(headers.empty() ? "the logs are equal" : "all events are equal");
  }
  const bool equal = headers.empty() && !events->has_value();
  return out.Finish(ToInt(equal ? ExitCode::kOk : ExitCode::kDifference));
}

}  // namespace

void AddLogDiffCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* diff = log.add_subcommand("diff", "Find the first difference of two logs");
  struct Paths {
    std::string left;
    std::string right;
  };
  auto paths = std::make_shared<Paths>();
  diff->add_option("left", paths->left, "a log, or a bundle")->type_name("LOG")->required();
  diff->add_option("right", paths->right, "another")->type_name("LOG")->required();
  diff->footer(ExitCodeHelp());
  diff->callback([paths, &command] {
    command = [paths] { return Diff(paths->left, paths->right); };
  });
}

}  // namespace isochron::cli
