#include "cli/commands/query.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/run/cpu_option.h"
#include "cli/run/guest.h"
#include "cli/run/open_timeline.h"
#include "cli/run/parts.h"
#include "cli/run/privileges.h"
#include "cli/run/replay_driver.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "debug/parallel_query.h"
#include "debug/query.h"
#include "debug/query_parts.h"
#include "debug/questions.h"

namespace isochron::cli {
namespace {

constexpr std::string_view kLastWrite = "last-write";

struct QueryCommand {
  TimelineOptions log;
  debug::Question question;
  std::optional<machine::GuestTime> from;
  std::optional<machine::GuestTime> to;
  std::optional<machine::GuestTime> before;
  std::optional<int> cpu;
  bool json = false;
  int jobs = 0;
  PartsOptions parts;

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
  if (options.backwards() && options.cpu.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is of whatever CPU; --cpu goes with the others"));
  }
  return CheckParts(options.parts, options.jobs);
}

// A log that is asked, by one machine or several.
class LogQuery {
 public:
  explicit LogQuery(const QueryCommand& options) : options_(options) {}

  // Everything that can be wrong is found here, before anything runs.
  absl::Status Prepare();
  int Run();

 private:
  // Adds a machine, and the query that it is asked.
  absl::Status AddSearcher(OpenedTimeline& opened);
  absl::Status Ask(const debug::AnswerSink& sink);
  // What --part asks for.
  absl::Status DoPart(const PartWork& work, TextOutput& out);
  absl::Status ListParts(const debug::AnswerSink& sink) const;
  absl::Status JoinParts(const debug::AnswerSink& sink, TextOutput& out);

  const QueryCommand& options_;
  std::vector<OpenedTimeline> opened_;
  std::vector<debug::Searcher> searchers_;
  debug::QueryRange range_;
  const debug::Searcher* failed_ = nullptr;
  debug::AnswerOptions answers_;
};

absl::Status LogQuery::AddSearcher(OpenedTimeline& opened) {
  absl::StatusOr<std::unique_ptr<debug::Query>> query =
      debug::MakeQuery(options_.question, *opened_.front().symbols, opened.timeline->machine());
  if (!query.ok()) return query.status();
  searchers_.push_back({opened.timeline.get(), *std::move(query)});
  return absl::OkStatus();
}

absl::Status LogQuery::Prepare() {
  if (absl::Status status = CheckQuestion(options_); !status.ok()) return status;
  if (options_.parts.work.has_value()) {
    if (absl::Status status = CheckLogForJobs(options_.log.log_path); !status.ok()) return status;
  }
  absl::StatusOr<std::vector<OpenedTimeline>> opened = OpenTimelines(options_.log, options_.jobs);
  if (!opened.ok()) return opened.status();
  opened_ = *std::move(opened);
  absl::Status cpu = CheckCpu(options_.cpu, opened_.front().timeline->machine());
  if (!cpu.ok()) return cpu;
  const absl::StatusOr<CycleRange> range =
      RangeIn(opened_.front(), options_.from, options_.backwards() ? options_.before : options_.to);
  if (!range.ok()) return range.status();
  range_ = {range->from, range->to};
  answers_ = {options_.json, options_.cpu};
  for (OpenedTimeline& one : opened_) {
    if (absl::Status status = AddSearcher(one); !status.ok()) return status;
    if (!searchers_.front().query->cuttable()) break;
  }
  return absl::OkStatus();
}

absl::Status LogQuery::Ask(const debug::AnswerSink& sink) {
  debug::Searcher& first = searchers_.front();
  failed_ = &first;
  if (searchers_.size() == 1) {
    return options_.backwards()
               ? debug::RunQueryBackwards(*first.timeline, *first.query, range_.to, answers_, sink)
               : debug::RunQuery(*first.timeline, *first.query, range_, answers_, sink);
  }
  const std::vector<debug::QueryRange> parts =
      debug::CutRange(range_, opened_.front().snapshot_cycles);
  return options_.backwards()
             ? debug::RunQueryBackwardsInParts(searchers_, parts, answers_, sink, &failed_)
             : debug::RunQueryInParts(searchers_, parts, answers_, sink, &failed_);
}

absl::Status LogQuery::ListParts(const debug::AnswerSink& sink) const {
  const std::vector<uint64_t>& cycles = opened_.front().snapshot_cycles;
  std::vector<uint64_t> cuts;
  if (searchers_.front().query->cuttable()) {
    const size_t stride = (cycles.size() + kMostParts) / kMostParts;
    for (size_t i = stride; i <= cycles.size(); i += stride) cuts.push_back(cycles[i - 1]);
  }
  std::vector<debug::QueryRange> parts = debug::CutRange(range_, cuts);
  if (options_.backwards()) std::reverse(parts.begin(), parts.end());
  for (const debug::QueryRange& part : parts) sink(PartName(part.from, part.to));
  return absl::OkStatus();
}

absl::Status LogQuery::JoinParts(const debug::AnswerSink& sink, TextOutput& out) {
  debug::Query& query = *searchers_.front().query;
  return debug::TellAnswers(query, answers_, sink, [&](debug::Answers& answers) {
    const auto take = [&](std::string_view line) -> absl::StatusOr<bool> {
      const absl::StatusOr<debug::Sighting> sighting = debug::ParseSighting(line, query);
      if (!sighting.ok()) return sighting.status();
      query.Tell(*sighting, answers);
      return answers.wanted() && !options_.backwards();
    };
    return ReadParts(take, [&out] { out.Flush(); });
  });
}

absl::Status LogQuery::DoPart(const PartWork& work, TextOutput& out) {
  debug::Searcher& searcher = searchers_.front();
  failed_ = &searcher;
  const auto sink = [&out](std::string_view line) {
    out.Line(line);
    return !out.failed();
  };
  switch (work.kind) {
    case PartWork::Kind::kList: return ListParts(sink);
    case PartWork::Kind::kJoin: return JoinParts(sink, out);
    case PartWork::Kind::kOne: break;
  }
  return debug::SearchPart(*searcher.timeline, *searcher.query, {work.from, work.to},
                           /*last=*/options_.backwards(), sink);
}

int LogQuery::Run() {
  TextOutput out;
  if (searchers_.size() == 1) {
    // Whoever waits sees what there is while the search goes on.
    searchers_.front().timeline->SetInterrupt([&out] {
      out.Flush();
      return out.failed();
    });
  }
  const absl::Status status = options_.parts.work.has_value() ? DoPart(*options_.parts.work, out)
                                                              : Ask([&out](std::string_view line) {
                                                                  out.Line(line);
                                                                  return !out.failed();
                                                                });
  const int exit_code = out.Finish(ToInt(ExitCode::kOk));
  if (status.ok()) return exit_code;
  return ReportTimelineFailure(status, options_.log.log_path, *failed_->timeline);
}

int QueryLog(const QueryCommand& options) {
  LogQuery query(options);
  absl::Status status = query.Prepare();
  if (status.ok()) status = GiveUpPrivileges(options.log.run.sandbox, SandboxMode::kRun);
  return status.ok() ? query.Run() : RefuseInput(status);
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

std::vector<std::string> QuestionNames() {
  std::vector<std::string> names;
  for (const debug::QuestionKind& kind : debug::QuestionKinds()) names.emplace_back(kind.name);
  return names;
}

void AddQueryCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* query = app.add_subcommand("query", "Ask what happened in a log's run");
  auto options = std::make_shared<QueryCommand>();
  AddLogToLookInto(*query, options->log);
  query->add_option("question", options->question.what, "one of those below")
      ->type_name("QUESTION")
      ->required()
      ->check([](const std::string& name) {
        return FindKind(name) != nullptr
                   ? std::string()
                   : absl::StrCat("it is one of ", absl::StrJoin(QuestionNames(), ", "));
      });
  query->add_option("place", options->question.place, "the address or symbol that it is about")
      ->type_name("PLACE");
  AddRangeOptions(*query, options->from, options->to);
  AddTimeOption(*query, "--before", options->before,
                "of last-write: look for writes before this, likewise");
  AddJobsOption(*query, options->jobs,
                "search what lies between the snapshots beside the log with so many machines at a "
                "time");
  AddPartsOptions(*query, options->parts,
                  "have the workers of a Dask cluster search what lies between the snapshots");
  AddCpuOption(*query, options->cpu, "answer about this CPU alone, from 0 on");
  query->add_flag("--json", options->json, "a JSON object a line (docs/query.md)");
  query->footer(QuestionHelp() + ExitCodeHelp(ExitCodesOfLookers()));
  query->callback([options, query, &command] {
    command = [options, query] {
      const std::string& scheduler = options->parts.scheduler;
      if (scheduler.empty()) return QueryLog(*options);
      const absl::Status status = CheckQuestion(*options);
      if (!status.ok()) return RefuseInput(status);
      return BecomeClusterClient(*query, scheduler,
                                 options->backwards() ? PartsWanted::kFirst : PartsWanted::kUpTo,
                                 {options->log.log_path});
    };
  });
}

}  // namespace isochron::cli
