// The options of the commands that run a guest, in one struct, so that each command takes the
// groups that it needs.

#ifndef ISOCHRON_CLI_RUN_RUN_OPTIONS_H_
#define ISOCHRON_CLI_RUN_RUN_OPTIONS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "absl/status/status.h"
#include "cli/net/net_option.h"
#include "cli/run/disk_option.h"
#include "engines/engines.h"
#include "machine/events/config.h"
#include "machine/events/guest_time.h"
#include "machine/events/input.h"
#include "machine/machine.h"

namespace isochron::cli {

// Where the host end of a UART is: UART 0 is the console.
struct ConsoleTarget {
  enum class Kind : uint8_t {
    kStdio,     // standard input and output
    kNull,      // nowhere: no input, output dropped
    kFile,      // output to `path`, no input
    kSocket,    // clients of the Unix socket at `path`
    kTerminal,  // who opens a pseudo terminal
  };
  Kind kind = Kind::kStdio;
  std::string path;

  // The file that is written; empty when there is none.
  std::string file() const { return kind == Kind::kFile ? path : ""; }
  // Whether somebody comes and goes there, for whom time passes as it does outside.
  bool has_peer() const { return kind == Kind::kSocket || kind == Kind::kTerminal; }
};

// Whether system calls that are not needed are given up.
enum class SandboxUse : uint8_t {
  kWherePossible,
  kOn,  // or nothing is run
  kOff,
};

// What becomes of a guest that has panicked.
enum class OnPanic : uint8_t {
  kIgnore,  // it runs on
  kExit,    // it is stopped; exit code 4
};

// What keeps a guest from running ahead of the wall clock.
enum class Pace : uint8_t {
  kOff,     // nothing
  kIdle,    // its idle time passes no faster
  kAlways,  // no time of it does
};

struct RunOptions {
  machine::MachineConfig config;
  std::string kernel_path;
  std::string initrd_path;  // empty: none
  std::string nvram_path;   // empty: none
  std::vector<DiskOption> disks;
  std::vector<DiskOption> cdroms;  // they have the numbers behind those
  NetOption net;                   // `config` has the device
  std::string engine = engines::EngineNames().back();
  bool perf_map = false;  // tell perf which host code is which

  std::string script_path;                       // empty: none
  std::optional<std::string> control;            // a path or fd:N; nothing: no control channel
  std::optional<machine::GuestTime> max_cycles;  // nothing: no limit
  std::optional<uint64_t> max_log;  // bytes of the log that is written; nothing: no limit
  // What --input-interval and --checkpoint-interval gave, before the clock was known. `config` has
  // both.
  std::optional<machine::GuestTime> input_interval;
  std::optional<machine::GuestTime> checkpoint_interval;

  std::optional<Pace> pace;         // nothing: idle for a person at the terminal, else off
  std::optional<OnPanic> on_panic;  // nothing: it depends on who drives the run

  // The RAM that a log may ask for, in bytes; nothing: as much as the host has.
  std::optional<uint64_t> max_memory;

  // Of each UART: --console and --serial1.
  std::array<ConsoleTarget, machine::Port::kUartStreams> consoles = {
      ConsoleTarget{}, ConsoleTarget{ConsoleTarget::Kind::kNull, ""}};
  bool stats = false;
  SandboxUse sandbox = SandboxUse::kWherePossible;
  std::string report_path;  // of a page about the run; empty: none
  std::string junit_path;   // of what it came to as JUnit XML; empty: none
};

// What defines the machine and its images: --kernel, --initrd, --disk, --append, --boot, --nvram,
// --memory, --rtc, --seed, --rng, --tlb-entries, --clock-hz.
void AddMachineOptions(CLI::App& command, RunOptions& options);
// --input-interval, --checkpoint-interval: what only a log shows, or only tests need.
void AddIntervalOptions(CLI::App& command, RunOptions& options);
// --kernel, --initrd and --disk in place of the images that a log's own files name.
void AddImageOptions(CLI::App& command, RunOptions& options);
// --engine.
void AddEngineOption(CLI::App& command, RunOptions& options);
// --max-log, of commands that write a log.
void AddLogLimitOption(CLI::App& command, RunOptions& options);
// Who drives the run: --script or --control.
void AddScriptOptions(CLI::App& command, RunOptions& options);
// What drives the run and ends it: those, --max-cycles, --no-reboot.
void AddControlOptions(CLI::App& command, RunOptions& options);
// What a command takes from a pipe: --max-pipe.
void AddPipeOption(CLI::App& command);
// What a log that may be somebody else's can ask for: --max-pipe, --max-memory.
void AddBudgetOptions(CLI::App& command, RunOptions& options);
// --sandbox.
void AddSandboxOption(CLI::App& command, RunOptions& options);
// What is shown, --console, --serial1, --stats; and --sandbox.
void AddConsoleOptions(CLI::App& command, RunOptions& options);

// --report and --junit, of commands that compare.
void AddVerdictOptions(CLI::App& command, RunOptions& options);

// --report.
void AddReportOption(CLI::App& command, RunOptions& options);

// Adds an option whose value is a point in guest time.
CLI::Option* AddTimeOption(CLI::App& command, const std::string& name,
                           std::optional<machine::GuestTime>& target,
                           const std::string& description);

// Adds an option whose value is a number of bytes.
CLI::Option* AddSizeOption(CLI::App& command, const std::string& name,
                           std::optional<uint64_t>& target, const std::string& description);

// Adds --jobs: how many machines run at a time. 0: it is not given.
CLI::Option* AddJobsOption(CLI::App& command, int& jobs, const std::string& description);

// Adds --width, of lines of text.
CLI::Option* AddWidthOption(CLI::App& command, std::optional<uint64_t>& columns);

// Adds --snapshot-every.
CLI::Option* AddSnapshotOption(CLI::App& command, std::optional<machine::GuestTime>& interval);

// What --help says about keys, of a command that can be at a terminal.
std::string TerminalHelp();

// InvalidArgument when options that were parsed one by one make no machine.
absl::Status ValidateOptions(const RunOptions& options);

// The factory of the engine that options which ValidateOptions() has accepted ask for.
machine::EngineFactory EngineFactoryFor(const RunOptions& options);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_RUN_OPTIONS_H_
