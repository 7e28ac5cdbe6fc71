#include "replaylog/pcapng.h"

#include <limits>
#include <string_view>
#include <variant>

#include "absl/strings/str_cat.h"
#include "replaylog/describe.h"

namespace isochron::replaylog {
namespace {

// Types of blocks, and options of each.
constexpr uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kPacket = 6;
constexpr uint16_t kEnd = 0, kComment = 1;
constexpr uint16_t kApplication = 4;                                        // of a section
constexpr uint16_t kName = 2, kStation = 6, kResolution = 9, kOffset = 14;  // of an interface
constexpr uint16_t kFlags = 2;                                              // of a packet

constexpr uint32_t kByteOrder = 0x1a2b3c4d;
constexpr uint16_t kEthernet = 1;
constexpr char kNanoseconds = 9;  // a negative power of ten
constexpr uint32_t kInbound = 1, kOutbound = 2;
constexpr size_t kAlignment = 4;

template <typename T>
void Append(T value, std::string& out) {
  for (size_t i = 0; i < sizeof value; ++i) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  }
}

void Pad(std::string& out) { out.resize((out.size() + kAlignment - 1) / kAlignment * kAlignment); }

void AppendOption(uint16_t code, std::string_view value, std::string& body) {
  Append(code, body);
  Append(static_cast<uint16_t>(value.size()), body);
  body.append(value);
  Pad(body);
}

std::string Block(uint32_t type, const std::string& body) {
  std::string block;
  const auto length = static_cast<uint32_t>(body.size() + 3 * sizeof(uint32_t));
  Append(type, block);
  Append(length, block);
  block += body;
  Append(length, block);
  return block;
}

// Nanoseconds, as far as they can be told.
uint64_t Time(uint64_t cycle, uint64_t clock_hz) {
  const auto ns = static_cast<unsigned __int128>(cycle) * 1'000'000'000 / clock_hz;
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  return ns < kMost ? static_cast<uint64_t>(ns) : kMost;
}

std::string Packet(uint64_t time, uint32_t direction, std::string_view captured, size_t size,
                   const std::string& comment) {
  std::string body;
  Append(uint32_t{0}, body);  // the interface
  Append(static_cast<uint32_t>(time >> 32), body);
  Append(static_cast<uint32_t>(time), body);
  Append(static_cast<uint32_t>(captured.size()), body);
  Append(static_cast<uint32_t>(size), body);
  body.append(captured);
  Pad(body);
  if (!comment.empty()) AppendOption(kComment, comment, body);
  std::string flags;
  Append(direction, flags);
  AppendOption(kFlags, flags, body);
  AppendOption(kEnd, "", body);
  return Block(kPacket, body);
}

}  // namespace

std::string PcapngHead(const LogHeader& header) {
  const machine::NetworkConfig& network = *header.config.network;
  std::string section;
  Append(kByteOrder, section);
  Append(uint16_t{1}, section);  // version 1.0
  Append(uint16_t{0}, section);
  Append(~uint64_t{0}, section);  // bytes of the section: not told
  AppendOption(kApplication, "isochron", section);
  AppendOption(kEnd, "", section);

  std::string interface;
  Append(kEthernet, interface);
  Append(uint16_t{0}, interface);
  Append(static_cast<uint32_t>(machine::kMaxFrame), interface);
  AppendOption(kName, NetworkModelName(network.model), interface);
  AppendOption(kStation, {reinterpret_cast<const char*>(network.mac.data()), network.mac.size()},
               interface);
  AppendOption(kResolution, {&kNanoseconds, 1}, interface);
  std::string offset;
  Append(header.config.rtc_base_seconds, offset);
  AppendOption(kOffset, offset, interface);
  AppendOption(kEnd, "", interface);
  return Block(kSection, section) + Block(kInterface, interface);
}

std::string PcapngPacket(const Event& event, uint64_t clock_hz) {
  const uint64_t time = Time(event.cycle, clock_hz);
  if (const auto* sent = std::get_if<FrameEvent>(&event.body)) {
    const std::string comment =
        sent->bytes.empty() ? absl::StrCat("digest ", sent->digest.ToString()) : "";
    return Packet(time, kOutbound, sent->bytes, sent->size(), comment);
  }
  const auto* input = std::get_if<InputEvent>(&event.body);
  if (input == nullptr || input->input.kind != machine::InputKind::kFrame) return "";
  const std::string& frame = input->input.bytes;
  return Packet(time, kInbound, frame, frame.size(), "");
}

}  // namespace isochron::replaylog
