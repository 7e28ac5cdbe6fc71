// Replays a log of several CPUs and measures what they have to do with one another: round_study
// --help.

#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "conformance/bench/round_meter.h"
#include "conformance/bench/study_window.h"
#include "engines/engines.h"
#include "hostio/image_file.h"
#include "hostio/printable.h"
#include "machine/firmware/firmware.h"
#include "machine/machine.h"
#include "replaylog/image_set.h"
#include "replaylog/log_reader.h"
#include "timeline/replayer.h"

namespace isochron::conformance {
namespace {

constexpr int kUsage = 2;
constexpr int kDifferent = 3;

struct Options {
  std::string log;
  std::string engine = engines::EngineNames().back();
  StudyBounds bounds;
  bool time = false;
};

int Fail(int code, const std::string& message) {
  std::cerr << "round_study: " << hostio::Printable(message) << "\n";
  return code;
}

int Fail(const std::string& log, const absl::Status& status, int code = kUsage) {
  return Fail(code, absl::StrCat(log, ": ", std::string(status.message())));
}

// Why the window has not begun.
std::string WhyNot(const Options& options, const StudyWindow& window) {
  const StudyBounds& bounds = options.bounds;
  if (!window.from_seen()) {
    return absl::StrCat("the console does not show '", bounds.from, "' so early");
  }
  if (window.to_seen()) {
    return absl::StrCat("the console shows '", bounds.to, "' within the ", bounds.skip,
                        " instructions that are skipped");
  }
  return absl::StrCat("the run ends within the ", bounds.skip, " instructions that are skipped");
}

// What a log says that it is to be replayed with. Nothing but a kernel and an initrd: no disks.
absl::StatusOr<machine::BootImages> ReadImages(const std::string& path,
                                               const replaylog::LogHeader& header) {
  absl::StatusOr<std::vector<replaylog::ImageFile>> files = replaylog::ReadSidecar(path);
  if (files.ok()) files = replaylog::MatchImages(header, *files);
  if (!files.ok()) return files.status();
  machine::BootImages images;
  for (const replaylog::ImageFile& file : *files) {
    if (file.record.is_disk()) {
      return absl::UnimplementedError("a machine with disks is not measured");
    }
    absl::StatusOr<std::string> bytes = replaylog::ReadImage(file);
    if (!bytes.ok()) return bytes.status();
    if (file.record.role == replaylog::ImageRecord::Role::kInitrd) {
      images.initrd = *std::move(bytes);
      continue;
    }
    absl::StatusOr<machine::KernelImage> kernel = machine::ParseKernel(*bytes);
    if (!kernel.ok()) return hostio::WithPath(kernel.status(), file.path);
    images.kernel = *std::move(kernel);
  }
  return images;
}

absl::Status CheckHeader(const replaylog::LogHeader& header) {
  absl::Status status =
      replaylog::CheckModel(header, machine::PalcodeDigest(), machine::DiskConsoleDigest());
  if (!status.ok()) return status;
  if (header.config.cpus == 1 || !header.config.schedule.is_fixed()) {
    return absl::InvalidArgumentError("only several CPUs by the schedule 'fixed' are measured");
  }
  return absl::OkStatus();
}

// A place in a turn as a number; -1: nowhere.
std::string Place(uint64_t place) { return place == machine::kNever ? "-1" : absl::StrCat(place); }

constexpr char kColumns[] =
    R"(["round", "cpu", "instructions", "cycles", "loads", "stores", "pages read", "pages written",)"
    R"( "blocks read", "blocks written", "quadwords written", "stale page", "stale block",)"
    R"( "stale byte", "stale value", "page written again", "block written again", "device",)"
    R"( "interrupts changed", "lock lost", "horizon moved"])";

std::string Row(const TurnRecord& turn) {
  std::string row = absl::StrCat("[", turn.round, ",", turn.cpu, ",", turn.instructions, ",");
  absl::StrAppend(&row, turn.cycles, ",", turn.loads, ",", turn.stores, ",", turn.pages_read, ",");
  absl::StrAppend(&row, turn.pages_written, ",", turn.blocks_read, ",", turn.blocks_written, ",",
                  turn.quadwords_written);
  for (const uint64_t place : turn.stale) absl::StrAppend(&row, ",", Place(place));
  for (const uint64_t place : {turn.page_written_again, turn.block_written_again, turn.device}) {
    absl::StrAppend(&row, ",", Place(place));
  }
  for (const bool changed : {turn.interrupts_changed, turn.lock_lost, turn.horizon_moved}) {
    absl::StrAppend(&row, ",", changed ? 1 : 0);
  }
  return row + "]";
}

std::string ByAddress(const std::map<uint64_t, uint64_t>& counts) {
  const auto append = [](std::string* out, const auto& count) {
    absl::StrAppend(out, "\"0x", absl::Hex(count.first), "\": ", count.second);
  };
  return absl::StrCat("{", absl::StrJoin(counts, ", ", append), "}");
}

void Print(const machine::MachineConfig& config, const StudyWindow& window) {
  std::cout << absl::StrCat("{\"cpus\": ", config.cpus, ", \"quantum\": ", config.quantum,
                            ", \"rounds\": ", window.rounds(),
                            ", \"instructions\": ", window.instructions(),
                            ", \"seconds\": ", window.seconds());
  if (const RoundMeter* const meter = window.meter(); meter != nullptr) {
    std::cout << ",\n\"devices\": " << ByAddress(meter->devices())
              << ",\n\"stale blocks\": " << ByAddress(meter->stale_blocks())
              << ",\n\"columns\": " << kColumns << ",\n\"turns\": [\n"
              << absl::StrJoin(
                     meter->turns(), ",\n",
                     [](std::string* out, const TurnRecord& turn) { out->append(Row(turn)); })
              << "]";
  }
  std::cout << "}\n";
}

int Run(const Options& options) {
  const absl::StatusOr<engines::NamedEngine> engine = engines::FindEngine(options.engine);
  if (!engine.ok()) return Fail(kUsage, std::string(engine.status().message()));
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
      replaylog::LogReader::Open(options.log);
  if (!log.ok()) return Fail(kUsage, std::string(log.status().message()));
  const machine::MachineConfig& config = (*log)->header().config;
  if (absl::Status status = CheckHeader((*log)->header()); !status.ok()) {
    return Fail(options.log, status);
  }
  absl::StatusOr<machine::BootImages> images = ReadImages(options.log, (*log)->header());
  if (!images.ok()) return Fail(options.log, images.status());
  StudyWindow window(options.bounds, !options.time);
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine =
      machine::Machine::Create(config, *std::move(images), window.EngineFor(*engine));
  if (!machine.ok()) return Fail(options.log, machine.status());
  timeline::Replayer replayer(**log, config.clock_hz);
  (*machine)->SetObserver(&replayer);
  (*machine)->SetInputSource(&replayer);
  window.Watch(**machine);
  (*machine)->Run();
  window.End();
  const absl::Status left = !replayer.status().ok() || replayer.reached_end()
                                ? replayer.status()
                                : absl::AbortedError("the run ends before its log");
  (*machine)->SetObserver(nullptr);
  (*machine)->SetInputSource(nullptr);
  if (!left.ok()) return Fail(options.log, left, kDifferent);
  if (!window.begun()) {
    return Fail(kUsage,
                absl::StrCat(options.log, ": nothing to measure: ", WhyNot(options, window)));
  }
  Print(config, window);
  return 0;
}

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("log", options.log, "of two to four CPUs, complete, with its images")
      ->type_name("LOG")
      ->required();
  app.add_option("--engine", options.engine, "for what is not measured")
      ->type_name("NAME")
      ->default_str(options.engine);
  app.add_option("--from", options.bounds.from,
                 "measure when the console has shown this (default: from power-on)")
      ->type_name("TEXT");
  app.add_option("--skip", options.bounds.skip, "and so many more instructions have retired")
      ->type_name("N");
  app.add_option("--to", options.bounds.to,
                 "and up to when it shows this after that (default: to the end)")
      ->type_name("TEXT");
  app.add_option("--rounds", options.bounds.rounds, "or for so many rounds")->type_name("N");
  app.add_option("--instructions", options.bounds.instructions, "or so many instructions")
      ->type_name("N");
  app.add_flag("--time", options.time, "measure nothing but the CPU time that the engine takes");
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Replays a log of several CPUs and writes, as JSON, what each turn of a CPU has read and "
      "written of what turns before it in its round have written. Exit code 2: it cannot be "
      "measured; 3: the run leaves its log.",
      "round_study");
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    return Fail(kUsage, absl::StrCat(error.what(), " (see round_study --help)"));
  }
  return Run(options);
}

}  // namespace
}  // namespace isochron::conformance

int main(int argc, char** argv) { return isochron::conformance::Main(argc, argv); }
