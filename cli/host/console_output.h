// Where the console's bytes leave the program.

#ifndef ISOCHRON_CLI_HOST_CONSOLE_OUTPUT_H_
#define ISOCHRON_CLI_HOST_CONSOLE_OUTPUT_H_

#include <optional>
#include <string>

#include "cli/host/host_queue.h"
#include "cli/host/terminal_filter.h"
#include "machine/bus/console.h"

namespace isochron::cli {

// Writes the bytes of one UART to a file descriptor and drops those of the other. Bytes are
// gathered until Flush(), which the owner calls at every input point.
//
// When the descriptor fails, what follows is dropped, error() says why, and the queue is
// asked for a stop: as if by SIGPIPE when nobody reads any more, by SIGHUP when a terminal is
// gone, otherwise a quit. A reader that is merely slow makes Flush() wait, but not once a
// stop has been asked for.
class ConsoleOutput final : public machine::ConsoleSink {
 public:
  // A negative `fd` drops everything. Does not own `fd`.
  ConsoleOutput(int fd, HostQueue& queue, int uart = 0);
  // Before the first byte: another one to write to.
  void SetDescriptor(int fd) { fd_ = fd; }

  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  void Flush();

  // The descriptor is a terminal, whose state is to be followed from here on. `drop_queries`: what
  // the terminal would answer is left out.
  void SetTerminal(bool drop_queries);
  // Undoes what the guest has left changed in the terminal.
  void RestoreTerminal();

  // Whether what was printed last has no line break behind it.
  bool mid_line() const { return mid_line_; }
  // The errno of the failure, 0 when there was none.
  int error() const { return error_; }

 private:
  // False when the rest is to be given up.
  bool WaitUntilWritable();
  void Fail(int error);

  int fd_;
  HostQueue& queue_;
  const int uart_;
  std::string buffer_;
  std::optional<TerminalFilter> filter_;  // of a terminal
  bool mid_line_ = false;
  int error_ = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_CONSOLE_OUTPUT_H_
