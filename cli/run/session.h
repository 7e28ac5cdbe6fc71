// What surrounds a machine while it runs: terminal, script, pacing, limits, reports.

#ifndef ISOCHRON_CLI_RUN_SESSION_H_
#define ISOCHRON_CLI_RUN_SESSION_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/control/control_channel.h"
#include "cli/control/panic_watch.h"
#include "cli/control/script.h"
#include "cli/control/script_runner.h"
#include "cli/host/cycle_limit.h"
#include "cli/host/file_input.h"
#include "cli/host/host_queue.h"
#include "cli/host/host_reader.h"
#include "cli/host/idle_watch.h"
#include "cli/host/pacer.h"
#include "cli/host/sandbox.h"
#include "cli/host/terminal.h"
#include "cli/net/frame_link.h"
#include "cli/run/consoles.h"
#include "cli/run/progress_bar.h"
#include "cli/run/replay_driver.h"
#include "cli/run/run_options.h"
#include "hostio/stop_signals.h"
#include "machine/bus/console.h"
#include "machine/events/input.h"
#include "machine/machine.h"

namespace isochron::cli {

// Who runs a machine in place of the session, such as a debugger.
class RunDriver {
 public:
  virtual ~RunDriver() = default;
  // Before the process gives its privileges up: waits for whoever drives, as long as nobody asks
  // for a stop. An error: nothing is run.
  virtual absl::Status Await() = 0;
  // Runs to an end, by Machine::RunUntil() alone.
  virtual machine::RunEnd Run(machine::Machine& machine) = 0;
  // After the run, which has come to `exit_code`: what the process comes to.
  virtual int CodeAfter(int exit_code) const { return exit_code; }
};

// What a command adds to the run of a machine.
struct SessionPlan {
  // What the process may still do during and after the run, if --sandbox does not say otherwise.
  SandboxMode sandbox = SandboxMode::kRun;
  // The log that the run follows, and where that ends, for the progress bar; nullptr: it is a run
  // of its own.
  ReplayDriver* replay = nullptr;
  uint64_t last_cycle = 0;
  // Ends the run, with StopCause::kLogLimit, at the first input point or stop point at which this
  // is true and the run is no replay.
  std::function<bool()> log_limit;
  // nullptr: nobody, it just runs. It must outlive the run.
  RunDriver* driver = nullptr;
  // Who is at the other end of the guest's network; nullptr: nobody.
  FrameLink* network = nullptr;
  // What the control channel offers beside looking into the machine.
  ControlServices services;
};

// Runs a machine as the options say and tells how it ended.
//
// At an input point, in this order: console output is written out; the pacer may block; then
// inputs are taken from the script, from the watch for panics, from the host (a file on standard
// input; what was typed in its order, then requests to stop: Ctrl-A x, signals, a failed console),
// from the cycle limit; at last frames of the network. The first stop ends the run. Console bytes
// that meet at one input point are one input, whoever sent them. Between input points requests to
// stop are taken from the host, and at stop points, in that order, from script, watch and limits.
//
// While a ReplayDriver feeds the machine, nobody else does: of the host only requests to stop
// are taken, terminal, script and control channel come in when the driver goes live. When it never
// does, a control channel can watch the replay and end it.
class Session final : private machine::InputSource, private machine::ConsoleSink {
 public:
  // Opens console and control channel; nothing else is started. From here on signals to stop end
  // the run and nothing else, so that what it wrote gets completed: see HostReader. InvalidArgument
  // when console or channel cannot be opened, Internal when the host refuses a thread.
  static absl::StatusOr<std::unique_ptr<Session>> Create(const RunOptions& options,
                                                         std::vector<ScriptCommand> script);
  ~Session() override;

  // Readable once somebody has asked for a stop: for who waits meanwhile.
  const hostio::EventFd& stop_event() const { return queue_.stop_event(); }

  // Before Run(), while something takes its time: ends the process as a signal to stop does when
  // nobody catches it, if one has come.
  void EndIfAsked();

  // Waits for the client of the control channel, if there is one, and runs to the end, with the
  // terminal raw meanwhile if standard input is one and is the console. Errors are those of taking
  // the terminal over and of the channel: nothing was run.
  absl::StatusOr<machine::RunEnd> Run(machine::Machine& machine, const SessionPlan& plan);

  // Tells on standard error how a run has ended, as far as that needs words, and what
  // ReportStats() tells. Returns the exit code.
  int Report(const machine::RunEnd& end, const machine::Machine& machine);
  // The same of nothing but the console: the exit code if it failed.
  std::optional<int> ReportConsole();
  // Host time of the machine's run. After Run().
  std::chrono::nanoseconds wall() const { return wall_; }
  // Of the cycles that the machine was idle it was so many where it had been before: what its
  // driver has made it run again.
  void NoteIdleElsewhere(uint64_t cycles) { idle_elsewhere_ += cycles; }
  // After Run(): signals end the process again, at once.
  void LetSignalsKill();
  // What --stats asks for.
  void ReportStats(const machine::Machine& machine);
  // Tells the control channel, if there is one, how all ended, as the last thing. `fields`: what
  // else is to be told, as JSON ("name":value,...).
  void EndControl(const machine::RunEnd& end, const machine::Machine& machine, int exit_code,
                  const std::string& fields = "");

 private:
  Session(const RunOptions& options, std::vector<ScriptCommand> script);

  // The second half of Create().
  absl::Status Open();
  // What Run() does before the machine runs, and after it.
  absl::Status Start(machine::Machine& machine, const SessionPlan& plan);
  absl::Status StartReplay(const SessionPlan& plan);
  void OfferServices(const machine::Machine& machine, const SessionPlan& plan);
  void End();
  // So that what is told next on standard error has a line of its own.
  void EndGuestLine() const;
  void Poll(const machine::InputPoint& here, std::vector<machine::Input>& inputs) override;
  uint64_t NextStop(uint64_t cycle, uint64_t until) override;
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override;
  std::optional<machine::Input> TakeDebugged(const machine::InputPoint& point) override;
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;

  // At a stop point: what is asked for by others than the host and the log.
  std::optional<machine::Input> StopReached(const machine::InputPoint& point);
  // The stop that --max-cycles or --max-log asks for at this point.
  std::optional<machine::Input> LimitReached(const machine::InputPoint& point);
  // Opens terminal and input; the run is live from `point` on. An error when the terminal cannot be
  // made raw.
  absl::Status GoLive(const machine::InputPoint& point);
  // Lets the control channel ask of a replay what can be asked of one. True when it ended it.
  bool PollWatcher(const machine::InputPoint& point, std::vector<machine::Input>& inputs);
  // Gives the replay up for a request to stop, if there is one.
  bool AbandonIfAsked(const machine::InputPoint& point, std::vector<machine::Input>& inputs);
  // Takes inputs from the log. True when the run has just gone live.
  bool PollReplay(const machine::InputPoint& point, std::vector<machine::Input>& inputs);
  // Adds what has come from the network, as far as a log has room for it at this point.
  void PollNetwork(const machine::InputPoint& point, std::vector<machine::Input>& inputs);
  // Tells what has become of the network, if that is news.
  void TellOfNetwork();
  void ReportPanic(const machine::Input& stop, const machine::Machine& machine);
  int ReportEnd(const machine::RunEnd& end, const machine::Machine& machine);
  // Has signals to stop taken, and nothing else that comes from the host.
  absl::Status ListenToSignals(HostReader::Phase phase);
  // The file descriptor that input comes from, -1 for none.
  int InputFd() const;

  const RunOptions options_;
  hostio::StopSignals signals_;
  const bool scripted_;  // somebody other than standard input is in charge
  HostQueue queue_;
  Consoles consoles_;
  std::vector<ScriptCommand> commands_;
  std::unique_ptr<ControlChannel> control_;
  ScriptRunner script_;
  FrameLink* network_ = nullptr;
  bool watching_ = false;  // the control channel is there during a replay
  std::unique_ptr<HostClock> clock_;
  std::chrono::nanoseconds wall_{0};
  const uint64_t clock_hz_;
  const machine::Machine* machine_ = nullptr;  // while it runs
  uint64_t idle_elsewhere_ = 0;
  std::optional<Pacer> pacer_;
  IdleWatch idle_watch_;
  std::optional<CycleLimit> limit_;
  std::optional<PanicWatch> panic_watch_;
  std::function<bool()> log_limit_;
  std::unique_ptr<RawTerminal> terminal_;  // during a run, from the point on at which it is live
  std::unique_ptr<HostReader> reader_;
  std::unique_ptr<FileInput> file_input_;  // when that is what standard input is

  ReplayDriver* replay_ = nullptr;  // until the run is live
  std::optional<ProgressBar> progress_;
  absl::Status live_status_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_SESSION_H_
