// The digest of bytes that come in pieces.

#ifndef ISOCHRON_REPLAYLOG_STREAM_DIGEST_H_
#define ISOCHRON_REPLAYLOG_STREAM_DIGEST_H_

#include <optional>
#include <string_view>

#include "machine/events/digest.h"

struct XXH3_state_s;

namespace isochron::replaylog {

// What Digest::ToString() makes; nothing for other text.
std::optional<machine::Digest> ParseDigest(std::string_view text);

// XXH3-128: for the same bytes the same as machine::DigestOf().
class StreamDigest {
 public:
  StreamDigest();
  ~StreamDigest();
  StreamDigest(const StreamDigest&) = delete;
  StreamDigest& operator=(const StreamDigest&) = delete;

  void Update(std::string_view bytes);
  // Of all bytes so far.
  machine::Digest digest() const;

 private:
  XXH3_state_s* state_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_STREAM_DIGEST_H_
