#include "replaylog/stream_digest.h"

#include <xxhash.h>

#include "absl/strings/numbers.h"

namespace isochron::replaylog {

std::optional<machine::Digest> ParseDigest(std::string_view text) {
  constexpr size_t kHalf = 16;
  machine::Digest digest;
  const absl::string_view digits(text.data(), text.size());
  if (text.size() != 2 * kHalf || !absl::SimpleHexAtoi(digits.substr(0, kHalf), &digest.high) ||
      !absl::SimpleHexAtoi(digits.substr(kHalf), &digest.low)) {
    return std::nullopt;
  }
  return digest;
}

StreamDigest::StreamDigest() : state_(XXH3_createState()) { XXH3_128bits_reset(state_); }

StreamDigest::~StreamDigest() { XXH3_freeState(state_); }

void StreamDigest::Update(std::string_view bytes) {
  XXH3_128bits_update(state_, bytes.data(), bytes.size());
}

machine::Digest StreamDigest::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_);
  return {hash.low64, hash.high64};
}

}  // namespace isochron::replaylog
