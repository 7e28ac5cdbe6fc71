// Text files of lines that are a word and hexadecimal numbers.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_TEXT_LINES_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_TEXT_LINES_H_

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace isochron::conformance {

// Gives each line behind the first, which must be `magic`, to `take`: its word and its numbers. '#' starts a comment, and lines
// with nothing else are left out. InvalidArgument, naming the line, when it has no such form or `take` returns false.
absl::Status ParseLines(
    std::string_view text, std::string_view magic,
    const std::function<bool(std::string_view key, const std::vector<uint64_t>& numbers)>& take);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_TEXT_LINES_H_
