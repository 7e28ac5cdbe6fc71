#include "cli/quantity.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// All of `text` as an unsigned number; nothing when there is anything else in it or 64 bits do not
// hold it.
std::optional<uint64_t> Digits(std::string_view text, int base) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

absl::StatusOr<uint64_t> ParseScaled(std::string_view text, uint64_t kilo,
                                     std::string_view what) {
  uint64_t scale = 1;
  std::string_view digits = text;
  if (!digits.empty()) {
    switch (digits.back()) {
      case 'k': case 'K': scale = kilo; break;
      case 'm': case 'M': scale = kilo * kilo; break;
      case 'g': case 'G': scale = kilo * kilo * kilo; break;
      default: break;
    }
    if (scale != 1) digits.remove_suffix(1);
  }
  std::optional<uint64_t> value = Digits(digits, 10);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not ", std::string(what),
                     " (digits, perhaps followed by K, M or G)"));
  }
  if (!value.has_value() || *value > std::numeric_limits<uint64_t>::max() / scale) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is too large"));
  }
  return *value * scale;
}

}  // namespace

absl::StatusOr<uint64_t> ParseSize(std::string_view text) {
  return ParseScaled(text, 1024, "a size");
}

absl::StatusOr<uint64_t> ParseCycles(std::string_view text) {
  return ParseScaled(text, 1000, "a number of cycles");
}

absl::StatusOr<uint64_t> ParseNumber(std::string_view text) {
  std::optional<uint64_t> value = text.starts_with("0x") || text.starts_with("0X")
                                      ? Digits(text.substr(2), 16)
                                      : Digits(text, 10);
  if (!value.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not a number from 0 to 2^64-1"));
  }
  return *value;
}

absl::StatusOr<int64_t> ParseDateTime(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  bool fits = text.size() == kShape.size();
  for (size_t i = 0; fits && i < kShape.size(); ++i) {
    fits = kShape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == kShape[i];
  }
  if (fits) {
    auto field = [text](size_t at, size_t size) {
      return static_cast<int>(*Digits(text.substr(at, size), 10));
    };
    const std::chrono::year_month_day date(
        std::chrono::year(field(0, 4)), std::chrono::month(static_cast<unsigned>(field(5, 2))),
        std::chrono::day(static_cast<unsigned>(field(8, 2))));
    const int hour = field(11, 2), minute = field(14, 2), second = field(17, 2);
    if (date.ok() && date.year() >= std::chrono::year(1970) && hour < 24 && minute < 60 &&
        second < 60) {
      const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
      return ((days * 24 + hour) * 60 + minute) * 60 + second;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(text), " is not a date and time (YYYY-MM-DDTHH:MM:SS, from 1970 on)"));
}

}  // namespace isochron::cli
