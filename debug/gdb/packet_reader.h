// Packets of the GDB remote serial protocol: from bytes to packets, and back.

#ifndef ISOCHRON_DEBUG_GDB_PACKET_READER_H_
#define ISOCHRON_DEBUG_GDB_PACKET_READER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace isochron::debug {

// What a client has sent: a packet, or a byte between packets that means something.
struct ClientItem {
  enum class Kind : uint8_t {
    kPacket,       // whole, its checksum right
    kAcknowledge,  // '+'
    kRepeat,       // '-': send the last packet again
    kInterrupt,    // Ctrl-C
    kDamaged,      // a packet with a wrong checksum: ask for it again
    kTooLong,      // a packet of more than kMaxPacket bytes; nothing of it is kept
  };
  Kind kind = Kind::kPacket;
  std::string payload;  // of a packet, escapes undone

  friend bool operator==(const ClientItem&, const ClientItem&) = default;
};

// Takes what a client sends, in pieces of any size, apart. Whatever the bytes are, it keeps no more
// of them than a packet may have; those between packets that mean nothing are dropped, and a '$',
// which no packet holds, always begins a packet.
class PacketReader {
 public:
  // Bytes of a packet between '$' and '#', as they are sent.
  static constexpr size_t kMaxPacket = 0x4000;

  void Feed(std::string_view bytes);
  // The next item that is complete; nothing when more bytes are needed.
  std::optional<ClientItem> Next();

 private:
  enum class State : uint8_t { kBetween, kPayload, kFirstDigit, kSecondDigit };

  void Take(char byte);
  void TakeBetween(char byte);
  void TakePayload(char byte);
  void Begin();
  // The packet is complete, with this checksum sent.
  void Complete(int checksum);
  void Add(ClientItem::Kind kind, std::string payload = "");

  State state_ = State::kBetween;
  std::string payload_;  // of the packet that is coming in
  size_t length_ = 0;    // of it as it is sent
  uint8_t sum_ = 0;
  bool escaped_ = false;
  int first_digit_ = 0;  // -1: none
  std::deque<ClientItem> items_;
};

// A packet as it is sent.
std::string FramePacket(std::string_view payload);

// Two lower case digits a byte.
std::string ToHex(std::string_view bytes);
// Nothing when it is no even number of digits.
std::optional<std::string> FromHex(std::string_view digits);
// A number in hexadecimal digits, as the protocol has addresses and lengths: takes the digits off
// the front of `text`. Nothing when there are none, or more than a quadword has.
std::optional<uint64_t> TakeHexNumber(std::string_view& text);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_GDB_PACKET_READER_H_
