#include "replaylog/codings.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kDigestBytes = 16;

}  // namespace

void AppendDigest(const machine::Digest& digest, std::string& out) {
  for (uint64_t half : {digest.high, digest.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(half >> shift));
  }
}

bool ConsumeDigest(std::string_view& bytes, machine::Digest& digest) {
  if (bytes.size() < kDigestBytes) return false;
  for (uint64_t* half : {&digest.high, &digest.low}) {
    *half = 0;
    for (int i = 0; i < 8; ++i) *half = *half << 8 | static_cast<uint8_t>(bytes[i]);
    bytes.remove_prefix(8);
  }
  return true;
}

bool ConsumeCounted(std::string_view& bytes, std::string_view& counted) {
  uint64_t size = 0;
  if (!ConsumeVarint(bytes, size) || size > bytes.size()) return false;
  counted = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace isochron::replaylog
