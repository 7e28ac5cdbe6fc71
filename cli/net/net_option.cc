#include "cli/net/net_option.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/text/comma_list.h"
#include "hostio/number.h"
#include "machine/events/config_checks.h"

namespace isochron::cli {
namespace {

using Kind = NetOption::Kind;
using Model = machine::NetworkConfig::Model;

constexpr std::string_view kSocket = "socket:";

absl::Status Wrong(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("'", std::string(text), "' ", std::string(why)));
}

// Takes `prefix` off the front of `text`, if it is there.
bool TakePrefix(std::string_view prefix, std::string_view& text) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "[ADDRESS]:PORT". False when it is not that; `address` stays as it is when there is none.
bool ParseEnd(std::string_view text, Ipv4& address, uint16_t& port) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return false;
  const std::string name(text.substr(0, colon));
  const auto number = hostio::ParseDigits(text.substr(colon + 1), 10);
  if (!number.has_value() || *number == 0 || *number > UINT16_MAX) return false;
  port = static_cast<uint16_t>(*number);
  return name.empty() || inet_pton(AF_INET, name.c_str(), address.data()) == 1;
}

// Whether the network of --net user has a place for a guest there.
bool IsGuest(const Ipv4& address) {
  return std::equal(address.begin(), address.begin() + 3, kUserNetwork.begin()) &&
         address[3] != 0 && address[3] != 255 && address != kUserGateway &&
         address != kUserNameserver;
}

absl::StatusOr<PortForward> ParseForward(std::string_view text) {
  const std::string_view given = text;
  PortForward forward;
  forward.udp = TakePrefix("udp:", text);
  const bool known = forward.udp || TakePrefix("tcp:", text);
  const size_t dash = text.find('-');
  if (!known || dash == text.npos ||
      !ParseEnd(text.substr(0, dash), forward.host, forward.host_port) ||
      !ParseEnd(text.substr(dash + 1), forward.guest, forward.guest_port)) {
    return Wrong(given,
                 "is not tcp|udp:[ADDRESS]:PORT-[GUEST]:PORT with ports from 1 to 65535 and IPv4 "
                 "addresses");
  }
  if (!IsGuest(forward.guest)) {
    return Wrong(given, absl::StrCat("leads to no guest: they are in ", Ipv4Text(kUserNetwork),
                                     "/24, and ", Ipv4Text(kUserGuest), " as a rule"));
  }
  return forward;
}

absl::StatusOr<std::array<uint8_t, 6>> ParseMac(std::string_view text) {
  std::array<uint8_t, 6> mac = {};
  bool good = text.size() == 3 * mac.size() - 1;
  for (size_t i = 0; good && i < mac.size(); ++i) {
    const char* const at = text.data() + 3 * i;
    good = std::from_chars(at, at + 2, mac[i], 16).ptr == at + 2 && (i == 0 || at[-1] == ':');
  }
  if (!good) return Wrong(text, "is no Ethernet address, such as 52:54:00:12:34:56");
  if (!machine::IsStation(mac)) {
    return Wrong(text, absl::StrCat("is no address of one station: ", machine::kStationRule));
  }
  return mac;
}

absl::Status ApplyModel(std::string_view name, NetOption& option) {
  if (name == "virtio") {
    option.device.model = Model::kVirtio;
  } else if (name == "tulip") {
    option.device.model = Model::kTulip;
  } else {
    return Wrong(name, "is neither of the models virtio and tulip");
  }
  return absl::OkStatus();
}

absl::Status ApplyWitness(std::string_view text, NetOption& option) {
  std::string_view above = text;
  if (text == "bytes") {
    option.device.whole_frames = machine::kMaxFrame;
  } else if (text == "digest") {
    option.device.whole_frames = 0;
  } else {
    const std::optional<uint64_t> size =
        TakePrefix("digest:", above) ? hostio::ParseDigits(above, 10) : std::nullopt;
    if (!size.has_value() || *size > machine::kMaxFrame) {
      return Wrong(text, absl::StrCat("is not one of bytes, digest and digest:ABOVE, with up to ",
                                      machine::kMaxFrame, " bytes"));
    }
    option.device.whole_frames = static_cast<uint32_t>(*size);
  }
  return absl::OkStatus();
}

absl::Status ApplySetting(std::string_view setting, NetOption& option) {
  std::string_view value = setting;
  if (TakePrefix("model=", value)) return ApplyModel(value, option);
  if (TakePrefix("witness=", value)) return ApplyWitness(value, option);
  if (TakePrefix("mac=", value)) {
    const auto mac = ParseMac(value);
    if (mac.ok()) option.device.mac = *mac;
    return mac.status();
  }
  if (option.kind == Kind::kUser && setting == "restrict") {
    option.restricted = true;
    return absl::OkStatus();
  }
  if (option.kind == Kind::kUser && TakePrefix("hostfwd=", value)) {
    const absl::StatusOr<PortForward> forward = ParseForward(value);
    if (forward.ok()) option.forwards.push_back(*forward);
    return forward.status();
  }
  return Wrong(setting, option.kind == Kind::kUser
                            ? "is not one of hostfwd=, restrict, model=, mac= and witness="
                            : "is not one of model=, mac= and witness= (in the path a comma stands "
                              "twice)");
}

}  // namespace

std::string Ipv4Text(const Ipv4& address) {
  return absl::StrCat(address[0], ".", address[1], ".", address[2], ".", address[3]);
}

std::string ForwardText(const PortForward& forward) {
  return absl::StrCat(forward.udp ? "udp:" : "tcp:", Ipv4Text(forward.host), ":", forward.host_port,
                      "-", Ipv4Text(forward.guest), ":", forward.guest_port);
}

absl::StatusOr<NetOption> ParseNetOption(std::string_view text) {
  const std::vector<std::string> parts = SplitAtCommas(text);
  std::string_view what = parts.front();
  NetOption option;
  if (what == "user") {
    option.kind = Kind::kUser;
  } else if (TakePrefix(kSocket, what)) {
    option.kind = Kind::kSocket;
    option.path = std::string(what);
    if (option.path.empty()) return Wrong(text, "names no socket");
  } else if (what != "none") {
    return Wrong(what, "is not one of none, user and socket:PATH");
  } else if (parts.size() > 1) {
    return Wrong(text, "has settings, and no network that they could be of");
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (absl::Status status = ApplySetting(parts[i], option); !status.ok()) return status;
  }
  return option;
}

}  // namespace isochron::cli
