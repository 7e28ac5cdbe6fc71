#include "replaylog/varint.h"

namespace isochron::replaylog {

void AppendVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

bool ConsumeVarint(std::string_view& bytes, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < bytes.size() && i < kMaxVarintBytes; ++i) {
    const uint8_t byte = static_cast<uint8_t>(bytes[i]);
    const uint64_t digit = byte & 0x7f;
    const bool last_possible = i == kMaxVarintBytes - 1;
    if (last_possible && digit > 1) return false;  // bits 64 and up
    value |= digit << (7 * i);
    if ((byte & 0x80) == 0) {
      if (byte == 0 && i != 0) return false;  // a shorter encoding exists
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace isochron::replaylog
