// The thread that listens to the host: standard input and signals.

#ifndef ISOCHRON_CLI_HOST_READER_H_
#define ISOCHRON_CLI_HOST_READER_H_

#include <thread>

#include "cli/escape_keys.h"
#include "cli/event_fd.h"
#include "cli/host_queue.h"
#include "cli/stop_signals.h"
#include "cli/terminal.h"

namespace isochron::cli {

// Reads until destroyed and puts everything into the queue. Holds no machine state.
//
// From a terminal the Ctrl-A keys are taken out, and its end is a hang-up; from a pipe or a
// file every byte is the guest's, and the end just ends input.
//
// A signal to stop is a request that the next input point takes. When the machine does not get
// there, because somebody does not read what we write, another signal later ends the process
// (StopSignals::kPatience).
class HostReader {
 public:
  // `input_fd` is -1 when nothing is to be read; `terminal` is nullptr unless that is a
  // terminal. All must outlive the reader.
  HostReader(HostQueue& queue, StopSignals& signals, int input_fd, RawTerminal* terminal);
  ~HostReader();
  HostReader(const HostReader&) = delete;
  HostReader& operator=(const HostReader&) = delete;

 private:
  void Loop();
  void HandleSignal();
  void HandleStopSignal(int signal);
  void HandleInput();

  HostQueue& queue_;
  StopSignals& signals_;
  int input_fd_;
  RawTerminal* terminal_;
  EscapeKeys escape_keys_;
  EventFd end_;
  std::thread thread_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_READER_H_
