// The connection over which somebody controls a run.

#ifndef ISOCHRON_CLI_CONTROL_CONTROL_SOCKET_H_
#define ISOCHRON_CLI_CONTROL_CONTROL_SOCKET_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hostio/event_fd.h"

namespace isochron::cli {

// A Unix stream socket with one client, which writes lines and reads lines.
class ControlSocket {
 public:
  // Bytes of a line at most, without its end.
  static constexpr size_t kMaxLine = 64 << 10;
  static constexpr std::chrono::seconds kPatience{30};

  // `target` is a path at which to listen, or "fd:N", a connected stream socket that was inherited.
  // A socket at the path that nobody listens at any more is replaced. InvalidArgument, naming the
  // target, when that cannot be had.
  static absl::StatusOr<std::unique_ptr<ControlSocket>> Open(const std::string& target);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  enum class Read {
    kLine,     // a line
    kTooLong,  // there was one of more than kMaxLine bytes; it was dropped
    kEnd,      // the client will write no more; what it wrote without a line end is dropped
    kStopped,  // `stop` was raised meanwhile
  };
  // Waits until the client is there, after which the path is gone and nobody else can connect, or
  // until `stop` is raised. Unavailable when nobody can come.
  absl::Status AwaitClient(const hostio::EventFd& stop);

  // Waits for the client, if it is not there yet, and for its next line.
  Read ReadLine(const hostio::EventFd& stop, std::string& line);

  // Writes a line, for which "\n" is added. Waits for a client that reads slowly; once `stop` is
  // raised, no longer than kPatience for it to go on reading. Without effect when the client is
  // gone.
  void WriteLine(std::string_view line, const hostio::EventFd& stop);

  // Whether the client was there and nobody is left who could read an answer.
  bool HasLostClient() const;

 private:
  ControlSocket(int listener, int client, std::string path)
      : listener_(listener), client_(client), path_(std::move(path)) {}

  // False when `stop` was raised before.
  static bool WaitFor(int fd, short events, const hostio::EventFd& stop);
  // Waits until the client takes more bytes. False when it does not.
  bool WaitForReader(const hostio::EventFd& stop) const;
  void StopListening();

  int listener_;  // -1 once the client is there
  int client_;    // -1 until then
  const std::string path_;
  std::string buffer_;     // read and not yet returned
  size_t searched_ = 0;    // bytes of it that hold no line end
  bool skipping_ = false;  // the rest of a line that is too long
  bool broken_ = false;    // nothing can be written any more
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_CONTROL_SOCKET_H_
