#include "machine/devices/network/ethernet.h"

namespace isochron::machine {
namespace {

constexpr std::array<uint32_t, 256> CrcTable() {
  constexpr uint32_t kPolynomial = 0xedb88320;  // of IEEE 802.3, the highest power last
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kPolynomial : crc >> 1;
    table[byte] = crc;
  }
  return table;
}

}  // namespace

uint32_t EthernetCrc(std::span<const uint8_t> bytes) {
  static constexpr std::array<uint32_t, 256> kTable = CrcTable();
  uint32_t crc = ~uint32_t{0};
  for (const uint8_t byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ byte) & 0xff];
  return ~crc;
}

}  // namespace isochron::machine
