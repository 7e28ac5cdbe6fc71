#include "cli/host/gdb_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "cli/host/unix_listener.h"
#include "hostio/number.h"

namespace isochron::cli {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr char kLoopback[] = "127.0.0.1";

absl::Status CannotWait(const std::string& where, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("gdb cannot be waited for at ", where, ": ", std::string(why)));
}

// "[::1]:1234": what has colons itself is put into brackets.
std::string AddressText(const std::string& address, const std::string& port) {
  const bool brackets = address.find(':') != std::string::npos;
  return absl::StrCat(brackets ? "[" : "", address, brackets ? "]:" : ":", port);
}

// What a socket is bound to.
std::string BoundText(int fd, const GdbTarget& target) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  std::array<char, NI_MAXHOST> address;
  std::array<char, NI_MAXSERV> port;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0 ||
      getnameinfo(reinterpret_cast<const sockaddr*>(&bound), size, address.data(), address.size(),
                  port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return AddressText(target.address, target.port);
  }
  return AddressText(address.data(), port.data());
}

}  // namespace

absl::StatusOr<GdbTarget> ParseGdbTarget(std::string_view text) {
  if (text == "-") return GdbTarget{};
  if (text.starts_with(kUnix)) {
    const std::string path(text.substr(kUnix.size()));
    if (path.empty()) return absl::InvalidArgumentError("unix: needs the path of a socket");
    return GdbTarget{GdbTarget::Kind::kUnix, path, ""};
  }
  const size_t colon = text.rfind(':');
  std::string_view address = colon == text.npos ? "" : text.substr(0, colon);
  const std::string_view port = colon == text.npos ? text : text.substr(colon + 1);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  const std::optional<uint64_t> number = hostio::ParseDigits(port, 10);
  if (!number.has_value() || *number > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(text), "' is no [ADDRESS:]PORT, unix:PATH or -"));
  }
  return GdbTarget{GdbTarget::Kind::kTcp, std::string(address.empty() ? kLoopback : address),
                   std::string(port)};
}

absl::StatusOr<std::unique_ptr<GdbSocket>> GdbSocket::Open(const GdbTarget& target,
                                                           hostio::StopSignals& signals) {
  std::unique_ptr<GdbSocket> socket(new GdbSocket(&signals, signals.fd()));
  if (absl::Status status = socket->Listen(target); !status.ok()) return status;
  return socket;
}

absl::StatusOr<std::unique_ptr<GdbSocket>> GdbSocket::Open(const GdbTarget& target,
                                                           const hostio::EventFd& stop) {
  std::unique_ptr<GdbSocket> socket(new GdbSocket(nullptr, stop.fd()));
  if (absl::Status status = socket->Listen(target); !status.ok()) return status;
  return socket;
}

absl::Status GdbSocket::Listen(const GdbTarget& target) {
  switch (target.kind) {
    case GdbTarget::Kind::kUnix: return ListenUnix(target.address);
    case GdbTarget::Kind::kTcp: return ListenTcp(target);
    case GdbTarget::Kind::kStdio: stdio_ = true; break;
  }
  return absl::OkStatus();
}

GdbSocket::~GdbSocket() { StopListening(); }

absl::Status GdbSocket::ListenUnix(const std::string& path) {
  absl::StatusOr<hostio::Descriptor> listener = ListenAtPath(path);
  if (!listener.ok()) {
    const absl::string_view why = listener.status().message();
    return CannotWait(path, std::string_view(why.data(), why.size()));
  }
  listener_ = *std::move(listener);
  where_ = path_ = path;
  return absl::OkStatus();
}

absl::Status GdbSocket::ListenTcp(const GdbTarget& target) {
  const std::string where = AddressText(target.address, target.port);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(target.address.c_str(), target.port.c_str(), &hints, &found);
  if (error != 0) return CannotWait(where, gai_strerror(error));
  const absl::Cleanup free_found = [found] { freeaddrinfo(found); };
  hostio::Descriptor listener(
      socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (listener.fd() < 0 || bind(listener.fd(), found->ai_addr, found->ai_addrlen) != 0 ||
      listen(listener.fd(), 1) != 0) {
    return CannotWait(where, strerror(errno));
  }
  where_ = BoundText(listener.fd(), target);
  listener_ = std::move(listener);
  return absl::OkStatus();
}

void GdbSocket::StopListening() {
  if (!path_.empty()) unlink(std::exchange(path_, {}).c_str());
  listener_ = hostio::Descriptor();
}

absl::StatusOr<bool> GdbSocket::AwaitClient() {
  if (stdio_) return true;
  while (client_.fd() < 0) {
    if (!WaitFor(listener_.fd(), POLLIN, -1)) return false;
    client_ = hostio::Descriptor(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    const bool gone_again = errno == ECONNABORTED || errno == EAGAIN || errno == EINTR;
    if (client_.fd() < 0 && !gone_again) return CannotWait(where_, strerror(errno));
  }
  // Answers are small, and waited for one by one.
  const int on = 1;
  setsockopt(client_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  StopListening();
  return true;
}

void GdbSocket::TakeSignals() {
  if (signals_ == nullptr) {
    stopped_ = true;
    return;
  }
  for (int signal = signals_->Take(); signal != 0; signal = signals_->Take()) {
    if (signal == SIGTSTP) {
      raise(SIGSTOP);
    } else if (signal != SIGCONT && signal_ == 0) {
      signal_ = signal;
    }
  }
}

bool GdbSocket::WaitFor(int fd, short events, int timeout) {
  while (!stopped()) {
    std::array<pollfd, 2> fds = {{{fd, events, 0}, {stop_fd_, POLLIN, 0}}};
    const int ready = poll(fds.data(), fds.size(), timeout);
    if (ready < 0) continue;  // EINTR
    if (fds[1].revents != 0) TakeSignals();
    if (!stopped() && fds[0].revents != 0) return true;
    if (timeout == 0) return false;
  }
  return false;
}

std::string GdbSocket::Receive() {
  const int fd = stdio_ ? STDIN_FILENO : client_.fd();
  std::string bytes(4096, '\0');
  while (WaitFor(fd, POLLIN, -1)) {
    const ssize_t got = read(fd, bytes.data(), bytes.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
  }
  return "";
}

std::optional<std::string> GdbSocket::Poll() {
  const int fd = stdio_ ? STDIN_FILENO : client_.fd();
  if (!WaitFor(fd, POLLIN, 0)) {
    return stopped() ? std::nullopt : std::optional<std::string>("");
  }
  std::string bytes = Receive();
  if (bytes.empty()) return std::nullopt;
  return bytes;
}

bool GdbSocket::Send(std::string_view bytes) {
  const int fd = stdio_ ? STDOUT_FILENO : client_.fd();
  while (!bytes.empty()) {
    if (!WaitFor(fd, POLLOUT, -1)) return false;
    // A pipe that is ready has room for this much; more could block where no signal gets us out.
    const ssize_t sent = stdio_ ? write(fd, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF))
                                : send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace isochron::cli
