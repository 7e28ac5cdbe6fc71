#include "debug/gdb/packet_reader.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace isochron::debug {
namespace {

constexpr char kEscape = '}';
constexpr char kEscapeBit = 0x20;
constexpr char kDigits[] = "0123456789abcdef";

// -1 when it is no digit.
int DigitValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

void PacketReader::Feed(std::string_view bytes) {
  for (const char byte : bytes) Take(byte);
}

std::optional<ClientItem> PacketReader::Next() {
  if (items_.empty()) return std::nullopt;
  ClientItem item = std::move(items_.front());
  items_.pop_front();
  return item;
}

void PacketReader::Take(char byte) {
  switch (state_) {
    case State::kBetween: return TakeBetween(byte);
    case State::kPayload: return TakePayload(byte);
    case State::kFirstDigit:
      first_digit_ = DigitValue(byte);
      state_ = State::kSecondDigit;
      return;
    case State::kSecondDigit: {
      const int second_digit = DigitValue(byte);
      const bool digits = first_digit_ >= 0 && second_digit >= 0;
      return Complete(digits ? first_digit_ * 16 + second_digit : -1);
    }
  }
}

void PacketReader::TakeBetween(char byte) {
  switch (byte) {
    case '$': return Begin();
    case '+': return Add(ClientItem::Kind::kAcknowledge);
    case '-': return Add(ClientItem::Kind::kRepeat);
    case '\x03': return Add(ClientItem::Kind::kInterrupt);
    default: return;
  }
}

void PacketReader::TakePayload(char byte) {
  if (byte == '$') return Begin();  // whoever sent the last one gave up
  if (byte == '#') {
    state_ = State::kFirstDigit;
    return;
  }
  sum_ = static_cast<uint8_t>(sum_ + static_cast<uint8_t>(byte));
  if (++length_ > kMaxPacket) {
    payload_.clear();
    return;
  }
  if (!escaped_ && byte == kEscape) {
    escaped_ = true;
    return;
  }
  payload_.push_back(escaped_ ? static_cast<char>(byte ^ kEscapeBit) : byte);
  escaped_ = false;
}

void PacketReader::Begin() {
  state_ = State::kPayload;
  payload_.clear();
  length_ = 0;
  sum_ = 0;
  escaped_ = false;
}

void PacketReader::Complete(int checksum) {
  state_ = State::kBetween;
  if (length_ > kMaxPacket) return Add(ClientItem::Kind::kTooLong);
  if (checksum != sum_ || escaped_) return Add(ClientItem::Kind::kDamaged);
  Add(ClientItem::Kind::kPacket, std::exchange(payload_, {}));
}

void PacketReader::Add(ClientItem::Kind kind, std::string payload) {
  // Nobody looks at acknowledgements but as at the last of them.
  if (kind == ClientItem::Kind::kAcknowledge && !items_.empty() && items_.back().kind == kind) {
    return;
  }
  items_.push_back({kind, std::move(payload)});
}

std::string FramePacket(std::string_view payload) {
  std::string packet = "$";
  uint8_t sum = 0;
  const auto add = [&](char byte) {
    packet.push_back(byte);
    sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(byte));
  };
  for (const char byte : payload) {
    const bool escape = byte == '#' || byte == '$' || byte == kEscape || byte == '*';
    if (escape) add(kEscape);
    add(escape ? static_cast<char>(byte ^ kEscapeBit) : byte);
  }
  packet.push_back('#');
  packet.push_back(kDigits[sum >> 4]);
  packet.push_back(kDigits[sum & 15]);
  return packet;
}

std::string ToHex(std::string_view bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

std::optional<std::string> FromHex(std::string_view digits) {
  if (digits.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = DigitValue(digits[i]);
    const int low = DigitValue(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::optional<uint64_t> TakeHexNumber(std::string_view& text) {
  uint64_t number = 0;
  size_t digits = 0;
  for (; digits < text.size() && DigitValue(text[digits]) >= 0; ++digits) {
    if (number >> 60 != 0) return std::nullopt;
    number = number << 4 | static_cast<uint64_t>(DigitValue(text[digits]));
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

}  // namespace isochron::debug
