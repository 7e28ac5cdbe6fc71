// Sockets of this host that somebody listens at.

#ifndef ISOCHRON_CLI_HOST_UNIX_LISTENER_H_
#define ISOCHRON_CLI_HOST_UNIX_LISTENER_H_

#include <sys/un.h>

#include <string>

#include "absl/status/statusor.h"
#include "hostio/file.h"

namespace isochron::cli {

// The address of a Unix socket at `path`. InvalidArgument with what is wrong, which does not name
// the path.
absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path);

// A Unix stream socket at `path` that listens for one client and does not block. A socket there
// that nobody listens at any more is replaced. Nobody but the user can connect. InvalidArgument
// with what is wrong, which does not name the path.
absl::StatusOr<hostio::Descriptor> ListenAtPath(const std::string& path);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_UNIX_LISTENER_H_
