#include "replaylog/stream_digest.h"

#include <xxhash.h>

namespace isochron::replaylog {

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
