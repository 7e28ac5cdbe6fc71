#include "cli/commands/query.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/run/guest.h"
#include "cli/run/open_timeline.h"
#include "cli/run/privileges.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "debug/query.h"
#include "debug/questions.h"

namespace isochron::cli {
namespace {

constexpr std::string_view kLastWrite = "last-write";

struct QueryCommand {
  TimelineOptions log;
  debug::Question question;
  std::optional<GuestTime> from;
  std::optional<GuestTime> to;
  std::optional<GuestTime> before;
  bool json = false;

  bool backwards() const { return question.what == kLastWrite; }
};

const debug::QuestionKind* FindKind(std::string_view name) {
  for (const debug::QuestionKind& kind : debug::QuestionKinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

absl::Status CheckQuestion(const QueryCommand& options) {
  const std::string& what = options.question.what;
  const debug::QuestionKind* const kind = FindKind(what);
  if (kind->place.empty() && !options.question.place.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(what, " takes no place"));
  }
  if (!kind->place.empty() && options.question.place.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " needs ", std::string(kind->place), " or a symbol"));
  }
  if (options.backwards() && (options.from.has_value() || options.to.has_value())) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " goes back from --before; it has no --from and --to"));
  }
  if (!options.backwards() && options.before.has_value()) {
    return absl::InvalidArgumentError("--before needs last-write; --to ends the others");
  }
  return absl::OkStatus();
}

int QueryLog(const QueryCommand& options) {
  if (absl::Status status = CheckQuestion(options); !status.ok()) return RefuseInput(status);
  absl::StatusOr<OpenedTimeline> opened = OpenTimeline(options.log);
  if (!opened.ok()) return RefuseInput(opened.status());
  timeline::Timeline& timeline = *opened->timeline;
  const absl::StatusOr<CycleRange> range =
      RangeIn(*opened, options.from, options.backwards() ? options.before : options.to);
  if (!range.ok()) return RefuseInput(range.status());
  const absl::StatusOr<std::unique_ptr<debug::Query>> query =
      debug::MakeQuery(options.question, *opened->symbols, timeline.machine());
  if (!query.ok()) return RefuseInput(query.status());
  if (absl::Status status = GiveUpPrivileges(options.log.run.sandbox, SandboxMode::kRun);
      !status.ok()) {
    return RefuseInput(status);
  }
  TextOutput out;
  const auto sink = [&out](std::string_view line) {
    out.Line(line);
    return !out.failed();
  };
  const absl::Status status =
      options.backwards()
          ? debug::RunQueryBackwards(timeline, **query, range->to, options.json, sink)
          : debug::RunQuery(timeline, **query, {range->from, range->to}, options.json, sink);
  const int exit_code = out.Finish(ToInt(ExitCode::kOk));
  if (status.ok()) return exit_code;
  return ReportTimelineFailure(status, options.log.log_path, timeline);
}

std::vector<std::string> KindNames() {
  std::vector<std::string> names;
  for (const debug::QuestionKind& kind : debug::QuestionKinds()) names.emplace_back(kind.name);
  return names;
}

// What the questions are, for --help.
std::string QuestionHelp() {
  std::string help = "Questions:\n";
  for (const debug::QuestionKind& kind : debug::QuestionKinds()) {
    std::string question(kind.name);
    if (!kind.place.empty()) absl::StrAppend(&question, " ", std::string(kind.place));
    question.resize(std::max<size_t>(question.size(), 20), ' ');
    absl::StrAppend(&help, "  ", question, " ", std::string(kind.summary), "\n");
  }
  return absl::StrCat(help,
                      "An ADDRESS is a number or SYMBOL[+OFFSET], perhaps with :LENGTH; "
                      "docs/query.md\n\n");
}

}  // namespace

void AddQueryCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* query = app.add_subcommand("query", "Ask what happened in a log's run");
  auto options = std::make_shared<QueryCommand>();
  AddLogToLookInto(*query, options->log);
  query->add_option("what", options->question.what, "the question: one of those below")
      ->type_name("WHAT")
      ->required()
      ->check([](const std::string& name) {
        return FindKind(name) != nullptr
                   ? std::string()
                   : absl::StrCat("it is one of ", absl::StrJoin(KindNames(), ", "));
      });
  query->add_option("place", options->question.place, "the address or symbol that it is about")
      ->type_name("PLACE");
  AddRangeOptions(*query, options->from, options->to);
  AddTimeOption(*query, "--before", options->before,
                "of last-write: look for writes before this, likewise");
  query->add_flag("--json", options->json, "a JSON object a line (docs/query.md)");
  query->footer(QuestionHelp() + ExitCodeHelp(ExitCodesOfLookers()));
  query->callback([options, &command] { command = [options] { return QueryLog(*options); }; });
}

}  // namespace isochron::cli
