// Finds a regular expression in a stream.

#ifndef ISOCHRON_CLI_CONTROL_REGEX_MATCHER_H_
#define ISOCHRON_CLI_CONTROL_REGEX_MATCHER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "absl/status/statusor.h"

namespace isochron::cli {

// Searches a stream for the first place at which a match ends, whatever the stream goes on with:
// "a+" ends at the first "a", and "\b" or "$" behind a word need the byte that follows. So the
// place is the same however the stream is cut into pieces. Time is linear in the stream.
//
// The syntax is RE2's, in UTF-8, with "^" and "$" at line breaks. Carriage returns are left out of
// what is searched. A match of more than kLongest bytes may be missed.
class RegexMatcher {
 public:
  static constexpr size_t kLongest = 4096;

  // InvalidArgument with one line that says what is wrong with `pattern`; also when it matches the
  // empty text, which is everywhere.
  static absl::StatusOr<RegexMatcher> Create(std::string_view pattern, bool ignore_case);

  // Begins a new search. `before`: the byte before the stream, "\n" at its very beginning.
  void Start(char before);

  // Searches on. Returns how many of the bytes it takes to complete the first match; nothing when
  // there is none so far. After a match Start() must come first.
  std::optional<size_t> Feed(std::string_view bytes);

  // After a match: its text, then those of the groups in the pattern, nothing for one that has no
  // part in it.
  std::vector<std::optional<std::string>> Groups() const;

 private:
  explicit RegexMatcher(std::shared_ptr<const re2::RE2> regex) : regex_(std::move(regex)) {
    Start('\n');
  }

  // Whether a match ends in the first `size` bytes of the window, whatever follows them.
  bool MatchesWithin(size_t size);

  std::shared_ptr<const re2::RE2> regex_;
  std::string window_;  // what the search looks at; the first byte is only its context
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_CONTROL_REGEX_MATCHER_H_
