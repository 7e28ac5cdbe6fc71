#include "replaylog/describe_frame.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kStationBytes = 6;
constexpr size_t kEthernetHeader = 14;

uint8_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }
int Word(std::string_view bytes, size_t at) { return Byte(bytes, at) << 8 | Byte(bytes, at + 1); }

std::string Station(std::string_view frame, size_t at) {
  uint8_t address[kStationBytes];
  for (size_t i = 0; i < kStationBytes; ++i) address[i] = Byte(frame, at + i);
  return StationName(address);
}

std::string IpAddress(int family, std::string_view packet, size_t at) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family, packet.data() + at, text, sizeof(text)) != nullptr ? text : "";
}

// What a packet of IP, in which the protocol's own header would be at `header`, is about.
// `ported`: its header is there.
std::string OfProtocol(uint8_t protocol, std::string_view packet, size_t header, bool ported,
                       const std::string& from, const std::string& to) {
  std::string name = absl::StrCat("IP protocol ", protocol);
  bool has_ports = false;
  switch (protocol) {
    case 1: name = "ICMP"; break;
    case 2: name = "IGMP"; break;
    case 58: name = "ICMPv6"; break;
    case 6:
    case 17:
      name = protocol == 6 ? "TCP" : "UDP";
      has_ports = ported && packet.size() >= header + 4;
      break;
    default: break;
  }
  if (!has_ports) return absl::StrCat(name, " ", from, " > ", to);
  return absl::StrCat(name, " ", from, ":", Word(packet, header), " > ", to, ":",
                      Word(packet, header + 2));
}

// Empty when it is no packet of IPv4.
std::string OfIpv4(std::string_view packet) {
  constexpr size_t kHeader = 20;
  if (packet.size() < kHeader || Byte(packet, 0) >> 4 != 4) return "";
  const size_t header = size_t{4} * (Byte(packet, 0) & 0xf);
  const bool first = (Word(packet, 6) & 0x1fff) == 0;  // of the fragments
  return OfProtocol(Byte(packet, 9), packet, header, first && header >= kHeader,
                    IpAddress(AF_INET, packet, 12), IpAddress(AF_INET, packet, 16));
}

// Empty when it is no packet of IPv6.
std::string OfIpv6(std::string_view packet) {
  constexpr size_t kHeader = 40;
  if (packet.size() < kHeader || Byte(packet, 0) >> 4 != 6) return "";
  return OfProtocol(Byte(packet, 6), packet, kHeader, true, IpAddress(AF_INET6, packet, 8),
                    IpAddress(AF_INET6, packet, 24));
}

std::string OfPacket(std::string_view frame) {
  const int type = Word(frame, 2 * kStationBytes);
  const std::string_view packet = frame.substr(kEthernetHeader);
  std::string text;
  if (type == 0x0800) text = OfIpv4(packet);
  if (type == 0x86dd) text = OfIpv6(packet);
  if (!text.empty()) return text;
  std::string name = absl::StrFormat("type %#06x", type);
  if (type == 0x0806) name = "ARP";
  if (type == 0x0800) name = "IPv4";
  if (type == 0x86dd) name = "IPv6";
  if (type <= 1500) name = "IEEE 802.3";  // a length
  return absl::StrCat(name, " ", Station(frame, kStationBytes), " > ", Station(frame, 0));
}

}  // namespace

std::string StationName(std::span<const uint8_t> address) {
  std::string name;
  for (const uint8_t byte : address) {
    absl::StrAppendFormat(&name, "%s%02x", name.empty() ? "" : ":", byte);
  }
  return name;
}

std::string DescribeFrame(std::string_view frame, size_t columns) {
  constexpr std::string_view kCut = "...";
  std::string text = absl::StrCat(frame.size(), " bytes");
  if (frame.size() >= kEthernetHeader) absl::StrAppend(&text, " ", OfPacket(frame));
  if (text.size() <= columns) return text;
  text.resize(columns - std::min(columns, kCut.size()));
  return text.append(kCut);
}

}  // namespace isochron::replaylog
