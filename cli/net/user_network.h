// --net user: a network that the host's user can be in without privileges.

#ifndef ISOCHRON_CLI_NET_USER_NETWORK_H_
#define ISOCHRON_CLI_NET_USER_NETWORK_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/net/frame_socket.h"
#include "cli/net/net_option.h"

namespace isochron::cli {

// Starts a process in which libslirp speaks to the host for the guest, and gives the cable to it.
// What parses the guest's packets is there, and takes nobody with it when it fails. The process
// ends when its parent does, or lets go of the cable. To be called before there are threads.
//
// `confine` is called there once all ports are open: what it refuses is refused here.
// InvalidArgument, with the port, when the host has not got one of `option.forwards` to give;
// Internal when the host refuses a process or libslirp will not start.
absl::StatusOr<FrameSocket> StartUserNetwork(const NetOption& option,
                                             const std::function<absl::Status()>& confine);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_NET_USER_NETWORK_H_
