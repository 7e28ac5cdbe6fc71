#include "cli/control/control_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/host/unix_listener.h"
#include "hostio/file.h"

namespace isochron::cli {
namespace {

absl::Status Refuse(const std::string& target, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot be controlled at ", target, ": ", std::string(why)));
}

absl::StatusOr<int> InheritedSocket(const std::string& target, std::string_view digits) {
  int fd = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), fd);
  if (error != std::errc() || end != digits.data() + digits.size() || fd <= STDERR_FILENO) {
    return Refuse(target, "fd: needs the number of an inherited socket, 3 or more");
  }
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    return Refuse(target, strerror(errno));
  }
  if (type != SOCK_STREAM) return Refuse(target, "it is no stream socket");
  sockaddr_storage peer;
  socklen_t peer_size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) {
    return Refuse(target, "nobody is connected to it");
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

absl::StatusOr<int> Listen(const std::string& path) {
  absl::StatusOr<hostio::Descriptor> listener = ListenAtPath(path);
  if (listener.ok()) return listener->Release();
  return Refuse(path.empty() ? "''" : path, std::string(listener.status().message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlSocket>> ControlSocket::Open(const std::string& target) {
  constexpr std::string_view kInherited = "fd:";
  const bool inherited = target.starts_with(kInherited);
  const absl::StatusOr<int> fd =
      inherited ? InheritedSocket(target, std::string_view(target).substr(kInherited.size()))
                : Listen(target);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<ControlSocket>(inherited ? new ControlSocket(-1, *fd, "")
                                                  : new ControlSocket(*fd, -1, target));
}

ControlSocket::~ControlSocket() {
  StopListening();
  if (client_ >= 0) close(client_);
}

void ControlSocket::StopListening() {
  if (listener_ < 0) return;
  unlink(path_.c_str());
  close(listener_);
  listener_ = -1;
}

bool ControlSocket::WaitFor(int fd, short events, const hostio::EventFd& stop) {
  for (;;) {
    std::array<pollfd, 2> fds = {{{fd, events, 0}, {stop.fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[1].revents != 0) return false;
    if (fds[0].revents != 0) return true;
  }
}

bool ControlSocket::WaitForReader(const hostio::EventFd& stop) const {
  if (WaitFor(client_, POLLOUT, stop)) return true;
  const int patience = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  pollfd state = {client_, POLLOUT, 0};
  int ready;
  do {
    ready = poll(&state, 1, patience);
  } while (ready < 0);  // EINTR
  return ready > 0;
}

bool ControlSocket::HasLostClient() const {
  if (client_ < 0) return false;
  pollfd state = {client_, 0, 0};
  return poll(&state, 1, 0) > 0;  // POLLHUP, POLLERR
}

absl::Status ControlSocket::AwaitClient(const hostio::EventFd& stop) {
  while (client_ < 0) {
    if (listener_ < 0) return absl::UnavailableError("nobody can connect any more");
    if (!WaitFor(listener_, POLLIN, stop)) return absl::OkStatus();
    client_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const bool gone_again = errno == ECONNABORTED || errno == EAGAIN || errno == EINTR;
    if (client_ >= 0 || gone_again) continue;
    const absl::Status status = absl::UnavailableError(
        absl::StrCat("cannot be controlled at ", path_, ": ", strerror(errno)));
    StopListening();
    return status;
  }
  StopListening();
  return absl::OkStatus();
}

ControlSocket::Read ControlSocket::ReadLine(const hostio::EventFd& stop, std::string& line) {
  if (!AwaitClient(stop).ok()) return Read::kEnd;
  if (client_ < 0) return Read::kStopped;
  for (;;) {
    if (const size_t end = buffer_.find('\n', searched_); end != std::string::npos) {
      line.assign(buffer_, 0, end);
      buffer_.erase(0, end + 1);
      searched_ = 0;
      const bool too_long = skipping_ || line.size() > kMaxLine;
      skipping_ = false;
      return too_long ? Read::kTooLong : Read::kLine;
    }
    if (skipping_ || buffer_.size() > kMaxLine) {
      skipping_ = true;
      buffer_.clear();
    }
    searched_ = buffer_.size();
    if (!WaitFor(client_, POLLIN, stop)) return Read::kStopped;
    std::array<char, 4096> bytes;
    const ssize_t got = recv(client_, bytes.data(), bytes.size(), 0);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return Read::kEnd;
    buffer_.append(bytes.data(), static_cast<size_t>(got));
  }
}

void ControlSocket::WriteLine(std::string_view line, const hostio::EventFd& stop) {
  if (client_ < 0 || broken_) return;
  std::string bytes(line);
  bytes.push_back('\n');
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count =
        send(client_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      broken_ = !WaitForReader(stop);
    } else if (errno != EINTR) {
      broken_ = true;
    }
    if (broken_) return;
  }
}

}  // namespace isochron::cli
