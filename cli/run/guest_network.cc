#include "cli/run/guest_network.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/net/user_network.h"
#include "cli/run/privileges.h"

namespace isochron::cli {

absl::StatusOr<std::unique_ptr<FrameLink>> OpenNetwork(const RunOptions& options) {
  const NetOption& net = options.net;
  absl::StatusOr<FrameSocket> socket;
  std::string who;
  switch (net.kind) {
    case NetOption::Kind::kNone: return nullptr;
    case NetOption::Kind::kUser:
      socket = StartUserNetwork(
          net, [&options] { return GiveUpPrivileges(options.sandbox, SandboxMode::kNetwork); });
      who = "the process of --net user";
      break;
    case NetOption::Kind::kSocket:
      socket = MeetAt(net.path);
      who = absl::StrCat("the peer at ", net.path);
      break;
  }
  if (!socket.ok()) return socket.status();
  return std::make_unique<FrameLink>(*std::move(socket), std::move(who));
}

std::string NetworkStats(const FrameLink::Counts& counts) {
  return absl::StrCat("network: ", counts.received, " frames received (", counts.received_bytes,
                      " bytes), ", counts.sent, " sent (", counts.sent_bytes, " bytes), ",
                      counts.dropped, " dropped, ", counts.malformed, " malformed\n");
}

}  // namespace isochron::cli
