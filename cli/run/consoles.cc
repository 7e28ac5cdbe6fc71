#include "cli/run/consoles.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/text/report.h"

namespace isochron::cli {
namespace {

constexpr size_t kPeerBytes = 4096;  // that gather at most

// A pipe ends at the terminal more often than not, as that of `| cat` does.
bool SharesTerminal(int fd) {
  if (fd < 0 || isatty(STDERR_FILENO) == 0) return false;
  struct stat info;
  return isatty(fd) != 0 ||
         (fd == STDOUT_FILENO && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode));
}

// Of errno.
absl::Status ConsoleError(const ConsoleTarget& target) {
  const int error = errno;
  return absl::InvalidArgumentError(
      absl::StrCat("cannot write the console to ", target.path, ": ", strerror(error)));
}

// The descriptor that the target's output goes to, -1 for none; `file` keeps what it opens.
absl::StatusOr<int> OpenTarget(const ConsoleTarget& target, hostio::Descriptor& file) {
  switch (target.kind) {
    case ConsoleTarget::Kind::kStdio: return STDOUT_FILENO;
    case ConsoleTarget::Kind::kNull:
    case ConsoleTarget::Kind::kSocket:
    case ConsoleTarget::Kind::kTerminal: return -1;
    case ConsoleTarget::Kind::kFile: break;
  }
  const int fd = open(target.path.c_str(), O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
  if (fd < 0) return ConsoleError(target);
  file = hostio::Descriptor(fd);
  return fd;
}

// nullptr where nobody comes and goes.
absl::StatusOr<std::unique_ptr<SerialLink>> OpenLink(const ConsoleTarget& target, int uart) {
  absl::StatusOr<std::unique_ptr<SerialLink>> link;
  if (target.kind == ConsoleTarget::Kind::kSocket) {
    link = SerialLink::Listen(target.path);
    if (!link.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("cannot have a console's socket at ",
                                                     target.path, ": ", link.status().message()));
    }
  } else if (target.kind == ConsoleTarget::Kind::kTerminal) {
    link = SerialLink::OpenTerminal();
    if (link.ok()) Say(absl::StrCat("UART ", uart, " is at ", (*link)->name()));
  } else {
    return nullptr;
  }
  return link;
}

}  // namespace

Consoles::Consoles(const std::array<ConsoleTarget, kUarts>& targets, HostQueue& queue)
    : targets_(targets),
      queue_(queue),
      outputs_{ConsoleOutput(-1, queue, 0), ConsoleOutput(-1, queue, 1)} {
  for (int uart = 0; uart < kUarts; ++uart) {
    if (targets_[uart].kind == ConsoleTarget::Kind::kStdio) shown_ = uart;
  }
}

absl::Status Consoles::Open() {
  for (int uart = 0; uart < kUarts; ++uart) {
    const absl::StatusOr<int> fd = OpenTarget(targets_[uart], files_[uart]);
    if (!fd.ok()) return fd.status();
    outputs_[uart].SetDescriptor(*fd);
    absl::StatusOr<std::unique_ptr<SerialLink>> link = OpenLink(targets_[uart], uart);
    if (!link.ok()) return link.status();
    peers_[uart].link = *std::move(link);
    if (uart != shown_) continue;
    shown_is_terminal_ = *fd >= 0 && isatty(*fd) != 0;
    shares_terminal_ = SharesTerminal(*fd);
  }
  return absl::OkStatus();
}

absl::Status Consoles::EmptyFiles() {
  for (int uart = 0; uart < kUarts; ++uart) {
    if (targets_[uart].kind != ConsoleTarget::Kind::kFile) continue;
    // EINVAL: a pipe or a device.
    if (ftruncate(files_[uart].fd(), 0) != 0 && errno != EINVAL)
      return ConsoleError(targets_[uart]);
  }
  return absl::OkStatus();
}

bool Consoles::has_peer() const { return std::ranges::any_of(targets_, &ConsoleTarget::has_peer); }

absl::Status Consoles::StartPeers(bool live) {
  for (int uart = 0; uart < kUarts; ++uart) {
    if (peers_[uart].link == nullptr) continue;
    absl::Status status =
        peers_[uart].link->Start(live ? &queue_ : nullptr, machine::Port::Uart(uart));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void Consoles::StopPeers() {
  for (Peer& peer : peers_) {
    if (peer.link != nullptr) peer.link->Stop();
  }
}

void Consoles::FlushPeer(Peer& peer) {
  if (peer.link == nullptr || peer.bytes.empty()) return;
  peer.link->Write(peer.bytes, queue_.stop_event());
  peer.bytes.clear();
}

void Consoles::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  outputs_[uart].OnConsoleByte(uart, cycle, byte);
  Peer& peer = peers_[uart];
  if (peer.link == nullptr) return;
  peer.bytes.push_back(static_cast<char>(byte));
  if (peer.bytes.size() >= kPeerBytes) FlushPeer(peer);
}

void Consoles::Flush() {
  for (ConsoleOutput& output : outputs_) output.Flush();
  for (Peer& peer : peers_) FlushPeer(peer);
}

void Consoles::FollowTerminal(bool drop_queries) {
  if (shown_is_terminal_) outputs_[shown_].SetTerminal(drop_queries);
}

int Consoles::error() const {
  for (const ConsoleOutput& output : outputs_) {
    if (output.error() != 0) return output.error();
  }
  return 0;
}

}  // namespace isochron::cli
