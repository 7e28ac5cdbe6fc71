// The host ends of the UARTs.

#ifndef ISOCHRON_CLI_RUN_CONSOLES_H_
#define ISOCHRON_CLI_RUN_CONSOLES_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cli/host/console_output.h"
#include "cli/host/host_queue.h"
#include "cli/host/serial_link.h"
#include "cli/run/run_options.h"
#include "hostio/file.h"
#include "machine/bus/console.h"
#include "machine/events/input.h"

namespace isochron::cli {

// What the guest writes to each UART, and where the options say that it goes; of a socket or a
// terminal that others open what they send, too. At most one of them is at standard input and
// output.
class Consoles final : public machine::ConsoleSink {
 public:
  static constexpr int kUarts = machine::Port::kUartStreams;

  // `queue` hears of an output that fails, and must outlive this.
  Consoles(const std::array<ConsoleTarget, kUarts>& targets, HostQueue& queue);

  // Opens what the outputs go to, and says where a pseudo terminal is. What is in a file stays: the
  // run may yet be refused. InvalidArgument when one cannot be opened, Internal when the host has
  // no terminal.
  absl::Status Open();
  // When nothing can refuse the run any more.
  absl::Status EmptyFiles();

  // Whether one of the UARTs is where others come and go.
  bool has_peer() const;
  // Lets them come; `live`: what they send is input, else it is dropped. Internal when the host
  // refuses a thread.
  absl::Status StartPeers(bool live);
  // No more of their input comes.
  void StopPeers();

  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void Flush();

  // Whether one of the UARTs is at standard input and output, and which; 0 when none is.
  bool uses_stdio() const { return targets_[shown_].kind == ConsoleTarget::Kind::kStdio; }
  machine::Port stdio_port() const { return machine::Port::Uart(shown_); }

  // When that output is a terminal: follows its state from here on. `drop_queries`: as
  // ConsoleOutput::SetTerminal() has it.
  void FollowTerminal(bool drop_queries);
  // Undoes what the guest has left changed in it.
  void RestoreTerminal() { outputs_[shown_].RestoreTerminal(); }

  // Whether what is told on standard error comes out among that output.
  bool shares_terminal() const { return shares_terminal_; }
  // Whether the cursor is in a line of the guest, if so.
  bool in_guest_line() const { return shares_terminal_ && outputs_[shown_].mid_line(); }
  // Whether the run has left a line of the guest's unfinished there, and whoever writes next needs
  // one of their own.
  bool needs_new_line() const { return in_guest_line() && outputs_[shown_].error() == 0; }

  // The errno of the first output that has failed, 0 when none has.
  int error() const;

 private:
  // A link is written to in larger parts than bytes.
  struct Peer {
    std::unique_ptr<SerialLink> link;  // nullptr: none
    std::string bytes;
  };

  void FlushPeer(Peer& peer);

  const std::array<ConsoleTarget, kUarts> targets_;
  HostQueue& queue_;
  std::array<Peer, kUarts> peers_;
  std::array<hostio::Descriptor, kUarts> files_;
  std::array<ConsoleOutput, kUarts> outputs_;
  // The one at standard output, or UART 0.
  int shown_ = 0;
  bool shown_is_terminal_ = false;
  bool shares_terminal_ = false;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_CONSOLES_H_
