#include "cli/control/stream_matcher.h"

#include <utility>

namespace isochron::cli {

StreamMatcher::StreamMatcher(std::string pattern)
    : pattern_(std::move(pattern)), borders_(pattern_.size(), 0) {
  size_t length = 0;
  for (size_t i = 1; i < pattern_.size(); ++i) {
    while (length > 0 && pattern_[i] != pattern_[length]) length = borders_[length - 1];
    if (pattern_[i] == pattern_[length]) ++length;
    borders_[i] = length;
  }
}

bool StreamMatcher::Feed(char byte) {
  if (pattern_.empty()) return false;
  while (matched_ > 0 && byte != pattern_[matched_]) matched_ = borders_[matched_ - 1];
  if (byte == pattern_[matched_]) ++matched_;
  if (matched_ < pattern_.size()) return false;
  matched_ = 0;
  return true;
}

}  // namespace isochron::cli
