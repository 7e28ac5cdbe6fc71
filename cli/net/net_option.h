// What --net gives.

#ifndef ISOCHRON_CLI_NET_NET_OPTION_H_
#define ISOCHRON_CLI_NET_NET_OPTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "machine/events/config.h"

namespace isochron::cli {

// An IPv4 address, in the order of the wire.
using Ipv4 = std::array<uint8_t, 4>;

// The network of --net user: its addresses, as libslirp's users know them.
inline constexpr Ipv4 kUserNetwork = {10, 0, 2, 0};
inline constexpr Ipv4 kUserMask = {255, 255, 255, 0};
inline constexpr Ipv4 kUserGateway = {10, 0, 2, 2};
inline constexpr Ipv4 kUserNameserver = {10, 0, 2, 3};
inline constexpr Ipv4 kUserGuest = {10, 0, 2, 15};  // what DHCP gives first
inline constexpr Ipv4 kLoopback = {127, 0, 0, 1};

std::string Ipv4Text(const Ipv4& address);

// A port of the host at which the guest can be reached.
struct PortForward {
  bool udp = false;
  Ipv4 host = kLoopback;
  uint16_t host_port = 0;
  Ipv4 guest = kUserGuest;
  uint16_t guest_port = 0;

  friend bool operator==(const PortForward&, const PortForward&) = default;
};

// tcp|udp:[ADDRESS]:PORT-[GUEST]:PORT
std::string ForwardText(const PortForward& forward);

struct NetOption {
  enum class Kind : uint8_t { kNone, kUser, kSocket };
  Kind kind = Kind::kNone;
  std::string path;                   // kSocket
  std::vector<PortForward> forwards;  // kUser
  bool restricted = false;            // kUser: the guest reaches nobody but the gateway itself
  machine::NetworkConfig device;      // unless kNone
};

// none, or user[,SETTING...], or socket:PATH[,SETTING...]; in PATH a comma stands twice.
// InvalidArgument says what is wrong.
absl::StatusOr<NetOption> ParseNetOption(std::string_view text);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_NET_NET_OPTION_H_
