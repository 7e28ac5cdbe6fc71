#include "cli/commands/replay.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/replay_gdb.h"
#include "cli/run/guest.h"
#include "cli/run/guest_images.h"
#include "cli/run/guest_run.h"
#include "cli/run/log_output.h"
#include "cli/run/replay_driver.h"
#include "cli/run/replay_report.h"
#include "cli/run/report_file.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "machine/events/cycle_text.h"
#include "machine/machine.h"
#include "replaylog/log_reader.h"
#include "timeline/seek.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

// One replay, from what is checked first to what is told last.
class Replay {
 public:
  explicit Replay(ReplayOptions options) : options_(std::move(options)) {}

  // Everything that can be wrong is found here, before anything runs.
  absl::Status Prepare();
  int Run();
  // Removes the files that were begun: nothing was run.
  void Discard() {
    if (run_.has_value()) run_->Discard();
  }

 private:
  absl::Status CheckOptions() const;
  // Opens the log and makes its guest, which run_ is then of.
  absl::Status OpenLog();
  absl::Status MakeGuest();
  // Adds to run_ what else there is.
  absl::Status AddParts();
  absl::Status AddSnapshots();
  // What the new log has from power-on to the snapshot is in the log already.
  absl::Status CopyEventsBefore(const timeline::SnapshotInfo& snapshot);
  // Puts machine and log to the snapshot that --from asks for.
  absl::Status StartFromSnapshot();
  int Report(const machine::RunEnd& end);
  int ReportReplay(const machine::RunEnd& end);
  // Says a line, which is what the replay came to.
  void Conclude(const std::string& line);
  // Writes the reports that are asked for. Returns `exit_code`, or that of a failure to write.
  int Publish(const machine::RunEnd& end, int exit_code);
  std::string EventsEqual() const;
  // A cycle for people.
  std::string Shown(uint64_t cycle) const {
    return machine::WithSeconds(cycle, log_->header().config.clock_hz);
  }
  // What a control channel is told at the end of the replay, as JSON.
  std::string EndFields() const;

  ReplayOptions options_;
  std::unique_ptr<replaylog::LogReader> log_;
  uint64_t last_cycle_ = 0;
  // --from and --until in cycles of the log's clock.
  std::optional<uint64_t> from_;
  std::optional<uint64_t> until_;
  std::optional<GuestRun> run_;
  std::unique_ptr<ReplayDriver> driver_;
  std::string log_identity_;
  std::string conclusion_;  // what is told of the replay, in lines
};

absl::Status Replay::CheckOptions() const {
  if (options_.live != !options_.new_log_path.empty()) {
    return absl::InvalidArgumentError("--live and -o need each other");
  }
  if (options_.live && !options_.until.has_value()) {
    return absl::InvalidArgumentError("--live needs --until, where the replay hands over");
  }
  if (options_.from.has_value() && options_.snapshot_every.has_value()) {
    return absl::InvalidArgumentError(
        "--from begins in the middle: no snapshots can be written then");
  }
  if (!options_.live && options_.run.max_log.has_value()) {
    return absl::InvalidArgumentError("--max-log needs --live: a replay writes no log");
  }
  if (!options_.live && !options_.run.script_path.empty()) {
    return absl::InvalidArgumentError("--script needs --live: a replay takes no other input");
  }
  if (!options_.live && (options_.run.pace.has_value() || options_.run.on_panic.has_value())) {
    return absl::InvalidArgumentError(
        "--pace and --on-panic need --live: a replay goes as its log does, as fast as it can");
  }
  return absl::OkStatus();
}

// gdb says where to go, and its console is all the output there is.
absl::Status CheckGdbOptions(const ReplayOptions& options) {
  const RunOptions& run = options.run;
  const TimelineOptions& timeline = options.timeline;
  const bool timeline_only = timeline.snapshot_memory.has_value() ||
                             !timeline.symbol_files.empty() || timeline.known_to.has_value();
  if (!options.gdb.has_value()) {
    if (!timeline_only) return absl::OkStatus();
    return absl::InvalidArgumentError("--snapshot-memory, --symbols and --known-to need --gdb");
  }
  const bool places = options.from.has_value() || options.until.has_value() || options.live;
  const bool drivers = !run.script_path.empty() || run.control.has_value() ||
                       run.pace.has_value() || run.on_panic.has_value();
  bool outputs = options.snapshot_every.has_value() || !options.new_log_path.empty() ||
                 run.max_log.has_value() || run.stats || !run.report_path.empty() ||
                 !run.junit_path.empty();
  for (const ConsoleTarget& console : run.consoles) outputs = outputs || !console.path.empty();
  if (!places && !drivers && !outputs) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--gdb goes with no option of Control or Output but --sandbox and --perf-map: gdb drives");
}

absl::Status Replay::Prepare() {
  if (absl::Status status = CheckOptions(); !status.ok()) return status;
  if (absl::Status status = OpenLog(); !status.ok()) return status;
  if (absl::Status status = MakeGuest(); !status.ok()) return status;
  return AddParts();
}

absl::Status Replay::OpenLog() {
  absl::StatusOr<OpenedLog> log = OpenLogToRun(options_.log_path, options_.run);
  if (!log.ok()) return log.status();
  log_ = std::move(log->reader);
  last_cycle_ = log->last_cycle;
  log_identity_ = log->identity.ToString();
  const uint64_t clock_hz = log_->header().config.clock_hz;
  if (options_.from.has_value()) from_ = options_.from->Cycles(clock_hz);
  if (options_.until.has_value()) until_ = options_.until->Cycles(clock_hz);
  if (from_.value_or(0) > until_.value_or(std::numeric_limits<uint64_t>::max())) {
    return absl::InvalidArgumentError("--from is behind --until");
  }
  return absl::OkStatus();
}

absl::Status Replay::MakeGuest() {
  RunOptions& run = options_.run;
  absl::StatusOr<GuestImages> images = LoadLogImages(*log_, options_.log_path, run);
  if (!images.ok()) return images.status();
  run.config = log_->header().config;
  CommandFiles command_files;
  command_files.AddInput(options_.log_path, "the log that is replayed");
  command_files.AddLog(options_.new_log_path, "the new log");
  absl::StatusOr<Guest> guest =
      PrepareGuest(run, *std::move(images), std::move(command_files), /*network=*/nullptr);
  if (!guest.ok()) return guest.status();
  run_.emplace(*std::move(guest), SandboxMode::kReplay);
  return absl::OkStatus();
}

absl::Status Replay::AddParts() {
  if (options_.live) {
    absl::Status status = run_->AddLog(options_.new_log_path, options_.run);
    if (!status.ok()) return status;
  }
  if (options_.from.has_value()) {
    if (absl::Status status = StartFromSnapshot(); !status.ok()) return status;
  }
  driver_ = std::make_unique<ReplayDriver>(*log_, run_->machine(),
                                           ReplayDriver::Options{until_, options_.live});
  const uint64_t until = until_.value_or(std::numeric_limits<uint64_t>::max());
  run_->Follow(*driver_, std::min(until, last_cycle_));
  // A run that begins in the middle has none of the pages that nobody wrote since.
  return options_.from.has_value() ? absl::OkStatus() : AddSnapshots();
}

// They belong to the new log, if there is one.
absl::Status Replay::AddSnapshots() {
  return options_.live
             ? run_->AddSnapshots(options_.new_log_path, HeaderOf(run_->guest()),
                                  options_.snapshot_every)
             : run_->AddSnapshots(options_.log_path, log_->header(), options_.snapshot_every);
}

absl::Status Replay::CopyEventsBefore(const timeline::SnapshotInfo& snapshot) {
  if (absl::Status status = log_->SeekToEvent(0); !status.ok()) return status;
  return timeline::ReadToSnapshot(
             *log_, snapshot, [this](const replaylog::Event& event) { run_->log()->Append(event); })
      .status();
}

absl::Status Replay::StartFromSnapshot() {
  const std::string path = timeline::FindSnapshots(options_.log_path);
  absl::StatusOr<std::unique_ptr<timeline::SnapshotReader>> reader =
      timeline::SnapshotReader::Open(path, log_->header());
  if (absl::IsNotFound(reader.status())) {
    return absl::NotFoundError(
        absl::StrCat(reader.status().message(), "; replay --snapshot-every makes snapshots"));
  }
  if (!reader.ok()) return reader.status();
  // Whoever was killed may have written snapshots that are ahead of the log.
  const uint64_t from = std::min(*from_, last_cycle_);
  const absl::StatusOr<const timeline::SnapshotInfo*> fitting =
      timeline::SeekToLastSnapshot(*log_, **reader, from);
  if (!fitting.ok()) return fitting.status();
  const timeline::SnapshotInfo* const snapshot = *fitting;
  if (snapshot == nullptr && (*reader)->FindAtOrBefore(from) != nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(options_.log_path,
                                                   ": has no checkpoint like any snapshot of ",
                                                   path, " up to cycle ", Shown(from)));
  }
  if (snapshot == nullptr) {
    Say(absl::StrCat("no snapshot is at or before cycle ", Shown(from),
                     "; the replay begins at power-on"));
    return absl::OkStatus();
  }
  const absl::Status status = (*reader)->Restore(*snapshot, run_->machine(), [this] {
    run_->session().EndIfAsked();
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (options_.live) {
    if (absl::Status copied = CopyEventsBefore(*snapshot); !copied.ok()) return copied;
  }
  Say(absl::StrCat("the replay begins at the snapshot at cycle ", Shown(snapshot->cycle)));
  return absl::OkStatus();
}

int Replay::Run() {
  absl::StatusOr<machine::RunEnd> end = run_->Run();
  if (!end.ok()) return RefuseInput(end.status());
  if (driver_->divergence_place().has_value()) {
    // The log that was being written belongs to no run that anybody wants to keep whole.
    end->kind = machine::RunEnd::Kind::kObserver;
  }
  const int exit_code = Publish(*end, run_->Finish(*end, Report(*end)));
  run_->Conclude(*end, exit_code, EndFields());
  return exit_code;
}

std::string Replay::EndFields() const {
  return absl::StrCat(
      "\"replay\":{\"equal_events\":", driver_->replayer().events_compared(),
      ",\"diverged\":", driver_->replayer().divergence().has_value() ? "true" : "false", "}");
}

int Replay::Report(const machine::RunEnd& end) {
  if (driver_->state() == ReplayDriver::State::kLive) {
    return run_->session().Report(end, run_->machine());
  }
  const std::optional<int> console_failure = run_->session().ReportConsole();
  const int exit_code = console_failure.has_value() ? *console_failure : ReportReplay(end);
  if (log_->unknown_witnesses() > 0) {
    Say(absl::StrCat("not compared: ", log_->unknown_witnesses(),
                     " events of types that this version does not know"));
  }
  run_->session().ReportStats(run_->machine());
  return exit_code;
}

void Replay::Conclude(const std::string& line) {
  conclusion_ = absl::StrCat(line, "\n");
  Say(line);
}

int Replay::Publish(const machine::RunEnd& end, int exit_code) {
  const bool went_on = driver_->state() == ReplayDriver::State::kLive;
  Verdict verdict;
  verdict.suite = "isochron replay";
  verdict.name = absl::StrCat(options_.log_path, " on ", options_.run.engine);
  verdict.origin = OriginRows(run_->guest());
  verdict.origin.push_back({"log", absl::StrCat(options_.log_path, ", identity ", log_identity_)});
  verdict.details = went_on ? absl::StrCat(DescribeEnd(end), "\n") : conclusion_;
  if (exit_code != 0) verdict.failure = absl::StrCat("ended with exit code ", exit_code);
  if (went_on) {
    verdict.page = RunPage(end, exit_code, run_->guest(), run_->LogIdentity());
  } else if (driver_->replayer().divergence().has_value()) {
    verdict.title = "The run differs from its log";
    verdict.failure = "the run differs from its log";
  } else if (exit_code == 0) {
    verdict.title = "The run is as its log has it";
  } else {
    verdict.title = "The replay is incomplete";
  }
  return PublishVerdict(options_.run, verdict, run_->session().wall(), exit_code);
}

std::string Replay::EventsEqual() const {
  return absl::StrCat(driver_->replayer().events_compared(), " events are equal");
}

int Replay::ReportReplay(const machine::RunEnd& end) {
  const timeline::Replayer& replayer = driver_->replayer();
  const std::string cycle = Shown(run_->machine().now());
  if (replayer.divergence().has_value()) {
    conclusion_ =
        DivergenceReport(options_.log_path, *replayer.divergence(), *driver_->divergence_place(),
                         run_->machine().kernel(), run_->machine().config().clock_hz);
    Tell(conclusion_);
    return ToInt(ExitCode::kDifference);
  }
  switch (driver_->state()) {
    case ReplayDriver::State::kAbandoned:
      Conclude(absl::StrCat("the replay was given up at cycle ", cycle, ": ", DescribeEnd(end),
                            "; ", EventsEqual()));
      return ExitCodeOf(end);
    case ReplayDriver::State::kReachedUntil:
      Conclude(
          absl::StrCat("replayed ", options_.log_path, " to cycle ", cycle, "; ", EventsEqual()));
      return ToInt(ExitCode::kOk);
    case ReplayDriver::State::kLive:
    case ReplayDriver::State::kReplaying: break;
  }
  if (replayer.end().has_value()) {
    Conclude(absl::StrCat("replayed ", options_.log_path, " to its end at cycle ", cycle, ": ",
                          DescribeEnd(end), "; ", EventsEqual()));
    return ToInt(ExitCode::kOk);
  }
  if (!replayer.status().ok()) {
    conclusion_ = absl::StrCat(std::string(replayer.status().message()), "\n");
    return RefuseInput(replayer.status());
  }
  if (end.kind == machine::RunEnd::Kind::kObserver) {
    Conclude(end.message);
    return ToInt(ExitCode::kInternal);
  }
  Conclude(absl::StrCat("replayed ", options_.log_path, " to cycle ", Shown(last_cycle_),
                        ", where it breaks off (it is partial); ", EventsEqual()));
  return ToInt(ExitCode::kOk);
}

}  // namespace

void AddReplayCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* replay =
      app.add_subcommand("replay", "Run a log's guest again and compare every event");
  auto options = std::make_shared<ReplayOptions>();
  replay->add_option("log", options->log_path, "the log, or a bundle")
      ->type_name("LOG")
      ->required();
  AddImageOptions(*replay, options->run);
  AddBudgetOptions(*replay, options->run);
  AddEngineOption(*replay, options->run);
  AddTimeOption(*replay, "--from", options->from,
                "begin at the last snapshot at or before this: a cycle, or seconds as in 1.5s")
      ->group("Control");
  AddSnapshotOption(*replay, options->snapshot_every)->group("Control");
  AddTimeOption(
      *replay, "--until", options->until,
      "end the replay at this, likewise; with --live at the first input point from there on")
      ->group("Control");
  replay->add_flag("--live", options->live, "at --until, go on with your input instead")
      ->group("Control");
  AddGdbOption(*replay, options->gdb,
               "replay nothing by itself: wait for a gdb there, which goes forward and back in the "
               "recording; - is standard input and output (docs/debugging.md)");
  AddTimelineOptions(*replay, options->timeline);
  AddTimeOption(*replay, "--known-to", options->timeline.known_to,
                "with --gdb, of a partial log: nothing happened behind its last event up to this, "
                "where it ends then")
      ->group("Control");
  AddScriptOptions(*replay, options->run);
  AddLogLimitOption(*replay, options->run);
  replay
      ->add_option("-o,--output", options->new_log_path,
                   "the log of the run that --live goes on with, from power-on")
      ->type_name("LOG")
      ->group("Control");
  AddConsoleOptions(*replay, options->run);
  AddVerdictOptions(*replay, options->run);
  AddSideBySideOptions(*replay, options->side_by_side);
  replay->footer(ExitCodeHelp());
  replay->callback([options, replay, &command] {
    command = [options, replay] {
      if (!options->side_by_side.any()) return ReplayLog(*options);
      return ReplaySideBySide(*replay, options->log_path, options->run, options->side_by_side);
    };
  });
}

int ReplayLog(ReplayOptions options) {
  if (absl::Status status = CheckGdbOptions(options); !status.ok()) return RefuseInput(status);
  if (options.gdb.has_value()) {
    options.timeline.log_path = options.log_path;
    options.timeline.run = std::move(options.run);
    return ShowToGdb(options.timeline, *options.gdb);
  }
  Replay replay(std::move(options));
  if (absl::Status status = replay.Prepare(); !status.ok()) {
    replay.Discard();
    return RefuseInput(status);
  }
  return replay.Run();
}

}  // namespace isochron::cli
