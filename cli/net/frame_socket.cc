#include "cli/net/frame_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/host/unix_listener.h"

namespace isochron::cli {
namespace {

constexpr int kType = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
// Of frames on their way, in bytes; less where the host has a lower limit.
constexpr int kBuffer = 1 << 20;

absl::Status Refused(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("the network's socket ", path, ": ", why));
}

void Widen(int socket) { setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kBuffer, sizeof kBuffer); }

// Held while one looks who is at a path and becomes somebody there: of the directory, since the
// socket is not there yet.
absl::StatusOr<hostio::Descriptor> LockDirectoryOf(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  hostio::Descriptor lock(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.fd() < 0 || flock(lock.fd(), LOCK_EX) != 0) {
    const std::string why = strerror(errno);
    return Refused(path, absl::StrCat("its directory: ", why));
  }
  return lock;
}

absl::StatusOr<FrameSocket> Listen(const std::string& path, const sockaddr_un& address) {
  FrameSocket made{{}, hostio::Descriptor(socket(AF_UNIX, kType, 0)), path, /*own_peer=*/false};
  const int listener = made.listener.fd();
  if (listener < 0) return Refused(path, strerror(errno));
  // bind() gives the name the socket's mode, less what the umask takes.
  fchmod(listener, 0600);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Refused(path,
                   errno == EADDRINUSE ? "something is there that is no socket" : strerror(errno));
  }
  if (listen(listener, 1) != 0) return Refused(path, strerror(errno));
  return made;
}

}  // namespace

absl::StatusOr<FrameSocket> MakeFramePair(hostio::Descriptor& other) {
  int ends[2];
  if (socketpair(AF_UNIX, kType, 0, ends) != 0) {
    return absl::InternalError(absl::StrCat("no sockets for a network: ", strerror(errno)));
  }
  for (const int end : ends) Widen(end);
  other = hostio::Descriptor(ends[1]);
  return FrameSocket{hostio::Descriptor(ends[0]), {}, "", /*own_peer=*/true};
}

absl::StatusOr<FrameSocket> MeetAt(const std::string& path) {
  const absl::StatusOr<sockaddr_un> made = UnixAddress(path);
  if (!made.ok()) return Refused(path, std::string(made.status().message()));
  const sockaddr_un& address = *made;
  const absl::StatusOr<hostio::Descriptor> lock = LockDirectoryOf(path);
  if (!lock.ok()) return lock.status();

  hostio::Descriptor peer(socket(AF_UNIX, kType, 0));
  if (peer.fd() < 0) return Refused(path, strerror(errno));
  Widen(peer.fd());
  if (connect(peer.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return FrameSocket{std::move(peer), {}, "", /*own_peer=*/false};
  }
  struct stat info;
  switch (errno) {
    case ENOENT: return Listen(path, address);
    case ECONNREFUSED:
      if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return Refused(path, "something is there that is no socket");
      }
      unlink(path.c_str());  // left behind by somebody who is gone
      return Listen(path, address);
    case EAGAIN: return Refused(path, "who listens there has a peer already");
    case EPROTOTYPE:
      return Refused(path, "who listens there takes no frames: it is to be of type SOCK_SEQPACKET");
    default: return Refused(path, strerror(errno));
  }
}

}  // namespace isochron::cli
