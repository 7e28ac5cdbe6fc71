#include "cli/host/serial_link.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/host/unix_listener.h"
#include "hostio/thread.h"

namespace isochron::cli {
namespace {

// How often it is looked for what nothing tells of: room in the queue, and who opens a terminal. In
// milliseconds.
constexpr int kLookAgain = 50;

absl::Status NoTerminal() {
  return absl::InternalError(absl::StrCat("no pseudo terminal: ", strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SerialLink>> SerialLink::Listen(const std::string& path) {
  absl::StatusOr<hostio::Descriptor> listener = ListenAtPath(path);
  if (!listener.ok()) return listener.status();
  std::unique_ptr<SerialLink> link(new SerialLink);
  link->listener_ = *std::move(listener);
  link->name_ = path;
  return link;
}

absl::StatusOr<std::unique_ptr<SerialLink>> SerialLink::OpenTerminal() {
  std::unique_ptr<SerialLink> link(new SerialLink);
  link->peer_ = hostio::Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  const int terminal = link->peer_.fd();
  std::array<char, 128> name;
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0 ||
      ptsname_r(terminal, name.data(), name.size()) != 0) {
    return NoTerminal();
  }
  link->name_ = name.data();
  // A line passes every byte on; who opens it may have it otherwise. Once opened and closed, it
  // says that nobody is there.
  const hostio::Descriptor other(open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios mode;
  if (other.fd() < 0 || tcgetattr(other.fd(), &mode) != 0) return NoTerminal();
  cfmakeraw(&mode);
  if (tcsetattr(other.fd(), TCSANOW, &mode) != 0) return NoTerminal();
  return link;
}

SerialLink::~SerialLink() {
  Stop();
  if (listener_.fd() >= 0) unlink(name_.c_str());
}

absl::Status SerialLink::Start(HostQueue* queue, machine::Port port) {
  Stop();
  end_.Lower();
  queue_ = queue;
  port_ = port;
  absl::StatusOr<std::thread> thread = hostio::StartThread([this] { Loop(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void SerialLink::Stop() {
  end_.Raise();
  if (thread_.joinable()) thread_.join();
}

bool SerialLink::IsConnected(int peer) const {
  if (peer < 0) return false;
  if (listener_.fd() >= 0) return true;
  pollfd state = {peer, 0, 0};
  return poll(&state, 1, 0) == 0 || (state.revents & POLLHUP) == 0;
}

void SerialLink::Loop() {
  while (true) {
    const int peer = peer_.fd();
    const bool room = queue_ == nullptr || queue_->HasRoom();
    const bool reads = room && IsConnected(peer);
    std::array<pollfd, 3> fds = {
        {{end_.fd(), POLLIN, 0}, {reads ? peer : -1, POLLIN, 0}, {listener_.fd(), POLLIN, 0}}};
    const bool told = room && (reads || listener_.fd() >= 0);
    if (poll(fds.data(), fds.size(), told ? -1 : kLookAgain) < 0) continue;  // EINTR
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) Receive(peer);
    if (fds[2].revents != 0) Accept();
  }
}

void SerialLink::Accept() {
  hostio::Descriptor next(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (next.fd() < 0 || peer_.fd() >= 0) return;
  std::lock_guard lock(mutex_);
  peer_ = std::move(next);
}

void SerialLink::Receive(int peer) {
  std::array<char, 4096> bytes;
  const ssize_t got = read(peer, bytes.data(), bytes.size());
  if (got > 0) {
    const std::string_view read_bytes(bytes.data(), static_cast<size_t>(got));
    if (queue_ != nullptr) queue_->PushBytes(port_, read_bytes);
    return;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (listener_.fd() < 0) return;  // a terminal's end is not for ever
  std::lock_guard lock(mutex_);
  peer_ = hostio::Descriptor();
}

void SerialLink::Write(std::string_view bytes, const hostio::EventFd& stop) {
  // Held while it waits: a client that has gone ends that.
  std::lock_guard lock(mutex_);
  while (!bytes.empty() && IsConnected(peer_.fd())) {
    std::array<pollfd, 2> fds = {{{peer_.fd(), POLLOUT, 0}, {stop.fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[0].revents == 0) return;                     // a stop
    const ssize_t wrote = listener_.fd() >= 0
                              ? send(peer_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
                              : write(peer_.fd(), bytes.data(), bytes.size());
    if (wrote < 0 && errno != EAGAIN && errno != EINTR) return;
    if (wrote > 0) bytes.remove_prefix(static_cast<size_t>(wrote));
  }
}

}  // namespace isochron::cli
