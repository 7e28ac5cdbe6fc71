#include "cli/commands/conform.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/run/guest.h"
#include "cli/run/guest_images.h"
#include "cli/run/guest_network.h"
#include "cli/run/guest_run.h"
#include "cli/run/log_output.h"
#include "cli/run/replay_driver.h"
#include "cli/run/replay_report.h"
#include "cli/run/report_file.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "conformance/compare/divergence_report.h"
#include "conformance/compare/event_pipe.h"
#include "conformance/compare/follower.h"
#include "conformance/compare/machine_twins.h"
#include "engines/engines.h"
#include "machine/events/cycle_text.h"
#include "replaylog/image_set.h"
#include "replaylog/log_reader.h"
#include "replaylog/log_writer.h"

namespace isochron::cli {
namespace {

using engines::NamedEngine;
using std::chrono::nanoseconds;

std::string Speed(const std::string& engine, uint64_t instructions, nanoseconds time) {
  const double seconds = std::max(1e-9, std::chrono::duration<double>(time).count());
  return absl::StrFormat("%s %.0f MIPS", engine, static_cast<double>(instructions) / seconds / 1e6);
}

// The recording machine, the log that it makes, and everything that can be wrong before it runs.
class Conform {
 public:
  explicit Conform(ConformOptions options) : options_(std::move(options)) {}

  absl::Status Prepare();
  int Run();

 private:
  absl::Status OpenLog();
  absl::StatusOr<GuestImages> FindImages();
  // Adds to the run what observes it and what it follows.
  absl::Status AddParts();
  int Compare(const machine::RunEnd& end);
  int ReportAgreement(const machine::RunEnd& end);
  int ReportDifference(timeline::Divergence divergence);
  int ReportLyingLog();
  int ReportIncomplete(const machine::RunEnd& end);

  // Tells of it where the options say. Returns `exit_code`, or that of a failure to write.
  int Publish(std::string title, std::string failure, std::string details, std::string page,
              int exit_code);
  std::string Engines() const { return absl::StrCat(engines_[0].name, " and ", engines_[1].name); }
  // What it takes to come back. `identity`: of the log of the run, if it is complete.
  std::vector<conformance::ReportRow> Origin(std::string_view identity) const;

  // Writes the events that an engine had up to the difference as a log that breaks off there.
  absl::Status KeepLog(const std::string& path, const std::vector<replaylog::Event>& events);
  void KeepBothLogs(const timeline::Divergence& divergence);

  ConformOptions options_;
  std::vector<NamedEngine> engines_;
  std::unique_ptr<replaylog::LogReader> log_;
  uint64_t last_cycle_ = 0;  // of the log
  machine::Digest log_identity_;
  std::optional<GuestRun> guest_run_;
  conformance::RecordedRun run_;
  replaylog::LogHeader header_;
  conformance::EventPipe pipe_;
  std::optional<conformance::LeaderObserver> leader_;
  std::unique_ptr<conformance::Follower> follower_;
  std::unique_ptr<ReplayDriver> driver_;
};

absl::Status Conform::OpenLog() {
  absl::StatusOr<OpenedLog> log = OpenLogToRun(options_.log_path, options_.run);
  if (!log.ok()) return log.status();
  log_ = std::move(log->reader);
  last_cycle_ = log->last_cycle;
  log_identity_ = log->identity;
  options_.run.config = log_->header().config;
  return absl::OkStatus();
}

absl::StatusOr<GuestImages> Conform::FindImages() {
  if (log_ == nullptr) {
    absl::StatusOr<GuestImages> images = LoadNamedImages(options_.run);
    if (images.ok()) WarnOfClock(options_.run, *images);
    return images;
  }
  return LoadLogImages(*log_, options_.log_path, options_.run);
}

absl::Status Conform::Prepare() {
  RunOptions& run = options_.run;
  absl::StatusOr<std::vector<NamedEngine>> engines = engines::ParseEnginePair(options_.engines);
  if (!engines.ok()) return engines.status();
  engines_ = *std::move(engines);
  run.engine = engines_[0].name;
  if (options_.log_path.empty() && run.kernel_path.empty() && !run.config.boot_disk.has_value()) {
    return absl::InvalidArgumentError("give a log, or a guest with --kernel or --boot");
  }
  if (!options_.log_path.empty()) {
    if (!options_.guest_option.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a log brings its own machine and input: ", options_.guest_option, " cannot be given"));
    }
    if (absl::Status status = OpenLog(); !status.ok()) return status;
  }
  for (const DiskOption& disk : run.disks) {
    if (disk.commit || !disk.overlay.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(disk.path,
                                                     ": conform writes to no disk: leave ",
                                                     disk.commit ? "commit" : "overlay=", " out"));
    }
    if (!options_.log_path.empty() && disk.has_settings) {
      return absl::InvalidArgumentError(
          absl::StrCat(disk.path, ": the log says what the disk is: leave its settings out"));
    }
  }
  absl::StatusOr<std::unique_ptr<FrameLink>> network = OpenNetwork(run);
  if (!network.ok()) return network.status();
  absl::StatusOr<GuestImages> images = FindImages();
  if (!images.ok()) return images.status();
  run_.images = images->boot;
  CommandFiles files;
  files.AddInput(options_.log_path, "the log that is repeated");
  files.AddLog(options_.output_path, "the new log");
  absl::StatusOr<Guest> guest =
      PrepareGuest(run, *std::move(images), std::move(files), *std::move(network));
  if (!guest.ok()) return guest.status();
  guest_run_.emplace(*std::move(guest), SandboxMode::kConform);
  run_.config = guest_run_->machine().config();
  header_ = HeaderOf(guest_run_->guest());

  absl::StatusOr<std::unique_ptr<machine::Machine>> second =
      machine::Machine::Create(run_.config, run_.images, engines_[1].factory);
  if (!second.ok()) return second.status();
  follower_ = std::make_unique<conformance::Follower>(*std::move(second), pipe_);
  return AddParts();
}

absl::Status Conform::AddParts() {
  // Without -o the log is made all the same, for its identity.
  absl::Status status = guest_run_->AddLog(options_.output_path, options_.run);
  if (!status.ok()) return status;
  guest_run_->RefuseSnapshots("conform takes no snapshots; a replay of its log does");
  leader_.emplace(pipe_, guest_run_->machine());
  guest_run_->AddObserver(*leader_);
  if (log_ == nullptr) return absl::OkStatus();
  driver_ = std::make_unique<ReplayDriver>(*log_, guest_run_->machine(), ReplayDriver::Options{});
  guest_run_->Follow(*driver_, last_cycle_);
  return absl::OkStatus();
}

int Conform::Run() {
  if (absl::Status status = follower_->Start(); !status.ok()) {
    guest_run_->Discard();
    return RefuseInput(status);
  }
  absl::StatusOr<machine::RunEnd> end = guest_run_->Run();
  pipe_.Close();
  follower_->Join();
  if (!end.ok()) return RefuseInput(end.status());
  // A disk that has changed explains whatever differs.
  const int found = CheckDisks(guest_run_->guest().disks, ToInt(ExitCode::kOk));
  const int exit_code = found != ToInt(ExitCode::kOk) ? found : Compare(*end);
  guest_run_->Conclude(*end, exit_code);
  return exit_code;
}

int Conform::Compare(const machine::RunEnd& end) {
  const timeline::Replayer& replayer = follower_->replayer();
  if (replayer.divergence().has_value()) return ReportDifference(*replayer.divergence());
  if (driver_ != nullptr && driver_->replayer().divergence().has_value()) return ReportLyingLog();
  return replayer.end().has_value() ? ReportAgreement(end) : ReportIncomplete(end);
}

std::vector<conformance::ReportRow> Conform::Origin(std::string_view identity) const {
  std::vector<conformance::ReportRow> rows = OriginRows(guest_run_->guest());
  if (log_ != nullptr) {
    rows.push_back(
        {"log", absl::StrCat(options_.log_path, ", identity ", log_identity_.ToString())});
  } else if (!identity.empty()) {
    rows.push_back({"log", absl::StrCat("identity ", std::string(identity))});
  }
  return rows;
}

int Conform::Publish(std::string title, std::string failure, std::string details, std::string page,
                     int exit_code) {
  Verdict verdict;
  verdict.suite = "isochron conform";
  std::string what = log_ != nullptr ? options_.log_path : options_.run.kernel_path;
  if (what.empty()) what = absl::StrCat("disk", options_.run.config.boot_disk.value_or(0));
  verdict.name = absl::StrCat(what, " on ", Engines());
  verdict.title = std::move(title);
  verdict.failure = std::move(failure);
  verdict.details = std::move(details);
  verdict.page = std::move(page);
  verdict.origin = Origin(guest_run_->LogIdentity());
  return PublishVerdict(options_.run, verdict, guest_run_->session().wall(), exit_code);
}

int Conform::ReportLyingLog() {
  const std::string report = DivergenceReport(
      options_.log_path, *driver_->replayer().divergence(), *driver_->divergence_place(),
      guest_run_->machine().kernel(), guest_run_->machine().config().clock_hz);
  Tell(report);
  return Publish(absl::StrCat("The run on ", engines_[0].name, " differs from its log"),
                 "the run differs from its log", report, "", ToInt(ExitCode::kDifference));
}

int Conform::ReportIncomplete(const machine::RunEnd& end) {
  if (end.kind == machine::RunEnd::Kind::kObserver) Say(end.message);
  const std::string line =
      absl::StrCat("the comparison is incomplete: ", follower_->replayer().events_compared(),
                   " events were equal");
  Say(line);
  return Publish(absl::StrCat("The comparison of ", Engines(), " is incomplete"), line,
                 absl::StrCat(line, "\n", DescribeEnd(end), "\n"), "", ToInt(ExitCode::kInternal));
}

int Conform::ReportAgreement(const machine::RunEnd& end) {
  int exit_code = guest_run_->session().Report(end, guest_run_->machine());
  if (absl::Status status = guest_run_->log()->Complete(); !status.ok()) {
    Say(std::string(status.message()));
    return ToInt(ExitCode::kInternal);
  }
  const auto checkpoints =
      std::count_if(pipe_.events().begin(), pipe_.events().end(), [](const auto& event) {
        return std::holds_alternative<replaylog::CheckpointEvent>(event.body);
      });
  const uint64_t cycles = guest_run_->machine().now();
  const uint64_t instructions = guest_run_->machine().Instructions();
  const std::string line = absl::StrCat(
      Engines(), " agree: ", guest_run_->log()->writer().events(), " events, ",
      machine::CyclesText(cycles, run_.config.clock_hz), ", ", instructions, " instructions, ",
      checkpoints, " checkpoints, identity ", guest_run_->LogIdentity(), "; ",
      Speed(engines_[0].name, instructions, guest_run_->session().wall()), ", ",
      Speed(engines_[1].name, instructions, follower_->busy()));
  Say(line);
  // As in a replay it does not matter what the guest came to, but who broke it off does.
  using Kind = machine::RunEnd::Kind;
  const bool at_limit =
      end.kind == Kind::kStopped && (end.stop.cause == machine::StopCause::kCycleLimit ||
                                     end.stop.cause == machine::StopCause::kPanic ||
                                     end.stop.cause == machine::StopCause::kLogLimit);
  const bool only_the_end =
      exit_code == ExitCodeOf(end) && (end.kind == Kind::kFatal || end.kind == Kind::kReset ||
                                       end.kind == Kind::kEndOfTime || at_limit);
  if (only_the_end) exit_code = ToInt(ExitCode::kOk);
  return Publish(absl::StrCat("Engines ", Engines(), " agree"),
                 exit_code == 0 ? "" : absl::StrCat("ended with exit code ", exit_code),
                 absl::StrCat(line, "\n", DescribeEnd(end), "\n"), "", exit_code);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): it outlives the follower that has it.
int Conform::ReportDifference(timeline::Divergence divergence) {
  const std::string where =
      absl::StrCat("differ at event ", divergence.actual.number, ", cycle ",
                   machine::WithSeconds(divergence.actual.cycle, run_.config.clock_hz));
  Say(absl::StrCat(Engines(), " ", where, "; the run is repeated to find the first instruction"));
  guest_run_->session().LetSignalsKill();  // there is nothing to complete
  run_.events = pipe_.events();
  follower_.reset();
  absl::StatusOr<conformance::DivergenceReport> report =
      conformance::InvestigateDivergence(run_, engines_, divergence);
  if (!report.ok()) {
    Say(std::string(report.status().message()));
    return ToInt(ExitCode::kInternal);
  }
  report->origin = Origin("");
  const std::string text = conformance::ReportText(*report);
  Tell(text);
  if (report->certainty == conformance::Certainty::kNotReproduced) KeepBothLogs(divergence);
  return Publish(absl::StrCat("Engines ", Engines(), " differ"), absl::StrCat("they ", where), text,
                 conformance::ReportHtml(*report), ToInt(ExitCode::kDifference));
}

absl::Status Conform::KeepLog(const std::string& path,
                              const std::vector<replaylog::Event>& events) {
  absl::StatusOr<std::unique_ptr<replaylog::LogWriter>> writer =
      replaylog::LogWriter::Create(path, header_);
  if (!writer.ok()) return writer.status();
  for (const replaylog::Event& event : events) (*writer)->Append(event);
  if (absl::Status status = (*writer)->LeavePartial(); !status.ok()) return status;
  return replaylog::WriteSidecar(path, guest_run_->guest().images);
}

void Conform::KeepBothLogs(const timeline::Divergence& divergence) {
  const std::string base = options_.output_path.empty() ? "conform" : options_.output_path;
  std::vector<replaylog::Event> second = run_.events;
  std::erase_if(second, [&](const replaylog::Event& event) {
    return event.number >= divergence.actual.number;
  });
  second.push_back(divergence.actual);
  for (const auto& [path, events] :
       {std::pair{base + ".first", run_.events}, std::pair{base + ".second", std::move(second)}}) {
    const absl::Status status = KeepLog(path, events);
    Say(status.ok() ? absl::StrCat("kept: ", path, ".partial, for `isochron log diff`")
                    : std::string(status.message()));
  }
}

}  // namespace

void AddConformCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* conform = app.add_subcommand(
      "conform", "Run a guest on two engines at once and find the first difference");
  auto options = std::make_shared<ConformOptions>();
  options->engines = engines::DefaultEnginePair();
  conform->add_option("log", options->log_path, "repeat this log instead of running a guest")
      ->type_name("LOG");
  conform
      ->add_option("--engines", options->engines,
                   "the engine that records and the one that "
                   "replays")
      ->type_name("A,B")
      ->default_str(options->engines);
  conform->add_option("-o,--output", options->output_path, "keep the log of the run")
      ->type_name("LOG");
  AddVerdictOptions(*conform, options->run);
  AddBudgetOptions(*conform, options->run);
  AddMachineOptions(*conform, options->run);
  conform->get_option("--kernel")->required(false);
  AddIntervalOptions(*conform, options->run);
  AddControlOptions(*conform, options->run);
  AddLogLimitOption(*conform, options->run);
  AddConsoleOptions(*conform, options->run);
  conform->footer(TerminalHelp() +
                  ExitCodeHelp({ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage,
                                ExitCode::kDifference, ExitCode::kLimit, ExitCode::kSignalBase}));
  conform->callback([conform, options, &command] {
    for (const CLI::Option* option : conform->get_options()) {
      const std::string& name = option->get_single_name();
      const bool image = name == "kernel" || name == "initrd" || name == "disk";
      const bool of_guest = (option->get_group() == "Machine" && !image) || name == "script" ||
                            name == "max-cycles" || name == "max-log" || name == "no-reboot" ||
                            name == "on-panic" || name == "pace";
      if (of_guest && option->count() > 0) options->guest_option = "--" + name;
    }
    command = [options] { return ConformGuest(*options); };
  });
}

int ConformGuest(ConformOptions options) {
  Conform conform(std::move(options));
  if (absl::Status status = conform.Prepare(); !status.ok()) return RefuseInput(status);
  return conform.Run();
}

}  // namespace isochron::cli
