// Finds a text in a stream.

#ifndef ISOCHRON_CLI_CONTROL_STREAM_MATCHER_H_
#define ISOCHRON_CLI_CONTROL_STREAM_MATCHER_H_

#include <cstddef>
#include <string>
#include <vector>

namespace isochron::cli {

// Knuth, Morris and Pratt's search, a byte at a time: constant work a byte on average and no
// memory of the stream.
class StreamMatcher {
 public:
  // Matches nothing until given a pattern.
  StreamMatcher() = default;
  // `pattern` must not be empty.
  explicit StreamMatcher(std::string pattern);

  // True when `byte` completes a first occurrence; the search then starts afresh.
  bool Feed(char byte);

 private:
  std::string pattern_;
  // borders_[i]: length of the longest proper prefix of the pattern that is also a suffix of
  // its first i + 1 bytes.
  std::vector<size_t> borders_;
  size_t matched_ = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_STREAM_MATCHER_H_
