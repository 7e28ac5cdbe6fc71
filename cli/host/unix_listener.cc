#include "cli/host/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

// Whether a socket at `address` has been left behind by a process that is gone. Nobody is connected
// to: sockets of another type are refused by one that lives, and otherwise there is none to refuse.
bool IsAbandoned(const sockaddr_un& address) {
  struct stat info;
  if (stat(address.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const hostio::Descriptor probe(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (probe.fd() < 0) return false;
  const int result =
      connect(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  return result != 0 && errno == ECONNREFUSED;
}

}  // namespace

absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty()) return absl::InvalidArgumentError("the path is empty");
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of a socket has at most ", sizeof(address.sun_path) - 1, " bytes"));
  }
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::StatusOr<hostio::Descriptor> ListenAtPath(const std::string& path) {
  const absl::StatusOr<sockaddr_un> made = UnixAddress(path);
  if (!made.ok()) return made.status();
  const sockaddr_un& address = *made;
  hostio::Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (listener.fd() < 0) return absl::InvalidArgumentError(strerror(errno));
  if (IsAbandoned(address)) unlink(path.c_str());
  // bind() gives the name the socket's mode, less what the umask takes. Who connects is in control.
  fchmod(listener.fd(), 0600);
  if (bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener.fd(), 1) != 0) {
    return absl::InvalidArgumentError(errno == EADDRINUSE ? "something is there already"
                                                          : strerror(errno));
  }
  return listener;
}

}  // namespace isochron::cli
