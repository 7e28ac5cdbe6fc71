// The connection to a gdb.

#ifndef ISOCHRON_CLI_HOST_GDB_SOCKET_H_
#define ISOCHRON_CLI_HOST_GDB_SOCKET_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "debug/gdb/gdb_server.h"
#include "hostio/event_fd.h"
#include "hostio/file.h"
#include "hostio/stop_signals.h"

namespace isochron::cli {

// Where a gdb is waited for: "[ADDRESS:]PORT", "unix:PATH", or "-", which is standard input and
// output.
struct GdbTarget {
  enum class Kind { kStdio, kUnix, kTcp };
  Kind kind = Kind::kStdio;
  std::string address;  // TCP: of this host; the loopback unless it is given. Unix: the path
  std::string port;     // TCP, decimal; 0: any that is free
};

// InvalidArgument with what is wrong.
absl::StatusOr<GdbTarget> ParseGdbTarget(std::string_view text);

// One client: as soon as it is there nobody else can connect. A signal to stop ends all waiting. (A
// gdb that starts us makes us a session of our own: Ctrl-C at its terminal is its alone.)
class GdbSocket final : public debug::Connection {
 public:
  // Listens. `signals` must outlive it. InvalidArgument when that cannot be.
  static absl::StatusOr<std::unique_ptr<GdbSocket>> Open(const GdbTarget& target,
                                                         hostio::StopSignals& signals);
  // The same for who does not listen to signals itself: `stop` becomes readable when all waiting is
  // to end.
  static absl::StatusOr<std::unique_ptr<GdbSocket>> Open(const GdbTarget& target,
                                                         const hostio::EventFd& stop);
  ~GdbSocket() override;
  GdbSocket(const GdbSocket&) = delete;
  GdbSocket& operator=(const GdbSocket&) = delete;

  // What gdb's `target remote` takes to get here: "127.0.0.1:1234", a path. Empty with standard
  // input and output, where it is there already.
  const std::string& where() const { return where_; }
  // Waits until a client is there. False when a signal came first.
  absl::StatusOr<bool> AwaitClient();
  // The signal that has ended it; 0: none has.
  int signal() const { return signal_; }
  // Whether that, or `stop`, has ended all waiting.
  bool stopped() const { return signal_ != 0 || stopped_; }

  std::string Receive() override;
  std::optional<std::string> Poll() override;
  bool Send(std::string_view bytes) override;

 private:
  // `signals` or nullptr; `stop_fd` is readable when there is one, or it is to end.
  GdbSocket(hostio::StopSignals* signals, int stop_fd) : signals_(signals), stop_fd_(stop_fd) {}

  absl::Status Listen(const GdbTarget& target);
  absl::Status ListenUnix(const std::string& path);
  absl::Status ListenTcp(const GdbTarget& target);
  void StopListening();
  // Whether the file is ready for `events` within `timeout` (poll's) and no signal has come.
  bool WaitFor(int fd, short events, int timeout);
  void TakeSignals();

  hostio::StopSignals* const signals_;
  const int stop_fd_;
  std::string where_;
  std::string path_;  // of a Unix socket that is to be removed
  hostio::Descriptor listener_;
  hostio::Descriptor client_;  // a socket
  bool stdio_ = false;
  int signal_ = 0;
  bool stopped_ = false;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_GDB_SOCKET_H_
