#include "cli/commands/profile.h"

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
#include "cli/run/privileges.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "cli/text/text_output.h"
#include "debug/profile.h"
#include "replaylog/output_file.h"

namespace isochron::cli {
namespace {

constexpr std::string_view kTable = "table";
constexpr std::string_view kFolded = "folded";
constexpr std::string_view kSpeedscope = "speedscope";
constexpr std::string_view kHtml = "html";
constexpr std::string_view kFormats[] = {kTable, kFolded, kSpeedscope, kHtml};

struct ProfileCommand {
  TimelineOptions log;
  std::optional<machine::GuestTime> from;
  std::optional<machine::GuestTime> to;
  std::optional<debug::ProfileBy> by;
  std::string format{kTable};
  std::optional<debug::ProfileWeight> weight;
  bool json = false;
  std::string output;
  std::optional<int> cpu;
};

absl::Status CheckOptions(const ProfileCommand& options) {
  if (options.format != kTable && options.by.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--by is for tables; --format ", options.format, " has all stacks"));
  }
  if (options.format != kTable && options.json) {
    return absl::InvalidArgumentError(
        absl::StrCat("--json is for tables, not for --format ", options.format));
  }
  if (options.format != kFolded && options.weight.has_value()) {
    return absl::InvalidArgumentError("--weight is for --format folded; the others have both");
  }
  return absl::OkStatus();
}

void Write(const debug::Profile& profile, const ProfileCommand& options,
           const debug::Profile::LineSink& sink) {
  const std::string title =
      absl::StrCat("Profile of cycles ", profile.from(), " to ", profile.to());
  if (options.format == kFolded) {
    profile.WriteFolded(options.weight.value_or(debug::ProfileWeight::kCycles), sink);
  } else if (options.format == kSpeedscope) {
    profile.WriteSpeedscope(title, sink);
  } else if (options.format == kHtml) {
    profile.WriteFlamePage(title, sink);
  } else {
    profile.WriteTable(options.by.value_or(debug::ProfileBy::kFunction), options.json, sink);
  }
}

// Where it goes: standard output, or a file that is there once it is whole.
class ProfileOutput {
 public:
  absl::Status Open(const std::string& path) {
    if (path.empty()) return absl::OkStatus();
    absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> file =
        replaylog::OutputFile::Create(path);
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    return absl::OkStatus();
  }

  void Line(std::string_view line) {
    if (file_ == nullptr) return text_.Line(line);
    buffer_.append(line);
    buffer_ += '\n';
    if (buffer_.size() >= kBuffer) Flush();
  }

  // Returns the exit code.
  int Finish() {
    if (file_ == nullptr) return text_.Finish(ToInt(ExitCode::kOk));
    Flush();
    status_ = file_->Finish(std::move(status_));
    if (status_.ok()) return ToInt(ExitCode::kOk);
    Say(std::string(status_.message()));
    return ToInt(ExitCode::kInternal);
  }

  void Discard() {
    if (file_ != nullptr) file_->Discard();
  }

 private:
  static constexpr size_t kBuffer = size_t{1} << 20;

  void Flush() {
    if (status_.ok()) status_ = file_->Write(buffer_);
    buffer_.clear();
  }

  TextOutput text_;
  std::unique_ptr<replaylog::OutputFile> file_;
  std::string buffer_;
  absl::Status status_;
};

int ProfileLog(const ProfileCommand& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return RefuseInput(status);
  absl::StatusOr<OpenedTimeline> opened = OpenTimeline(options.log);
  if (!opened.ok()) return RefuseInput(opened.status());
  if (absl::Status status = CheckCpu(options.cpu, opened->timeline->machine()); !status.ok()) {
    return RefuseInput(status);
  }
  const absl::StatusOr<CycleRange> range = RangeIn(*opened, options.from, options.to);
  if (!range.ok()) return RefuseInput(range.status());
  ProfileOutput out;
  if (absl::Status status = out.Open(options.output); !status.ok()) return RefuseInput(status);
  const SandboxMode mode = options.output.empty() ? SandboxMode::kRun : SandboxMode::kReplay;
  absl::Status status = GiveUpPrivileges(options.log.run.sandbox, mode);
  if (!status.ok()) {
    out.Discard();
    return RefuseInput(status);
  }
  const absl::StatusOr<debug::Profile> profile =
      debug::Profile::Of(*opened->timeline, *opened->symbols, range->from, range->to, options.cpu);
  if (!profile.ok()) {
    out.Discard();
    return ReportTimelineFailure(profile.status(), options.log.log_path, *opened->timeline);
  }
  Write(*profile, options, [&out](std::string_view line) { out.Line(line); });
  return out.Finish();
}

void AddFormatOptions(CLI::App& profile, const std::shared_ptr<ProfileCommand>& options) {
  profile
      .add_option_function<std::string>(
          "--by",
          [options](const std::string& name) {
            for (const debug::ProfileBy by : debug::kProfileBys) {
              if (name == ProfileByName(by)) options->by = by;
            }
          },
          "what a row of the table is (default: function)")
      ->check(CLI::IsMember(ProfileRowNames()))
      ->type_name(absl::StrJoin(ProfileRowNames(), "|"));
  profile
      .add_option("--format", options->format,
                  "a table, or all stacks: as flamegraph.pl reads them, for speedscope.app, or a "
                  "page with a flame graph (default: table)")
      ->check(CLI::IsMember(ProfileFormatNames()))
      ->type_name(absl::StrJoin(ProfileFormatNames(), "|"));
  profile.add_flag("--json", options->json, "the table as a JSON object a row (docs/profile.md)");
  profile
      .add_option_function<std::string>(
          "--weight",
          [options](const std::string& name) {
            options->weight = name == "cycles" ? debug::ProfileWeight::kCycles
                                               : debug::ProfileWeight::kInstructions;
          },
          "what --format folded counts (default: cycles)")
      ->check(CLI::IsMember({"cycles", "instructions"}))
      ->type_name("cycles|instructions");
  profile
      .add_option("-o,--output", options->output,
                  "write to this file, which is there once it is whole (default: standard output)")
      ->type_name("FILE");
}

}  // namespace

std::vector<std::string> ProfileRowNames() {
  std::vector<std::string> names;
  for (const debug::ProfileBy by : debug::kProfileBys) names.emplace_back(ProfileByName(by));
  return names;
}

std::vector<std::string> ProfileFormatNames() { return {std::begin(kFormats), std::end(kFormats)}; }

void AddProfileCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* profile =
      app.add_subcommand("profile", "Count where a log's guest spent its instructions and cycles");
  auto options = std::make_shared<ProfileCommand>();
  AddLogToLookInto(*profile, options->log);
  AddRangeOptions(*profile, options->from, options->to);
  AddCpuOption(*profile, options->cpu, "count what this CPU executed alone, from 0 on");
  AddFormatOptions(*profile, options);
  profile->footer(ExitCodeHelp(ExitCodesOfLookers()));
  profile->callback([options, &command] { command = [options] { return ProfileLog(*options); }; });
}

}  // namespace isochron::cli
