#include "cli/run/session.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/run/guest_network.h"
#include "cli/run/inspect.h"
#include "cli/run/privileges.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "hostio/file.h"
#include "machine/devices/uart16550.h"
#include "machine/events/cycle_text.h"
#include "replaylog/codec.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

using std::chrono::nanoseconds;

class QueueClock final : public HostClock {
 public:
  explicit QueueClock(HostQueue& queue) : queue_(queue) {}

  nanoseconds Now() override { return std::chrono::steady_clock::now().time_since_epoch(); }
  void WaitForInput(nanoseconds limit) override { queue_.WaitForInput(limit); }

 private:
  HostQueue& queue_;
};

// Makes one input of bytes that follow one another to one port, so that a point has few inputs.
// What the line of the UART cannot hold would be lost there.
void JoinInputs(std::vector<machine::Input>& inputs) {
  static_assert(machine::Uart::kMaxLine <= replaylog::kMaxInputBytes);
  std::vector<machine::Input> joined;
  for (machine::Input& input : inputs) {
    machine::AppendInput(std::move(input), machine::Uart::kMaxLine, joined);
  }
  inputs = std::move(joined);
}

// "power-off", "reset", "fatal", "stopped", "panic", "end-of-time", or "failed" when the log could
// not be continued or was left.
std::string EndName(const machine::RunEnd& end) {
  if (end.kind == machine::RunEnd::Kind::kObserver) return "failed";
  if (end.kind == machine::RunEnd::Kind::kStopped && end.stop.cause == machine::StopCause::kPanic) {
    return "panic";
  }
  return std::string(replaylog::EndKindName(end.kind));
}

// One line about an end that the exit code alone does not explain; may be empty.
std::string DescribeStop(const machine::Input& stop, const std::string& cycle) {
  switch (stop.cause) {
    case machine::StopCause::kSignal:
      return absl::StrCat("stopped by signal ", stop.detail, " (",
                          strsignal(static_cast<int>(stop.detail)), ") at cycle ", cycle);
    case machine::StopCause::kCycleLimit:
      return absl::StrCat("stopped at cycle ", cycle, ": --max-cycles reached");
    case machine::StopCause::kLogLimit:
      return absl::StrCat("stopped at cycle ", cycle, ": --max-log reached");
    case machine::StopCause::kQuit:
    case machine::StopCause::kExpectFailed:
    case machine::StopCause::kPanic: return "";
  }
  return "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Create(const RunOptions& options,
                                                         std::vector<ScriptCommand> script) {
  std::unique_ptr<Session> session(new Session(options, std::move(script)));
  if (absl::Status status = session->Open(); !status.ok()) return status;
  return session;
}

Session::Session(const RunOptions& options, std::vector<ScriptCommand> script)
    : options_(options),
      scripted_(!options.script_path.empty() || options.control.has_value()),
      consoles_(options.consoles, queue_),
      commands_(std::move(script)),
      script_({}, options.config.clock_hz),
      clock_(std::make_unique<QueueClock>(queue_)),
      clock_hz_(options.config.clock_hz) {
  if (options.max_cycles.has_value()) {
    limit_.emplace(options.max_cycles->Cycles(options.config.clock_hz));
  }
}

absl::Status Session::Open() {
  // Before there is a socket that tells of us, and a pipe that somebody has to open.
  if (absl::Status status = ListenToSignals(HostReader::Phase::kStart); !status.ok()) return status;
  if (options_.control.has_value()) {
    absl::StatusOr<std::unique_ptr<ControlSocket>> socket = ControlSocket::Open(*options_.control);
    if (!socket.ok()) return socket.status();
    control_ =
        std::make_unique<ControlChannel>(*std::move(socket), queue_, options_.config.clock_hz);
  }
  return consoles_.Open();
}

Session::~Session() = default;

void Session::EndIfAsked() {
  for (int signal = signals_.Take(); signal != 0; signal = signals_.Take()) {
    if (signal != SIGTSTP && signal != SIGCONT) hostio::StopSignals::EndProcess(signal);
  }
}

absl::StatusOr<machine::RunEnd> Session::Run(machine::Machine& machine, const SessionPlan& plan) {
  if (absl::Status status = Start(machine, plan); !status.ok()) return status;
  machine.SetInputSource(this);
  machine.SetConsoleSink(this);
  machine.SetFrameSink(network_);
  queue_.SetStopAlarm([&machine] { machine.LookForStop(); });
  const nanoseconds start = clock_->Now();
  machine::RunEnd end = plan.driver != nullptr ? plan.driver->Run(machine) : machine.Run();
  wall_ = clock_->Now() - start;
  queue_.SetStopAlarm(nullptr);
  machine.SetInputSource(nullptr);
  machine.SetConsoleSink(nullptr);
  machine.SetFrameSink(nullptr);
  End();
  if (!live_status_.ok()) return live_status_;
  return end;
}

absl::Status Session::Start(machine::Machine& machine, const SessionPlan& plan) {
  if (absl::Status status = consoles_.EmptyFiles(); !status.ok()) return status;
  machine_ = &machine;
  replay_ = plan.replay;
  log_limit_ = plan.log_limit;
  network_ = plan.network;
  if (absl::Status status = replay_ == nullptr ? GoLive({}) : StartReplay(plan); !status.ok()) {
    return status;
  }
  if (options_.on_panic.value_or(scripted_ ? OnPanic::kExit : OnPanic::kIgnore) == OnPanic::kExit) {
    panic_watch_.emplace(clock_hz_, [&machine] { return IsDead(machine); });
  }
  if (control_ != nullptr) {
    OfferServices(machine, plan);
    if (absl::Status status = control_->AwaitClient(); !status.ok()) return status;
  }
  if (plan.driver != nullptr) {
    if (absl::Status status = plan.driver->Await(); !status.ok()) return status;
  }
  return GiveUpPrivileges(options_.sandbox, plan.sandbox);
}

absl::Status Session::StartReplay(const SessionPlan& plan) {
  if (isatty(STDERR_FILENO) != 0) progress_.emplace(STDERR_FILENO, plan.last_cycle, *clock_);
  if (absl::Status status = ListenToSignals(HostReader::Phase::kRun); !status.ok()) return status;
  consoles_.FollowTerminal(/*drop_queries=*/true);
  if (absl::Status status = consoles_.StartPeers(/*live=*/false); !status.ok()) return status;
  watching_ = control_ != nullptr && !replay_->goes_live();
  if (watching_) script_ = ScriptRunner(control_.get(), clock_hz_);
  return absl::OkStatus();
}

void Session::OfferServices(const machine::Machine& machine, const SessionPlan& plan) {
  control_->SetReadOnly(watching_);
  ControlServices& services = control_->services();
  services = plan.services;
  services.stats = [&machine] { return StatsJson(machine); };
  services.peek = [&machine](const std::string& where) { return Peek(machine, where); };
  services.inspect = [&machine](const std::string& path) { return StateJson(machine, path); };
}

void Session::End() {
  // So that a request under way has its answer; of a script Report() tells.
  if (control_ != nullptr) script_.NoteGuestEnd(machine_->now());
  progress_.reset();
  consoles_.Flush();
  consoles_.RestoreTerminal();
  // The reports and the shell's prompt get a line of their own.
  EndGuestLine();
  reader_.reset();
  terminal_.reset();
  consoles_.StopPeers();
  if (network_ != nullptr) {
    network_->Stop();
    TellOfNetwork();
  }
  // Without, a signal waits for the end of the process.
  (void)ListenToSignals(HostReader::Phase::kRun);
}

void Session::EndGuestLine() const {
  if (!consoles_.needs_new_line()) return;
  hostio::WriteAll(STDERR_FILENO, terminal_ != nullptr ? "\r\n" : "\n");
}

absl::Status Session::ListenToSignals(HostReader::Phase phase) {
  reader_.reset();
  absl::StatusOr<std::unique_ptr<HostReader>> reader =
      HostReader::Create(queue_, signals_, phase, -1, nullptr);
  if (!reader.ok()) return reader.status();
  reader_ = *std::move(reader);
  return absl::OkStatus();
}

void Session::LetSignalsKill() {
  reader_.reset();
  signals_.Release();
}

absl::Status Session::GoLive(const machine::InputPoint& point) {
  reader_.reset();
  int input_fd = InputFd();
  const machine::Port port = consoles_.stdio_port();
  if (FileInput::CanRead(input_fd)) {
    absl::StatusOr<std::unique_ptr<FileInput>> file =
        FileInput::Read(input_fd, options_.config, port);
    if (!file.ok()) return file.status();
    file_input_ = *std::move(file);
    input_fd = -1;
  }
  if (input_fd >= 0 && isatty(input_fd) != 0) {
    absl::StatusOr<std::unique_ptr<RawTerminal>> raw = RawTerminal::Enter(input_fd);
    if (!raw.ok()) return raw.status();
    terminal_ = *std::move(raw);
  }
  const bool person = terminal_ != nullptr && !scripted_;
  // What types when a terminal answers must not be the terminal: a script types the same
  // everywhere.
  consoles_.FollowTerminal(/*drop_queries=*/scripted_);
  // Who answers the guest's packets, or is on its line, knows the wall clock alone.
  const bool outside = person || network_ != nullptr || consoles_.has_peer();
  const Pace pace = options_.pace.value_or(outside ? Pace::kIdle : Pace::kOff);
  if (pace != Pace::kOff) pacer_.emplace(clock_hz_, *clock_, point, pace == Pace::kAlways);
  if (scripted_ && isatty(STDERR_FILENO) != 0) {
    progress_.emplace(STDERR_FILENO, 0, *clock_);
  }
  script_ = control_ != nullptr ? ScriptRunner(control_.get(), clock_hz_)
                                : ScriptRunner(std::move(commands_), clock_hz_, point.cycle);
  absl::StatusOr<std::unique_ptr<HostReader>> reader = HostReader::Create(
      queue_, signals_, HostReader::Phase::kRun, input_fd, terminal_.get(), port);
  if (!reader.ok()) return reader.status();
  reader_ = *std::move(reader);
  if (absl::Status status = consoles_.StartPeers(/*live=*/true); !status.ok()) return status;
  return network_ != nullptr ? network_->Start(queue_) : absl::OkStatus();
}

int Session::InputFd() const {
  if (!consoles_.uses_stdio()) return -1;
  // A scripted run must not depend on, or eat up, what happens to be on its standard input.
  if (scripted_ && isatty(STDIN_FILENO) == 0) return -1;
  return STDIN_FILENO;
}

void Session::Poll(const machine::InputPoint& here, std::vector<machine::Input>& inputs) {
  machine::InputPoint point = here;
  point.idle_cycles -= idle_elsewhere_;
  consoles_.Flush();
  if (replay_ != nullptr && !PollReplay(point, inputs)) return;
  if (pacer_.has_value()) {
    // What CPU 0 does says nothing of the others.
    const bool alone = machine_->cpu_count() == 1;
    pacer_->Poll(alone ? idle_watch_.Observe(point, machine_->cpu()) : point, inputs);
  }
  if (network_ != nullptr) TellOfNetwork();
  script_.Poll(point, inputs);
  if (panic_watch_.has_value()) panic_watch_->Poll(point, inputs);
  if (file_input_ != nullptr) file_input_->Poll(point, inputs);
  queue_.Poll(point, inputs);
  if (std::optional<machine::Input> stop = LimitReached(point)) inputs.push_back(*std::move(stop));
  JoinInputs(inputs);
  if (network_ != nullptr) PollNetwork(point, inputs);
  if (progress_.has_value() && !consoles_.in_guest_line()) {
    progress_->ShowScript(point.cycle, clock_hz_, script_.current());
  }
}

uint64_t Session::NextStop(uint64_t cycle, uint64_t until) {
  if (replay_ != nullptr) {
    if (watching_) until = script_.NextStop(cycle, until);
    return replay_->NextStop(cycle, until);
  }
  until = script_.NextStop(cycle, until);
  if (panic_watch_.has_value()) until = panic_watch_->NextStop(cycle, until);
  return limit_.has_value() ? limit_->NextStop(cycle, until) : until;
}

std::optional<machine::Input> Session::TakeStop(const machine::InputPoint& point,
                                                Occasion occasion) {
  std::optional<machine::Input> stop;
  // Where the host's request found the machine nothing may be decided that has to be decided the
  // same next time.
  if (occasion == Occasion::kStopPoint) {
    consoles_.Flush();
    stop = StopReached(point);
  }
  // A script may have had the machine wait, until somebody lost patience.
  if (!stop.has_value()) stop = queue_.TakeStop(point, occasion);
  if (replay_ == nullptr) return stop;
  if (!stop.has_value()) return replay_->TakeStop(point, occasion);
  if (replay_->state() == ReplayDriver::State::kReplaying) replay_->Abandon();
  return stop;
}

std::optional<machine::Input> Session::TakeDebugged(const machine::InputPoint& point) {
  return replay_ != nullptr ? replay_->TakeDebugged(point) : std::nullopt;
}

std::optional<machine::Input> Session::StopReached(const machine::InputPoint& point) {
  std::optional<machine::Input> stop;
  if (replay_ != nullptr) {
    if (!watching_) return stop;
    stop = script_.TakeStop(point, Occasion::kStopPoint);
    if (stop.has_value()) replay_->EndHere();
    return stop;
  }
  stop = script_.TakeStop(point, Occasion::kStopPoint);
  if (!stop.has_value() && panic_watch_.has_value()) {
    stop = panic_watch_->TakeStop(point, Occasion::kStopPoint);
  }
  return stop.has_value() ? stop : LimitReached(point);
}

std::optional<machine::Input> Session::LimitReached(const machine::InputPoint& point) {
  std::optional<machine::Input> stop;
  if (limit_.has_value()) stop = limit_->TakeStop(point, Occasion::kStopPoint);
  if (!stop.has_value() && log_limit_ && log_limit_()) {
    stop = machine::Input::Stop(machine::StopCause::kLogLimit);
  }
  return stop;
}

void Session::PollNetwork(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  if (inputs.size() < replaylog::kMaxInputsPerCycle) {
    queue_.PollFrames(point, replaylog::kMaxInputsPerCycle - inputs.size(), inputs);
  }
}

void Session::TellOfNetwork() {
  const std::optional<std::string> notice = network_->TakeNotice();
  if (!notice.has_value()) return;
  if (progress_.has_value()) progress_->Hide();
  EndGuestLine();
  Say(*notice);
  if (terminal_ != nullptr) hostio::WriteAll(STDERR_FILENO, "\r");
}

bool Session::PollReplay(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  if (AbandonIfAsked(point, inputs)) return false;
  if (watching_ && PollWatcher(point, inputs)) return false;
  replay_->Poll(point, inputs);
  if (replay_->state() != ReplayDriver::State::kLive) {
    if (progress_.has_value() && !consoles_.in_guest_line()) {
      progress_->Show(point.cycle, clock_hz_, replay_->replayer().events_compared());
    }
    return false;
  }
  replay_ = nullptr;
  progress_.reset();
  live_status_ = GoLive(point);
  if (!live_status_.ok()) inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
  return live_status_.ok();
}

bool Session::PollWatcher(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  std::vector<machine::Input> requests;
  script_.Poll(point, requests);
  if (!requests.empty()) {
    replay_->EndHere();
    inputs = std::move(requests);
    return true;
  }
  // The watcher may have had the machine wait.
  return AbandonIfAsked(point, inputs);
}

bool Session::AbandonIfAsked(const machine::InputPoint& point,
                             std::vector<machine::Input>& inputs) {
  std::vector<machine::Input> requests;
  queue_.Poll(point, requests);
  if (requests.empty()) return false;
  replay_->Abandon();
  inputs = std::move(requests);
  return true;
}

void Session::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  if (replay_ == nullptr || watching_) script_.OnConsoleByte(uart, cycle, byte);
  if (replay_ == nullptr && panic_watch_.has_value()) {
    panic_watch_->OnConsoleByte(uart, cycle, byte);
  }
  if (progress_.has_value() && consoles_.shares_terminal()) progress_->Hide();
  consoles_.OnConsoleByte(uart, cycle, byte);
}

int Session::Report(const machine::RunEnd& end, const machine::Machine& machine) {
  const std::optional<int> console_failure = ReportConsole();
  const int exit_code = console_failure.has_value() ? *console_failure : ReportEnd(end, machine);
  ReportStats(machine);
  return exit_code;
}

void Session::ReportStats(const machine::Machine& machine) {
  if (!options_.stats) return;
  MachineCounts counts = CountsOf(machine);
  counts.idle_cycles -= idle_elsewhere_;
  const std::string stats = StatsReport(counts, machine.config().clock_hz, machine.touched_bytes(),
                                        wall_, machine.translation_stats());
  Tell(stats);
  if (network_ != nullptr) Tell(NetworkStats(network_->counts()));
}

void Session::EndControl(const machine::RunEnd& end, const machine::Machine& machine, int exit_code,
                         const std::string& fields) {
  if (control_ == nullptr) return;
  std::string json = absl::StrCat(
      "\"reason\":\"", EndName(end), "\",\"exit_code\":", exit_code, ",\"cycle\":", machine.now(),
      ",\"seconds\":", machine::SecondsText(machine.now(), clock_hz_),
      ",\"instructions\":", machine.Instructions(), ",",
      replaylog::JsonBytes("output", "text", script_.output()), ",",
      replaylog::JsonBytes("serial1_output", "serial1_text", script_.output(/*uart=*/1)));
  if (!fields.empty()) absl::StrAppend(&json, ",", fields);
  control_->End(json);
}

std::optional<int> Session::ReportConsole() {
  const int error = consoles_.error();
  switch (error) {
    case 0: return std::nullopt;
    case EPIPE:
      Say("nobody reads the console output any more; the guest was stopped");
      return ToInt(ExitCode::kSignalBase) + SIGPIPE;
    case EIO:
      Say("the terminal is gone; the guest was stopped");
      return ToInt(ExitCode::kSignalBase) + SIGHUP;
    default:
      Say(absl::StrCat("cannot write the console output: ", strerror(error)));
      return ToInt(ExitCode::kInternal);
  }
}

int Session::ReportEnd(const machine::RunEnd& end, const machine::Machine& machine) {
  using Kind = machine::RunEnd::Kind;
  int exit_code = ExitCodeOf(end);
  switch (end.kind) {
    case Kind::kFatal:
      Tell(FatalReport(end.message, machine.cpu(static_cast<int>(end.cpu)), machine.kernel(),
                       clock_hz_));
      break;
    case Kind::kObserver: Say(end.message); break;
    case Kind::kEndOfTime:
      Say(absl::StrCat("stopped at cycle ", machine::WithSeconds(machine.now(), clock_hz_),
                       ": machine time ends after 2^62 cycles"));
      break;
    case Kind::kReset: Say("the guest asked for a reset"); [[fallthrough]];
    case Kind::kPowerOff:
      if (!script_.NoteGuestEnd()) exit_code = ToInt(ExitCode::kLimit);
      break;
    case Kind::kStopped:
      if (const std::string line =
              DescribeStop(end.stop, machine::WithSeconds(machine.now(), clock_hz_));
          !line.empty()) {
        Say(line);
      } else if (end.stop.cause == machine::StopCause::kPanic) {
        ReportPanic(end.stop, machine);
      }
      break;
  }
  if (!script_.failure().empty()) {
    Say(absl::StrCat(options_.script_path, ": ", script_.failure()));
  }
  return exit_code;
}

void Session::ReportPanic(const machine::Input& stop, const machine::Machine& machine) {
  const std::string cycle = machine::WithSeconds(machine.now(), clock_hz_);
  if (stop.detail != PanicWatch::kDeadLoop) {
    Say(absl::StrCat("the guest panicked; stopped at cycle ", cycle, ": ",
                     QuoteScriptText(panic_watch_->message())));
    return;
  }
  Tell(FatalReport(
      machine.cpu_count() == 1
          ? "it is in a loop without end, and interrupts are off"
          : "all its CPUs are in loops without end, or stand still, and interrupts are off",
      machine.cpu(), machine.kernel(), clock_hz_));
}

}  // namespace isochron::cli
