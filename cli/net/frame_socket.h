// Sockets that frames go through.

#ifndef ISOCHRON_CLI_NET_FRAME_SOCKET_H_
#define ISOCHRON_CLI_NET_FRAME_SOCKET_H_

#include <string>

#include "absl/status/statusor.h"
#include "hostio/file.h"

namespace isochron::cli {

// The host's end of a guest's cable: Unix sockets of type SOCK_SEQPACKET, which keep one frame from
// the next and tell when the other side is gone. None of them blocks.
struct FrameSocket {
  hostio::Descriptor peer;      // where frames go and come from; none yet, or any more: -1
  hostio::Descriptor listener;  // where the next peer comes from; -1: none will
  std::string path;             // of the listener, which is ours to remove
  bool own_peer = false;        // the peer is a process of ours, which ends with the cable
};

// A cable to a process of ours, whose end `other` is.
absl::StatusOr<FrameSocket> MakeFramePair(hostio::Descriptor& other);

// Who comes first to `path` listens there, who comes second is its peer: a program that listens
// there is connected to; otherwise, and where a socket has been left behind by somebody who is
// gone, a new one listens. Of several that come at a time one listens. Nobody but the user can
// connect. InvalidArgument with the path and what is wrong.
absl::StatusOr<FrameSocket> MeetAt(const std::string& path);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_NET_FRAME_SOCKET_H_
