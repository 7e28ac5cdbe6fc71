#include "cli/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/host_reader.h"
#include "cli/report.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"

namespace isochron::cli {
namespace {

using std::chrono::nanoseconds;

class QueueClock final : public HostClock {
 public:
  explicit QueueClock(HostQueue& queue) : queue_(queue) {}

  nanoseconds Now() override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  void WaitForInput(nanoseconds limit) override { queue_.WaitForInput(limit); }

 private:
  HostQueue& queue_;
};

absl::StatusOr<int> OpenConsole(const ConsoleTarget& target) {
  switch (target.kind) {
    case ConsoleTarget::Kind::kStdio:
      return STDOUT_FILENO;
    case ConsoleTarget::Kind::kNull:
      return -1;
    case ConsoleTarget::Kind::kFile:
      break;
  }
  const int fd = open(target.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot write the console to ", target.path, ": ", strerror(errno)));
  }
  return fd;
}

void Say(const std::string& line) { fprintf(stderr, "isochron: %s\n", line.c_str()); }

// One line about an end that the exit code alone does not explain; may be empty.
std::string DescribeStop(const machine::Input& stop, uint64_t cycle) {
  switch (stop.cause) {
    case machine::StopCause::kSignal:
      return absl::StrCat("stopped by signal ", stop.detail, " (",
                          strsignal(static_cast<int>(stop.detail)), ") at cycle ", cycle);
    case machine::StopCause::kCycleLimit:
      return absl::StrCat("stopped at cycle ", cycle, ": --max-cycles reached");
    case machine::StopCause::kQuit:
    case machine::StopCause::kExpectFailed:
      return "";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Create(const RunOptions& options,
                                                         std::vector<ScriptCommand> script) {
  absl::StatusOr<int> fd = OpenConsole(options.console);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<Session>(new Session(options, std::move(script), *fd));
}

Session::Session(const RunOptions& options, std::vector<ScriptCommand> script, int console_fd)
    : options_(options),
      scripted_(!options.script_path.empty()),
      console_fd_(console_fd),
      output_(console_fd, queue_),
      script_(std::move(script)),
      clock_(std::make_unique<QueueClock>(queue_)) {
  if (options.max_cycles.has_value()) limit_.emplace(*options.max_cycles);
}

Session::~Session() {
  if (options_.console.kind == ConsoleTarget::Kind::kFile) close(console_fd_);
}

int Session::Run(machine::Machine& machine) {
  machine.SetReboot(options_.reboot);
  const nanoseconds start = clock_->Now();
  absl::StatusOr<machine::RunEnd> end = RunWithHost(machine);
  const nanoseconds wall = clock_->Now() - start;
  if (!end.ok()) {
    Say(std::string(end.status().message()));
    return ToInt(ExitCode::kUsage);
  }
  const int exit_code = Report(*end, machine);
  if (options_.stats) {
    const uint64_t idle = machine.wait_cycles() + machine.engine().stats().spin_cycles_skipped;
    const std::string stats =
        StatsReport(machine.cpu(), machine.config().clock_hz, idle, wall);
    fputs(stats.c_str(), stderr);
  }
  return exit_code;
}

absl::StatusOr<machine::RunEnd> Session::RunWithHost(machine::Machine& machine) {
  const int input_fd = InputFd();
  StopSignals signals;
  std::unique_ptr<RawTerminal> terminal;
  if (input_fd >= 0 && isatty(input_fd) != 0) {
    absl::StatusOr<std::unique_ptr<RawTerminal>> raw = RawTerminal::Enter(input_fd);
    if (!raw.ok()) return raw.status();
    terminal = *std::move(raw);
    if (!scripted_) pacer_.emplace(machine.config().clock_hz, *clock_);
  }
  HostReader reader(queue_, signals, input_fd, terminal.get());

  machine.SetInputSource(this);
  machine.SetConsoleSink(this);
  machine::RunEnd end = machine.Run();
  machine.SetInputSource(nullptr);
  machine.SetConsoleSink(nullptr);
  output_.Flush();
  if (terminal != nullptr && output_.error() == 0 && output_.mid_line()) {
    fputs("\r\n", stderr);  // the reports and the shell's prompt get a line of their own
  }
  return end;
}

int Session::InputFd() const {
  if (options_.console.kind != ConsoleTarget::Kind::kStdio) return -1;
  // A scripted run must not depend on, or eat up, what happens to be on its standard input.
  if (scripted_ && isatty(STDIN_FILENO) == 0) return -1;
  return STDIN_FILENO;
}

void Session::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  output_.Flush();
  if (pacer_.has_value()) pacer_->Poll(point, inputs);
  script_.Poll(point, inputs);
  queue_.Poll(point, inputs);
  if (limit_.has_value()) limit_->Poll(point, inputs);
}

void Session::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  script_.OnConsoleByte(uart, cycle, byte);
  output_.OnConsoleByte(uart, cycle, byte);
}

int Session::Report(const machine::RunEnd& end, const machine::Machine& machine) {
  switch (output_.error()) {
    case 0:
      break;
    case EPIPE:
      Say("nobody reads the console output any more; the guest was stopped");
      return ToInt(ExitCode::kSignalBase) + SIGPIPE;
    case EIO:
      Say("the terminal is gone; the guest was stopped");
      return ToInt(ExitCode::kSignalBase) + SIGHUP;
    default:
      Say(absl::StrCat("cannot write the console output: ", strerror(output_.error())));
      return ToInt(ExitCode::kInternal);
  }

  using Kind = machine::RunEnd::Kind;
  int exit_code = ExitCodeOf(end);
  switch (end.kind) {
    case Kind::kFatal:
      fputs(FatalReport(end.message, machine.cpu(), machine.kernel()).c_str(), stderr);
      break;
    case Kind::kObserver:
      Say(end.message);
      break;
    case Kind::kReset:
      Say("the guest asked for a reset");
      [[fallthrough]];
    case Kind::kPowerOff:
      if (!script_.NoteGuestEnd()) exit_code = ToInt(ExitCode::kLimit);
      break;
    case Kind::kStopped:
      if (const std::string line = DescribeStop(end.stop, machine.cpu().cycle); !line.empty()) {
        Say(line);
      }
      break;
  }
  if (!script_.failure().empty()) {
    Say(absl::StrCat(options_.script_path, ": ", script_.failure()));
  }
  return exit_code;
}

}  // namespace isochron::cli
