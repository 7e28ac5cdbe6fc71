#include "machine/devices/tulip/serial_rom.h"

#include <algorithm>
#include <span>

#include "machine/devices/network/ethernet.h"

namespace isochron::machine {
namespace {

// A command is a start bit, two bits of operation and the address, six bits.
constexpr uint32_t kRomCommandBits = 9, kRomOperationShift = 6, kRomAddressMask = 0x3f;
constexpr uint32_t kRomRead = 2;
constexpr uint32_t kRomWordBits = 16;

constexpr size_t kRomBytes = 2 * SerialRom::kWords;

// CRC-8 with polynomial x^8 + x^2 + x + 1 of what stands before byte 16: words, the most
// significant bit first, and the upper half of the one that holds the checksum.
uint8_t IdentityChecksum(std::span<const uint8_t, kRomBytes> rom) {
  constexpr size_t kChecksumByte = 16;
  uint8_t crc = 0xff;
  for (size_t i = 0; i <= kChecksumByte; ++i) {
    crc = static_cast<uint8_t>(crc ^ rom[i ^ 1]);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint8_t>((crc & 0x80) != 0 ? crc << 1 ^ 0x07 : crc << 1);
    }
  }
  return crc;
}

}  // namespace

void SerialRom::Reset() { BitWalk::Reset(); }

void SerialRom::Drive(bool select, bool clock, bool data) {
  if (!select) Reset();
  if (Rises(clock) && select) Step(data);
}

void SerialRom::Step(bool data) {
  if (bits_ == 0 && !data) return;
  if (bits_ < kRomCommandBits) {
    Shift(data);
    if (++bits_ < kRomCommandBits) return;
  }
  if ((shift_ >> kRomOperationShift & 3) != kRomRead) return;
  // A zero with the last bit of the address, and then words, one after the other.
  const uint32_t out = bits_ - kRomCommandBits;
  output_ = false;
  if (bits_ > kRomCommandBits) {
    const uint32_t word = (shift_ + (out - 1) / kRomWordBits) & kRomAddressMask;
    output_ = (words_[word] >> (kRomWordBits - 1 - (out - 1) % kRomWordBits) & 1) != 0;
  }
  // Of the counter all that matters is where in which word it is.
  constexpr uint32_t kAround = kRomCommandBits + 1 + kRomWordBits * static_cast<uint32_t>(kWords);
  bits_ = bits_ + 1 == kAround ? kRomCommandBits + 1 : bits_ + 1;
}

SerialRom::Words CardRom(const StationAddress& mac, uint16_t subsystem_vendor, uint16_t subsystem) {
  constexpr size_t kChecksum = 126, kIdentityChecksum = 16, kAddress = 20, kLeafPointer = 27;
  constexpr uint8_t kLeaf = 30;
  std::array<uint8_t, kRomBytes> rom{};
  rom[0] = static_cast<uint8_t>(subsystem_vendor);
  rom[1] = static_cast<uint8_t>(subsystem_vendor >> 8);
  rom[2] = static_cast<uint8_t>(subsystem);
  rom[3] = static_cast<uint8_t>(subsystem >> 8);
  rom[18] = 4;  // version of the format
  rom[19] = 1;  // controllers
  std::ranges::copy(mac, rom.begin() + kAddress);
  rom[kLeafPointer] = kLeaf;
  constexpr std::array<uint8_t, 17> kMedia = {
      0x00,      0x08,        // the medium is found by sensing
      0x01,                   // one block
      0x80 | 13, 0x03,        // its length, type 3: a transceiver on the MII of a 21143
      0x00,      0x00, 0x00,  // the first transceiver, nothing to be set up, nothing to reset
      0x00,      0x78,        // what it can do, as its status register tells it
      0xe0,      0x01,        // what is advertised: 10 and 100 Mb/s, both half and full duplex
      0x00,      0x50,        // which of them are full duplex
      0x00,      0x18,        // with which of them CSR6<TTM> is set
      0x00,                   // no interrupt when it is unplugged
  };
  std::ranges::copy(kMedia, rom.begin() + kLeaf);
  rom[kIdentityChecksum] = IdentityChecksum(rom);
  const uint32_t crc = EthernetCrc(std::span(rom).first(kChecksum));
  rom[kChecksum] = static_cast<uint8_t>(crc);
  rom[kChecksum + 1] = static_cast<uint8_t>(crc >> 8);
  SerialRom::Words words;
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<uint16_t>(rom[2 * i] | rom[2 * i + 1] << 8);
  }
  return words;
}

}  // namespace isochron::machine
