#include "cli/control/regex_matcher.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::StatusOr<RegexMatcher> RegexMatcher::Create(std::string_view pattern, bool ignore_case) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compile = [&options](const std::string& text) {
    return std::make_shared<const re2::RE2>(Piece(text), options);
  };
  // First as it was written, so that an error is about that.
  std::shared_ptr<const re2::RE2> regex = compile(std::string(pattern));
  if (regex->ok()) {
    regex = compile(absl::StrCat(ignore_case ? "(?mi:" : "(?m:", std::string(pattern), ")"));
  }
  if (!regex->ok()) {
    return absl::InvalidArgumentError(absl::StrCat("bad regular expression: ", regex->error()));
  }
  if (regex->Match("", 0, 0, re2::RE2::UNANCHORED, nullptr, 0)) {
    return absl::InvalidArgumentError("the regular expression matches the empty text");
  }
  return RegexMatcher(std::move(regex));
}

void RegexMatcher::Start(char before) { window_.assign(1, before); }

bool RegexMatcher::MatchesWithin(size_t size) {
  const bool at_end = size == window_.size();
  if (at_end) window_.push_back(' ');
  const char next = window_[size];
  bool matches = true;
  // A word goes on, or it ends: what is true with both is true whatever comes.
  for (const char follower : {' ', 'a'}) {
    window_[size] = follower;
    matches = matches && regex_->Match(Piece(std::string_view(window_).substr(0, size + 1)), 1,
                                       size, re2::RE2::UNANCHORED, nullptr, 0);
  }
  window_[size] = next;
  if (at_end) window_.pop_back();
  return matches;
}

std::optional<size_t> RegexMatcher::Feed(std::string_view bytes) {
  for (size_t fed = 0; fed < bytes.size();) {
    // Where the window begins is a function of the stream alone.
    if (window_.size() > 2 * kLongest) window_.erase(0, kLongest);
    const size_t before = window_.size();
    std::vector<size_t> counts;  // of bytes, up to each of those that are new in the window
    while (fed < bytes.size() && window_.size() <= 2 * kLongest) {
      const char byte = bytes[fed++];
      if (byte == '\r') continue;
      window_.push_back(byte);
      counts.push_back(fed);
    }
    if (counts.empty() || !MatchesWithin(window_.size())) continue;
    // What matches within a text matches within a longer one.
    size_t low = 0;
    size_t high = counts.size() - 1;
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (MatchesWithin(before + middle + 1)) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    window_.resize(before + low + 1);
    return counts[low];
  }
  return std::nullopt;
}

std::vector<std::optional<std::string>> RegexMatcher::Groups() const {
  std::vector<re2::StringPiece> pieces(1 + regex_->NumberOfCapturingGroups());
  const std::string text = window_ + ' ';
  if (!regex_->Match(Piece(text), 1, window_.size(), re2::RE2::UNANCHORED, pieces.data(),
                     static_cast<int>(pieces.size()))) {
    return {};
  }
  std::vector<std::optional<std::string>> groups;
  for (const re2::StringPiece& piece : pieces) {
    groups.push_back(piece.data() == nullptr
                         ? std::nullopt
                         : std::make_optional(std::string(piece.data(), piece.size())));
  }
  return groups;
}

}  // namespace isochron::cli
