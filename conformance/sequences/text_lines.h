// Text files of lines that are a word and hexadecimal numbers.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_TEXT_LINES_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_TEXT_LINES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace isochron::conformance {

// Gives each line behind the first, which must be `magic`, to `take`: its word and its numbers. '#'
// starts a comment, and lines with nothing else are left out. InvalidArgument, naming the line,
// when it has no such form or `take` returns false.
absl::Status ParseLines(
    std::string_view text, std::string_view magic,
    const std::function<bool(std::string_view key, const std::vector<uint64_t>& numbers)>& take);

// For a function that visits fields, which are one number each, with their words: puts the number
// of a line into the field of its word.
struct NumberTaker {
  std::string_view key;
  const std::vector<uint64_t>& numbers;
  bool taken = false;  // there is such a field, and the line is one number that it can hold

  template <typename T>
  void operator()(std::string_view name, T& field) {
    if (name != key || numbers.size() != 1) return;
    field = static_cast<T>(numbers[0]);
    taken = field == numbers[0];
  }
};

// And the other way.
struct NumberWriter {
  std::string& text;

  void operator()(std::string_view name, uint64_t value) const {
    absl::StrAppendFormat(&text, "%s %x\n", std::string(name), value);
  }
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_TEXT_LINES_H_
