#include "cli/commands/hunt.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <thread>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/control/script.h"
#include "cli/hunt/explanation.h"
#include "cli/hunt/hunted_guest.h"
#include "cli/hunt/hunting_party.h"
#include "cli/hunt/verdict_file.h"
#include "cli/run/guest.h"
#include "cli/run/run_options.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "cli/text/text_output.h"
#include "cli/text/usage_error.h"
#include "hostio/number.h"
#include "machine/events/cycle_text.h"
#include "machine/events/digest.h"
#include "replaylog/codec.h"

namespace isochron::cli {
namespace {

using Seeds = std::pair<uint64_t, uint64_t>;

// As the name of any hunt does, and no verdict.
constexpr std::string_view kNameBegins = "hunt ";
constexpr uint64_t kMaxSeed = ~uint64_t{0} - 1;  // there is one behind it

absl::StatusOr<Seeds> ParseSeeds(std::string_view text) {
  const size_t dash = text.find('-');
  const absl::StatusOr<uint64_t> first = hostio::ParseNumber(text.substr(0, dash));
  if (!first.ok()) return first.status();
  const absl::StatusOr<uint64_t> last =
      dash == std::string_view::npos ? first : hostio::ParseNumber(text.substr(dash + 1));
  if (!last.ok()) return last.status();
  if (*last < *first) {
    return absl::InvalidArgumentError(absl::StrCat("'", std::string(text), "' is not FIRST-LAST"));
  }
  if (*last > kMaxSeed) {
    return absl::InvalidArgumentError(
        absl::StrCat("a seed is at most ", kMaxSeed, ", not ", *last));
  }
  return Seeds(*first, *last);
}

// The options of `record` that a hunted guest can have.
absl::Status ParseRecordOptions(const std::vector<std::string>& words, RunOptions& options) {
  CLI::App app("what is hunted", "isochron hunt --");
  AddMachineOptions(app, options);
  AddIntervalOptions(app, options);
  AddEngineOption(app, options);
  app.add_option("--script", options.script_path, "");
  app.add_flag_callback("--no-reboot", [&options] { options.config.reboot = false; });
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 has it
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {  // CLI11 knows no other way
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return absl::InvalidArgumentError("behind -- come options of record");
    }
    return absl::InvalidArgumentError(absl::StrCat("behind --: ", ExplainParseError(app, error)));
  }
  if (!options.config.schedule.is_fixed()) {
    return absl::InvalidArgumentError("--schedule stands before --: a hunt gives it its seeds");
  }
  if (options.net.kind != NetOption::Kind::kNone) {
    return absl::InvalidArgumentError(
        "--net: what comes from a network is another thing in every run; a hunt has none");
  }
  if (options.perf_map) {
    return absl::InvalidArgumentError(
        "--perf-map: a hunt runs many machines in one process, which has one map");
  }
  for (const DiskOption& disk : options.disks) {
    if (!disk.commit && disk.overlay.empty()) continue;
    return absl::InvalidArgumentError(
        "--disk: each run of a hunt begins with the same disk; give neither commit nor overlay");
  }
  return absl::OkStatus();
}

// What a guest with these options of `record` is made of.
absl::StatusOr<std::vector<std::string>> FilesOf(const std::vector<std::string>& words) {
  RunOptions run;
  if (absl::Status status = ParseRecordOptions(words, run); !status.ok()) return status;
  std::vector<std::string> files = {run.kernel_path, run.initrd_path, run.script_path};
  for (const DiskOption& disk : run.disks) files.push_back(disk.path);
  for (const DiskOption& disc : run.cdroms) files.push_back(disc.path);
  // That of --nvram need not be there.
  std::erase(files, "");
  return files;
}

absl::StatusOr<ScriptCommand> ParseFailure(const HuntOptions& options, uint64_t clock_hz) {
  absl::StatusOr<std::optional<ScriptCommand>> command =
      ParseScriptLine(options.failure, "--fail", 1, clock_hz);
  if (!command.ok()) return command.status();
  if (!command->has_value() || (*command)->kind != ScriptCommand::Kind::kExpect) {
    return absl::InvalidArgumentError(
        "--fail is an expect of the control language, such as 'expect /BUG:|Oops/'");
  }
  (*command)->cycles = options.within->Cycles(clock_hz);
  return **std::move(command);
}

// What the seeds are given to. Without a LENGTH, pct has that of a run by the fixed schedule.
absl::StatusOr<machine::ScheduleConfig> ParseForm(const HuntOptions& options,
                                                  const HuntedGuest& guest) {
  absl::StatusOr<machine::ScheduleConfig> schedule =
      SeededSchedule(options.schedule, options.seeds.first);
  if (!schedule.ok()) return schedule;
  if (absl::Status status = schedule->Validate(guest.config().cpus); !status.ok()) return status;
  const bool has_length = std::ranges::count(options.schedule, ':') > 1;
  if (schedule->kind != machine::ScheduleConfig::Kind::kPct || has_length) return schedule;
  const absl::StatusOr<HuntVerdict> fixed = guest.Run({});
  if (!fixed.ok()) return fixed.status();
  schedule->length =
      std::clamp<uint64_t>(fixed->instructions, 1, machine::ScheduleConfig::kMaxLength);
  return schedule;
}

// What tells this hunt from others: machine, images, script, schedules, failure.
absl::StatusOr<std::string> NameOfHunt(const HuntedGuest& guest, const ScriptCommand& failure,
                                       const machine::ScheduleConfig& schedule) {
  machine::ScheduleConfig unseeded = schedule;
  unseeded.seed = 0;
  absl::StatusOr<std::string> header = replaylog::EncodeHeader(guest.Header(unseeded));
  if (!header.ok()) return header.status();
  return absl::StrCat(std::string(kNameBegins),
                      machine::DigestOf(*header + guest.ScriptText()).ToString(), " ",
                      unseeded.Text(), " ", DescribeCommand(failure), " ", failure.cycles);
}

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot make the directory ", path, ": ", std::strerror(errno)));
}

// What is run with one seed after the other.
struct Quarry {
  HuntedGuest guest;
  machine::ScheduleConfig schedule;
  std::string name;  // which tells it from others
};

absl::StatusOr<Quarry> MakeQuarry(const HuntOptions& options) {
  RunOptions run;
  if (absl::Status status = ParseRecordOptions(options.record, run); !status.ok()) return status;
  absl::StatusOr<ScriptCommand> failure = ParseFailure(options, run.config.clock_hz);
  if (!failure.ok()) return failure.status();
  absl::StatusOr<HuntedGuest> guest = HuntedGuest::Create(run, *failure);
  if (!guest.ok()) return guest.status();
  absl::StatusOr<machine::ScheduleConfig> schedule = ParseForm(options, *guest);
  if (!schedule.ok()) return schedule.status();
  absl::StatusOr<std::string> name = NameOfHunt(*guest, *failure, *schedule);
  if (!name.ok()) return name.status();
  return Quarry{*std::move(guest), *std::move(schedule), *std::move(name)};
}

absl::StatusOr<VerdictFile> OpenVerdicts(const HuntOptions& options, const Quarry& quarry) {
  if (absl::Status status = MakeDirectory(options.directory); !status.ok()) return status;
  return VerdictFile::Open(absl::StrCat(options.directory, "/verdicts"), quarry.name,
                           options.seeds.first);
}

absl::StatusOr<VerdictFile::Line> RunSeed(const Quarry& quarry, uint64_t seed) {
  machine::ScheduleConfig schedule = quarry.schedule;
  schedule.seed = seed;
  const absl::StatusOr<HuntVerdict> verdict = quarry.guest.Run(schedule);
  if (!verdict.ok()) return verdict.status();
  return VerdictFile::Line{seed, verdict->fails, verdict->cycle, verdict->instructions};
}

// Tells now and then how far it is.
class Herald {
 public:
  Herald(const HuntOptions& options, const VerdictFile& verdicts)
      : all_(options.seeds.second - options.seeds.first + 1), done_(verdicts.lines().size()) {
    for (const VerdictFile::Line& line : verdicts.lines()) failed_ += line.fails ? 1 : 0;
    if (done_ > 0) Say(absl::StrCat(done_, " verdicts are known"));
  }
  void Note(const VerdictFile::Line& line) {
    ++done_;
    failed_ += line.fails ? 1 : 0;
    if (done_ % std::clamp<uint64_t>(all_ / 10, 1, kMostUntold) != 0) return;
    Say(absl::StrCat(done_, " of ", all_, " schedules, ", failed_, " fail"));
  }

 private:
  static constexpr uint64_t kMostUntold = 50;

  const uint64_t all_;
  uint64_t done_ = 0;
  uint64_t failed_ = 0;
};

// Tells now and then how far an explanation is.
class Commentator {
 public:
  void Note(size_t switches, size_t runs) {
    if (runs > 0 && switches > told_ / 2 && runs < told_at_ + kMostUntold) return;
    told_ = switches;
    told_at_ = runs;
    Say(absl::StrCat("explaining: ", switches, " switches, ", runs, " runs"));
  }

 private:
  static constexpr size_t kMostUntold = 20;

  size_t told_ = 0;
  size_t told_at_ = 0;
};

// Says what makes a seed fail, and writes the log of a run that has nothing else.
absl::Status TellWhy(const HuntedGuest& guest, const machine::ScheduleConfig& schedule,
                     const std::string& path, TextOutput& out) {
  Commentator commentator;
  const absl::StatusOr<Explanation> why =
      Explain(guest, schedule,
              [&commentator](size_t switches, size_t runs) { commentator.Note(switches, runs); });
  if (absl::IsFailedPrecondition(why.status())) {
    Say(absl::StrCat("not explained: ", std::string(why.status().message())));
    return absl::OkStatus();
  }
  if (!why.ok()) return why.status();
  const absl::Status status = guest.Record(why->schedule, why->verdict, path);
  if (!status.ok()) return status;
  if (why->schedule.is_fixed()) {
    out.Line("it fails by the fixed schedule, too");
  } else {
    out.Line(absl::StrCat("preemptions that it needs: ", why->preemptions.size(), " of ", why->all,
                          " (", why->runs, " runs)"));
    out.Lines(PreemptionTable(why->preemptions, guest.kernel()));
  }
  out.Line(absl::StrCat("a run with those alone: ", path));
  return absl::OkStatus();
}

absl::Status TellFailures(const Quarry& quarry, const VerdictFile& verdicts,
                          const HuntOptions& options, TextOutput& out, uint64_t& failed) {
  for (const VerdictFile::Line& line : verdicts.lines()) {
    if (!line.fails || line.seed > options.seeds.second) continue;
    machine::ScheduleConfig schedule = quarry.schedule;
    schedule.seed = line.seed;
    const std::string path = absl::StrCat(options.directory, "/", line.seed);
    const HuntVerdict verdict = {line.fails, line.cycle, line.instructions, {}};
    absl::Status status = quarry.guest.Record(schedule, verdict, path + ".log");
    if (!status.ok()) return status;
    out.Line(absl::StrCat(schedule.Text(), " fails; the run ends at cycle ",
                          machine::WithSeconds(line.cycle, quarry.guest.config().clock_hz), ": ",
                          path, ".log"));
    out.Flush();
    const bool first = failed++ == 0;
    if (first && options.explain) {
      status = TellWhy(quarry.guest, schedule, path + "-explained.log", out);
      if (!status.ok()) return status;
    }
    out.Flush();
    if (!options.all) break;
  }
  return absl::OkStatus();
}

int JobsOf(const HuntOptions& options) {
  if (options.jobs != 0) return options.jobs;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Whether nothing is left to try.
bool IsOver(const HuntOptions& options, const VerdictFile& verdicts) {
  const auto fails = [](const VerdictFile::Line& line) { return line.fails; };
  return verdicts.next() > options.seeds.second ||
         (!options.all && std::ranges::any_of(verdicts.lines(), fails));
}

// Tells what the hunt came to, behind which `status` there is.
int Finish(const Quarry& quarry, const VerdictFile& verdicts, const HuntOptions& options,
           absl::Status status) {
  uint64_t failed = 0;
  TextOutput out;
  if (status.ok()) status = TellFailures(quarry, verdicts, options, out, failed);
  if (!status.ok()) {
    out.Finish(0);
    Say(std::string(status.message()));
    return quarry.guest.CheckImages(ToInt(ExitCode::kInternal));
  }
  if (failed == 0 && IsOver(options, verdicts)) out.Line("no schedule fails");
  return quarry.guest.CheckImages(
      out.Finish(ToInt(failed == 0 ? ExitCode::kOk : ExitCode::kDifference)));
}

// Seeds of which nothing is known, some in each part.
int ListParts(const HuntOptions& options, const VerdictFile& verdicts) {
  constexpr uint64_t kFewest = 16;  // a part has a guest to load, and to run once
  TextOutput out;
  if (IsOver(options, verdicts)) return out.Finish(ToInt(ExitCode::kOk));
  const uint64_t last = options.seeds.second;
  const uint64_t size = std::max(kFewest, (last - verdicts.next()) / kMostParts + 1);
  uint64_t from = verdicts.next();
  for (; last - from >= size; from += size) out.Line(PartName(from, from + size - 1));
  out.Line(PartName(from, last));
  return out.Finish(ToInt(ExitCode::kOk));
}

// Writes what is hunted, and the verdicts on these seeds. The exit code is that of a difference
// where the hunt ends.
int DoPart(const HuntOptions& options, const Quarry& quarry, const PartWork& part) {
  TextOutput out;
  out.Line(quarry.name);
  for (uint64_t seed = part.from; seed <= part.to; ++seed) {
    const absl::StatusOr<VerdictFile::Line> line = RunSeed(quarry, seed);
    if (!line.ok()) {
      Say(absl::StrCat("seed ", seed, ": ", std::string(line.status().message())));
      return quarry.guest.CheckImages(out.Finish(ToInt(ExitCode::kInternal)));
    }
    out.Line(line->Text());
    if (!line->fails || options.all) continue;
    return quarry.guest.CheckImages(out.Finish(ToInt(ExitCode::kDifference)));
  }
  return quarry.guest.CheckImages(out.Finish(ToInt(ExitCode::kOk)));
}

// Takes the verdicts that are on standard input, behind the name of what they are of.
absl::Status Join(const HuntOptions& options, const std::string& name, VerdictFile& verdicts) {
  Herald herald(options, verdicts);
  if (IsOver(options, verdicts)) return absl::OkStatus();
  absl::Status file_status;
  bool named = false;
  const auto take = [&](std::string_view text) -> absl::StatusOr<bool> {
    if (!named || text.starts_with(kNameBegins)) {
      named = text == name;
      if (named) return true;
      return absl::InvalidArgumentError("is of another hunt: another program, guest or option");
    }
    const std::optional<VerdictFile::Line> line = VerdictFile::Line::Parse(text);
    if (!line.has_value() || line->seed != verdicts.next()) {
      return absl::InvalidArgumentError(
          absl::StrCat("is not the verdict on seed ", verdicts.next()));
    }
    file_status = verdicts.Add(*line);
    if (!file_status.ok()) return false;
    herald.Note(*line);
    return verdicts.next() <= options.seeds.second && (options.all || !line->fails);
  };
  const absl::Status status = ReadParts(take, [] {});
  return file_status.ok() ? status : file_status;
}

int WorkOnPart(const HuntOptions& options, const PartWork& work) {
  const bool elsewhere = work.kind == PartWork::Kind::kOne &&
                         (work.from < options.seeds.first || work.to > options.seeds.second);
  if (elsewhere) return RefuseInput(absl::InvalidArgumentError("the part is not of these seeds"));
  const absl::StatusOr<Quarry> quarry = MakeQuarry(options);
  if (!quarry.ok()) return RefuseInput(quarry.status());
  if (work.kind == PartWork::Kind::kOne) return DoPart(options, *quarry, work);
  absl::StatusOr<VerdictFile> verdicts = OpenVerdicts(options, *quarry);
  if (!verdicts.ok()) return RefuseInput(verdicts.status());
  if (work.kind == PartWork::Kind::kList) return ListParts(options, *verdicts);
  const absl::Status status = Join(options, quarry->name, *verdicts);
  if (absl::IsInvalidArgument(status)) return RefuseInput(status);
  return Finish(*quarry, *verdicts, options, status);
}

}  // namespace

void AddHuntCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* hunt =
      app.add_subcommand("hunt", "Look for a schedule of several CPUs with which a guest fails");
  auto options = std::make_shared<HuntOptions>();
  hunt->add_option_function<std::string>(
          "--seeds", [options](const std::string& text) { options->seeds = *ParseSeeds(text); },
          "the seeds to try")
      ->check([](const std::string& text) {
        const absl::StatusOr<Seeds> seeds = ParseSeeds(text);
        return seeds.ok() ? std::string() : std::string(seeds.status().message());
      })
      ->type_name("FIRST-LAST")
      ->default_str("1-1000");
  hunt->add_option("--schedule", options->schedule,
                   "what gets the seeds: random[:MIN-MAX] or pct:DEPTH[:LENGTH]; LENGTH by default "
                   "the instructions of a run by the fixed schedule")
      ->type_name("WHICH")
      ->required();
  hunt->add_option("--fail", options->failure,
                   "what a failure is: an expect of the control language that is met")
      ->type_name("EXPECT")
      ->required();
  AddTimeOption(*hunt, "--within", options->within,
                "how much guest time a run has, at most, from power-on")
      ->required();
  hunt->add_flag("--all", options->all, "try all seeds; else the first that fails is the last");
  hunt->add_flag_callback(
      "--no-explain", [options] { options->explain = false; },
      "do not look for the preemptions that the first failure needs");
  AddJobsOption(*hunt, options->jobs, "how many run at a time (default: one for each processor)");
  hunt->add_option(
          "-o,--output", options->directory,
          "directory for verdicts and logs of failures; where a hunt broke off, it goes on")
      ->type_name("DIR")
      ->required();
  AddPartsOptions(*hunt, options->parts, "have the workers of a Dask cluster run the schedules");
  hunt->add_option("record", options->record, "behind --: options of record")
      ->type_name("-- OPTION...");
  hunt->footer(ExitCodeHelp({ExitCode::kOk, ExitCode::kInternal, ExitCode::kUsage,
                             ExitCode::kDifference, ExitCode::kSignalBase}));
  hunt->callback([hunt, options, &command] {
    command = [hunt, options] {
      const absl::Status status = CheckParts(options->parts, options->jobs);
      if (!status.ok()) return RefuseInput(status);
      if (options->parts.scheduler.empty()) return HuntSchedules(*options);
      const absl::StatusOr<std::vector<std::string>> files = FilesOf(options->record);
      if (!files.ok()) return RefuseInput(files.status());
      return BecomeClusterClient(*hunt, options->parts.scheduler, PartsWanted::kUpTo, *files);
    };
  });
}

int HuntSchedules(const HuntOptions& options) {
  if (options.parts.work.has_value()) return WorkOnPart(options, *options.parts.work);
  const absl::StatusOr<Quarry> quarry = MakeQuarry(options);
  if (!quarry.ok()) return RefuseInput(quarry.status());
  absl::StatusOr<VerdictFile> verdicts = OpenVerdicts(options, *quarry);
  if (!verdicts.ok()) return RefuseInput(verdicts.status());
  Herald herald(options, *verdicts);
  const HuntRange range = {options.seeds.first, options.seeds.second, options.all, JobsOf(options)};
  HuntingParty party([&quarry](uint64_t seed) { return RunSeed(*quarry, seed); }, range, *verdicts,
                     [&herald](const VerdictFile::Line& line) { herald.Note(line); });
  return Finish(*quarry, *verdicts, options, party.Hunt());
}

}  // namespace isochron::cli
