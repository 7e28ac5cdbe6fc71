// The thread that listens to the host: standard input and signals.

#ifndef ISOCHRON_CLI_HOST_HOST_READER_H_
#define ISOCHRON_CLI_HOST_HOST_READER_H_

#include <poll.h>

#include <cstddef>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "cli/host/escape_keys.h"
#include "cli/host/host_queue.h"
#include "cli/host/terminal.h"
#include "hostio/event_fd.h"
#include "hostio/stop_signals.h"

namespace isochron::cli {

// Reads until destroyed and puts everything into the queue. Holds no machine state.
//
// From a terminal the Ctrl-A keys are taken out, and its end is a hang-up; from a pipe or a
// file every byte is the guest's, and the end just ends input.
//
// A signal to stop is a request that the next input point takes. When the machine does not get
// there, because somebody does not read what we write, another signal later ends the process
// (hostio::StopSignals::kPatience). Before the machine runs, the first signal does so: then what
// keeps us is a pipe that nobody opens, or reading what the user gave.
class HostReader {
 public:
  // Whether the machine runs, or is about to be made.
  enum class Phase { kStart, kRun };
  // `input_fd` is -1 when nothing is to be read; `terminal` is nullptr unless that is a
  // terminal. What is typed is for `port`. All must outlive the reader. Internal when the host
  // refuses a thread.
  static absl::StatusOr<std::unique_ptr<HostReader>> Create(
      HostQueue& queue, hostio::StopSignals& signals, Phase phase, int input_fd,
      RawTerminal* terminal, machine::Port port = machine::Port::Uart(0));
  ~HostReader();
  HostReader(const HostReader&) = delete;
  HostReader& operator=(const HostReader&) = delete;

 private:
  HostReader(HostQueue& queue, hostio::StopSignals& signals, Phase phase, int input_fd,
             RawTerminal* terminal, machine::Port port)
      : queue_(queue),
        signals_(signals),
        phase_(phase),
        input_fd_(input_fd),
        terminal_(terminal),
        port_(port) {}

  void Loop();
  // Waits for one of what Loop() reads; no longer than a start may take that a signal is to stop.
  void Wait(pollfd* fds, size_t count);
  void HandleSignal();
  void HandleStopSignal(int signal);
  void HandleInput();

  HostQueue& queue_;
  hostio::StopSignals& signals_;
  const Phase phase_;
  int stop_signal_ = 0;  // the first that came
  int input_fd_;
  RawTerminal* terminal_;
  const machine::Port port_;
  EscapeKeys escape_keys_;
  hostio::EventFd end_;
  std::thread thread_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_HOST_READER_H_
