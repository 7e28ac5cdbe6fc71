#include "cli/run/run_options.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/run/boot_option.h"
#include "engines/engines.h"
#include "hostio/file.h"
#include "hostio/number.h"
#include "hostio/quantity.h"
#include "machine/events/guest_time.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

// An option whose text `parse` turns into `target`; its error becomes the usage error.
template <typename Value, typename Target>
CLI::Option* AddParsed(CLI::App& command, const std::string& name, Target& target,
                       absl::StatusOr<Value> (*parse)(std::string_view),
                       const std::string& description) {
  return command
      .add_option_function<std::string>(
          name, [&target, parse](const std::string& text) { target = *parse(text); }, description)
      ->check([parse](const std::string& text) {
        absl::StatusOr<Value> value = parse(text);
        return value.ok() ? std::string() : std::string(value.status().message());
      });
}

absl::StatusOr<uint32_t> ParseCpus(std::string_view text) {
  absl::StatusOr<uint64_t> value = hostio::ParseNumber(text);
  if (!value.ok()) return value.status();
  constexpr uint64_t kMost = machine::MachineConfig::kMaxCpus;
  if (*value < 1 || *value > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("a machine has 1 to ", kMost, " CPUs, not ", *value));
  }
  return static_cast<uint32_t>(*value);
}

absl::StatusOr<uint32_t> ParseTlbEntries(std::string_view text) {
  absl::StatusOr<uint64_t> value = hostio::ParseNumber(text);
  if (!value.ok()) return value.status();
  using Config = machine::MachineConfig;
  if (*value < Config::kMinTlbEntries || *value > Config::kMaxTlbEntries) {
    return absl::InvalidArgumentError(absl::StrCat("a TLB has ", Config::kMinTlbEntries, " to ",
                                                   Config::kMaxTlbEntries, " entries"));
  }
  return static_cast<uint32_t>(*value);
}

absl::StatusOr<machine::GuestTime> ParseTimeLimit(std::string_view text) {
  absl::StatusOr<machine::GuestTime> value = machine::ParseGuestTime(text);
  if (value.ok() && value->is_zero()) {
    return absl::InvalidArgumentError("a limit of 0 cycles leaves nothing to run");
  }
  return value;
}

// Whether there is one.
absl::StatusOr<bool> ParseEntropyDevice(std::string_view text) {
  if (text == "virtio") return true;
  if (text == "none") return false;
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is neither virtio nor none"));
}

absl::StatusOr<uint64_t> ParseLogLimit(std::string_view text) {
  absl::StatusOr<uint64_t> value = hostio::ParseSize(text);
  if (value.ok() && *value == 0) {
    return absl::InvalidArgumentError("a limit of 0 bytes leaves nothing to write");
  }
  return value;
}

absl::StatusOr<machine::GuestTime> ParseInterval(std::string_view text) {
  absl::StatusOr<machine::GuestTime> value = machine::ParseGuestTime(text);
  if (value.ok() && value->is_zero()) {
    return absl::InvalidArgumentError("an interval has at least one cycle");
  }
  return value;
}

absl::StatusOr<uint64_t> ParseWidth(std::string_view text) {
  constexpr uint64_t kMost = 10'000;
  absl::StatusOr<uint64_t> value = hostio::ParseNumber(text);
  if (value.ok() && (*value < replaylog::kLineColumns || *value > kMost)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a line has ", replaylog::kLineColumns, " to ", kMost, " columns"));
  }
  return value;
}

absl::StatusOr<OnPanic> ParseOnPanic(std::string_view text) {
  if (text == "exit") return OnPanic::kExit;
  if (text == "ignore") return OnPanic::kIgnore;
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is neither exit nor ignore"));
}

absl::StatusOr<Pace> ParsePace(std::string_view text) {
  if (text == "off") return Pace::kOff;
  if (text == "idle") return Pace::kIdle;
  if (text == "always") return Pace::kAlways;
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(text), "' is not one of off, idle and always"));
}

absl::StatusOr<ConsoleTarget> ParseConsole(std::string_view text) {
  constexpr std::string_view kFile = "file:", kSocket = "socket:";
  if (text == "stdio") return ConsoleTarget{ConsoleTarget::Kind::kStdio, ""};
  if (text == "null") return ConsoleTarget{ConsoleTarget::Kind::kNull, ""};
  if (text.starts_with(kFile) && text.size() > kFile.size()) {
    return ConsoleTarget{ConsoleTarget::Kind::kFile, std::string(text.substr(kFile.size()))};
  }
  if (text.starts_with(kSocket) && text.size() > kSocket.size()) {
    return ConsoleTarget{ConsoleTarget::Kind::kSocket, std::string(text.substr(kSocket.size()))};
  }
  if (text == "pty") return ConsoleTarget{ConsoleTarget::Kind::kTerminal, ""};
  return absl::InvalidArgumentError(absl::StrCat(
      "'", std::string(text), "' is not one of stdio, null, file:PATH, socket:PATH and pty"));
}

// Of a log, which says what each disk is.
absl::StatusOr<DiskOption> ParseDiskFile(std::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("a disk needs the name of a file");
  return DiskOption{.path = std::string(text)};
}

CLI::Option* AddDisks(CLI::App& command, const std::string& name, std::vector<DiskOption>& disks,
                      absl::StatusOr<DiskOption> (*parse)(std::string_view),
                      const std::string& type, const std::string& description) {
  return command
      .add_option_function<std::vector<std::string>>(
          name,
          [&disks, parse](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) disks.push_back(*parse(text));
          },
          description)
      ->check([parse](const std::string& text) {
        const absl::StatusOr<DiskOption> option = parse(text);
        return option.ok() ? std::string() : std::string(option.status().message());
      })
      ->type_name(type)
      ->allow_extra_args(false);
}

void AddNetwork(CLI::App& command, RunOptions& options, const std::string& group) {
  command
      .add_option_function<std::string>(
          "--net",
          [&options](const std::string& text) {
            options.net = *ParseNetOption(text);
            if (options.net.kind == NetOption::Kind::kNone) {
              options.config.network.reset();
            } else {
              options.config.network = options.net.device;
            }
          },
          "the guest's network: none, user (by connections of this host: hostfwd=tcp|udp:"
          "[ADDRESS]:PORT-[GUEST]:PORT, restrict) or socket:PATH (frames, to a peer there); "
          "model=virtio or tulip, mac=ADDRESS, witness=bytes or digest[:ABOVE]")
      ->check([](const std::string& text) {
        const absl::StatusOr<NetOption> option = ParseNetOption(text);
        return option.ok() ? std::string() : std::string(option.status().message());
      })
      ->type_name("NET[,SETTING...]")
      ->default_str("none")
      ->group(group);
}

// A boot by the console, and its flags.
CLI::Option* AddBootOption(CLI::App& command, machine::MachineConfig& config) {
  return command
      .add_option_function<std::string>(
          "--boot",
          [&config](const std::string& text) {
            BootOption option = *ParseBootOption(text);
            config.boot_disk = option.disk;
            config.command_line = std::move(option.flags);
          },
          "in place of a kernel: have the console boot from a disk, as SRM does")
      ->check([](const std::string& text) {
        const absl::StatusOr<BootOption> option = ParseBootOption(text);
        return option.ok() ? std::string() : std::string(option.status().message());
      })
      ->type_name("DISK[:FLAGS]");
}

// What the machine boots, and from where.
void AddBootOptions(CLI::App& command, RunOptions& options, const std::string& group) {
  CLI::Option* const kernel =
      command.add_option("--kernel", options.kernel_path, "ELF kernel to boot, perhaps gzipped")
          ->type_name("FILE")
          ->group(group);
  CLI::Option* const initrd =
      command.add_option("--initrd", options.initrd_path, "initial RAM disk")
          ->type_name("FILE")
          ->group(group);
  AddDisks(command, "--disk", options.disks, ParseDiskOption, "FILE[,SETTING...]",
           "a disk with the bytes of this file, whose own bytes stay: interface=virtio, ide or "
           "cdrom, readonly, commit (writes into the file at the end), overlay=FILE (keeps there "
           "what is written); may be given again")
      ->group(group);
  AddDisks(command, "--cdrom", options.cdroms, ParseCdRomOption, "FILE",
           "a CD-ROM with the bytes of this file, behind IDE; may be given again")
      ->group(group);
  CLI::Option* const append =
      command.add_option("--append", options.config.command_line, "the kernel's command line")
          ->type_name("TEXT")
          ->group(group);
  AddBootOption(command, options.config)
      ->excludes(kernel)
      ->excludes(initrd)
      ->excludes(append)
      ->group(group);
  command
      .add_option("--nvram", options.nvram_path,
                  "the console's environment, kept here from one run to the next")
      ->type_name("FILE")
      ->group(group);
}

// How many CPUs there are, and what runs when.
void AddCpuOptions(CLI::App& command, machine::MachineConfig& config, const std::string& group) {
  AddParsed(command, "--cpus", config.cpus, ParseCpus, "CPUs of the machine, 1 to 4")
      ->type_name("N")
      ->default_str("1")
      ->group(group);
  AddParsed(command, "--quantum", config.quantum, hostio::ParseCycles,
            "cycles of a turn, when there are several CPUs")
      ->type_name("CYCLES")
      ->default_str("65536")
      ->group(group);
  AddParsed(command, "--schedule", config.schedule, machine::ScheduleConfig::Parse,
            "which of several CPUs has its turn when: fixed, random:SEED[:MIN-MAX] (any, for MIN "
            "to MAX cycles), pct:SEED:DEPTH[:LENGTH] (by priorities, of which DEPTH-1 change among "
            "LENGTH instructions) or switches:CYCLE:FROM-TO,... (docs/smp.md)")
      ->type_name("WHICH")
      ->default_str("fixed")
      ->group(group);
}

}  // namespace

void AddMachineOptions(CLI::App& command, RunOptions& options) {
  machine::MachineConfig& config = options.config;
  const std::string group = "Machine";
  AddBootOptions(command, options, group);
  AddNetwork(command, options, group);
  AddParsed(command, "--memory", config.memory_bytes, hostio::ParseSize,
            "RAM in bytes; K, M and G are powers of 1024")
      ->type_name("SIZE")
      ->default_str("256M")
      ->group(group);
  AddParsed(command, "--rtc", config.rtc_base_seconds, hostio::ParseDateTime,
            "date and time (UTC) of the guest's clock at power-on")
      ->type_name("TIME")
      ->default_str("2010-01-01T00:00:00")
      ->group(group);
  AddParsed(command, "--seed", config.seed, hostio::ParseNumber,
            "seed of the guest's entropy register")
      ->type_name("N")
      ->default_str("0")
      ->group(group);
  AddParsed(command, "--rng", config.entropy_device, ParseEntropyDevice,
            "the guest's hardware generator of random numbers, which follow from the seed: virtio "
            "or none")
      ->type_name("WHICH")
      ->default_str("none")
      ->group(group);
  AddCpuOptions(command, config, group);
  command
      .add_option_function<std::string>(
          "--tlb-entries",
          [&config](const std::string& text) {
            config.itb_entries = config.dtb_entries = *ParseTlbEntries(text);
          },
          "entries of the ITB and of the DTB")
      ->check([](const std::string& text) {
        absl::StatusOr<uint32_t> value = ParseTlbEntries(text);
        return value.ok() ? std::string() : std::string(value.status().message());
      })
      ->type_name("N")
      ->default_str(std::to_string(config.dtb_entries))
      ->group(group);
  AddParsed(command, "--clock-hz", config.clock_hz, hostio::ParseCycles,
            "cycles in a guest second; K, M and G are powers of 1000")
      ->type_name("HZ")
      ->default_str("600M")
      ->group(group);
}

void AddIntervalOptions(CLI::App& command, RunOptions& options) {
  machine::MachineConfig& config = options.config;
  const std::string group = "Machine";
  AddParsed(command, "--input-interval", options.input_interval, machine::ParseGuestTime,
            "guest time between input points, in cycles, or seconds with s, ms, us or ns")
      ->type_name("TIME")
      ->default_str(std::to_string(config.input_interval))
      ->group(group);
  AddParsed(command, "--checkpoint-interval", options.checkpoint_interval, machine::ParseGuestTime,
            "guest time between checkpoints, likewise")
      ->type_name("TIME")
      ->default_str(std::to_string(config.checkpoint_interval))
      ->group(group);
  // --clock-hz may stand behind them.
  command.parse_complete_callback([&options] {
    machine::MachineConfig& given = options.config;
    if (options.input_interval.has_value()) {
      given.input_interval = options.input_interval->Cycles(given.clock_hz);
    }
    if (options.checkpoint_interval.has_value()) {
      given.checkpoint_interval = options.checkpoint_interval->Cycles(given.clock_hz);
    }
  });
}

void AddImageOptions(CLI::App& command, RunOptions& options) {
  const std::string group = "Images";
  command.add_option("--kernel", options.kernel_path, "the kernel of the log, if it has moved")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--initrd", options.initrd_path, "the initrd of the log, if it has moved")
      ->type_name("FILE")
      ->group(group);
  AddDisks(command, "--disk", options.disks, ParseDiskFile, "FILE",
           "a disk's image of the log, if it has moved; may be given again")
      ->group(group);
}

void AddEngineOption(CLI::App& command, RunOptions& options) {
  const std::vector<std::string> names = engines::EngineNames();
  command
      .add_option("--engine", options.engine,
                  "what executes instructions: " + absl::StrJoin(names, " or ") +
                      (names.back() == "jit" ? ", perhaps with settings (docs/jit.md)" : ""))
      ->type_name("NAME")
      ->default_str(names.back())
      ->group("Machine");
  command
      .add_flag("--perf-map", options.perf_map,
                "write /tmp/perf-PID.map, from which perf knows translated code")
      ->group("Output");
}

void AddScriptOptions(CLI::App& command, RunOptions& options) {
  const std::string group = "Control";
  CLI::Option* script =
      command.add_option("--script", options.script_path, "obey this script (docs/cli.md)")
          ->type_name("FILE")
          ->group(group);
  command
      .add_option("--control", options.control,
                  "obey requests from the Unix socket here, or from fd:N (docs/control.md)")
      ->type_name("PATH")
      ->excludes(script)
      ->group(group);
  AddParsed(
      command, "--pace", options.pace, ParsePace,
      "what passes no faster than wall time: idle guest time (idle), all (always), nothing (off)")
      ->type_name("WHAT")
      ->default_str("idle at a terminal without script or with a network, else off")
      ->group(group);
  AddParsed(command, "--on-panic", options.on_panic, ParseOnPanic,
            "what to do with a guest that panicked: exit (with code 4) or ignore")
      ->type_name("WHAT")
      ->default_str("exit with --script or --control, else ignore")
      ->group(group);
}

void AddControlOptions(CLI::App& command, RunOptions& options) {
  const std::string group = "Control";
  AddScriptOptions(command, options);
  AddParsed(command, "--max-cycles", options.max_cycles, ParseTimeLimit,
            "end the run after so much guest time: cycles, or seconds as in 20s or 1.5ms")
      ->type_name("TIME")
      ->group(group);
  command
      .add_flag_callback(
          "--no-reboot", [&options] { options.config.reboot = false; },
          "end the run when the guest asks for a reset")
      ->group(group);
}

void AddPipeOption(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--max-pipe",
          [](const std::string& text) { hostio::SetPipeLimit(*hostio::ParseSize(text)); },
          "take at most so many bytes from a pipe that is read as a file")
      ->check([](const std::string& text) {
        absl::StatusOr<uint64_t> value = hostio::ParseSize(text);
        return value.ok() ? std::string() : std::string(value.status().message());
      })
      ->type_name("SIZE")
      ->default_str(absl::StrCat(hostio::PipeLimit() >> 30, "G"));
}

void AddBudgetOptions(CLI::App& command, RunOptions& options) {
  AddPipeOption(command);
  AddSizeOption(command, "--max-memory", options.max_memory,
                "run a log whose machine has at most so much RAM (default: what the host has)");
}

void AddLogLimitOption(CLI::App& command, RunOptions& options) {
  AddParsed(command, "--max-log", options.max_log, ParseLogLimit,
            "end the run when its log has so many bytes; K, M and G are powers of 1024")
      ->type_name("SIZE")
      ->group("Control");
}

void AddSandboxOption(CLI::App& command, RunOptions& options) {
  command
      .add_option_function<std::string>(
          "--sandbox",
          [&options](const std::string& use) {
            options.sandbox = use == "on" ? SandboxUse::kOn : SandboxUse::kOff;
          },
          "give up system calls that are not needed, or nothing is run (on), or do not (off); "
          "without it, where the host can (docs/security.md)")
      ->check([](const std::string& use) {
        return std::string(use == "on" || use == "off" ? "" : "it is on or off");
      })
      ->type_name("on|off")
      ->group("Control");
}

void AddConsoleOptions(CLI::App& command, RunOptions& options) {
  const std::string group = "Output";
  AddParsed(command, "--console", options.consoles[0], ParseConsole,
            "the guest's console: stdio, null, file:PATH (output only), socket:PATH or pty")
      ->type_name("WHERE")
      ->default_str("stdio")
      ->group(group);
  AddParsed(command, "--serial1", options.consoles[1], ParseConsole,
            "the other end of UART 1: stdio, null, file:PATH (output only), socket:PATH or pty")
      ->type_name("WHERE")
      ->default_str("null")
      ->group(group);
  command.add_flag("--stats", options.stats, "print what was run, and how fast, to stderr")
      ->group(group);
  AddSandboxOption(command, options);
}

void AddReportOption(CLI::App& command, RunOptions& options) {
  command
      .add_option("--report", options.report_path,
                  "write how the run ended, and where it was stopped, as an HTML page")
      ->type_name("FILE")
      ->group("Output");
}

void AddVerdictOptions(CLI::App& command, RunOptions& options) {
  command
      .add_option("--report", options.report_path, "where to write what was found as an HTML page")
      ->type_name("FILE")
      ->group("Output");
  command.add_option("--junit", options.junit_path, "where to write it as JUnit XML")
      ->type_name("FILE")
      ->group("Output");
}

CLI::Option* AddTimeOption(CLI::App& command, const std::string& name,
                           std::optional<machine::GuestTime>& target,
                           const std::string& description) {
  return AddParsed(command, name, target, machine::ParseGuestTime, description)->type_name("TIME");
}

CLI::Option* AddSizeOption(CLI::App& command, const std::string& name,
                           std::optional<uint64_t>& target, const std::string& description) {
  return AddParsed(command, name, target, hostio::ParseSize, description)->type_name("SIZE");
}

CLI::Option* AddJobsOption(CLI::App& command, int& jobs, const std::string& description) {
  // Far more than any host has processors: each has a machine.
  constexpr int kMaxJobs = 1024;
  return command.add_option("--jobs", jobs, description)
      ->type_name("N")
      ->check(CLI::Range(1, kMaxJobs))
      ->group("Control");
}

CLI::Option* AddWidthOption(CLI::App& command, std::optional<uint64_t>& columns) {
  return AddParsed(command, "--width", columns, ParseWidth, "columns of a line")
      ->type_name("N")
      ->default_str("the terminal's, or 80");
}

CLI::Option* AddSnapshotOption(CLI::App& command, std::optional<machine::GuestTime>& interval) {
  return AddParsed(command, "--snapshot-every", interval, ParseInterval,
                   "take a snapshot at the first checkpoint of every such span of guest time")
      ->type_name("TIME");
}

std::string TerminalHelp() {
  return "At a terminal, Ctrl-A x quits and Ctrl-A h helps, with a script, too. With --console "
         "null or\n"
         "file:PATH nothing is read from the terminal: Ctrl-C ends the run.\n\n";
}

namespace {

// The engine's name with the settings that options of their own make.
std::string FullEngineName(const RunOptions& options) {
  if (!options.perf_map) return options.engine;
  return absl::StrCat(options.engine, ":perf-map=/tmp/perf-", getpid(), ".map");
}

}  // namespace

absl::Status ValidateOptions(const RunOptions& options) {
  if (options.consoles[0].kind == ConsoleTarget::Kind::kStdio &&
      options.consoles[1].kind == ConsoleTarget::Kind::kStdio) {
    return absl::InvalidArgumentError(
        "--console and --serial1 cannot both be stdio; give --console null or --console file:PATH");
  }
  if (options.perf_map && !options.engine.starts_with("jit")) {
    return absl::InvalidArgumentError(absl::StrCat("--perf-map is for engine jit; engine ",
                                                   options.engine, " makes no code of its own"));
  }
  if (absl::StatusOr<engines::NamedEngine> engine = engines::FindEngine(FullEngineName(options));
      !engine.ok()) {
    return engine.status();
  }
  return options.config.Validate();
}

machine::EngineFactory EngineFactoryFor(const RunOptions& options) {
  return engines::FindEngine(FullEngineName(options))->factory;
}

}  // namespace isochron::cli
