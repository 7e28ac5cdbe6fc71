#include "hostio/quantity.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hostio/number.h"

namespace isochron::hostio {
namespace {

std::string Quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

absl::StatusOr<uint64_t> ParseDecimal(std::string_view text, size_t digits, uint64_t scale,
                                      const Wording& wording) {
  const std::string_view number = text.substr(0, digits);
  const size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  const bool is_number = !whole.empty() && AllDigits(whole) && AllDigits(fraction) &&
                         fraction.empty() == (point == number.size());
  if (!is_number) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not ", std::string(wording.what),
                     " (digits, perhaps followed by ", std::string(wording.suffixes), ")"));
  }
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  const std::optional<uint64_t> units = ParseDigits(whole, 10);
  if (!units.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is too large"));
  }
  constexpr size_t kMaxFraction = 18;  // digits that 64 bits hold
  unsigned __int128 part = 0;
  unsigned __int128 denominator = 1;
  for (const char digit : fraction.substr(0, kMaxFraction)) {
    part = part * 10 + scale * static_cast<uint64_t>(digit - '0');
    denominator *= 10;
  }
  if (fraction.size() > kMaxFraction || part % denominator != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is not a whole number of ", std::string(wording.unit)));
  }
  const unsigned __int128 value =
      static_cast<unsigned __int128>(*units) * scale + part / denominator;
  if (value > std::numeric_limits<uint64_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is too large"));
  }
  return static_cast<uint64_t>(value);
}

absl::StatusOr<uint64_t> ParseScaled(std::string_view text, uint64_t kilo, const Wording& wording) {
  uint64_t scale = 1;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K': scale = kilo; break;
      case 'm':
      case 'M': scale = kilo * kilo; break;
      case 'g':
      case 'G': scale = kilo * kilo * kilo; break;
      default: break;
    }
  }
  return ParseDecimal(text, text.size() - (scale != 1 ? 1 : 0), scale, wording);
}

absl::StatusOr<uint64_t> ParseSize(std::string_view text) {
  return ParseScaled(text, 1024, {"a size", "K, M or G", "bytes"});
}

absl::StatusOr<uint64_t> ParseCycles(std::string_view text) {
  return ParseScaled(text, 1000, {"a number of cycles", "K, M or G", "cycles"});
}

absl::StatusOr<int64_t> ParseDateTime(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  bool fits = text.size() == kShape.size();
  for (size_t i = 0; fits && i < kShape.size(); ++i) {
    fits = kShape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == kShape[i];
  }
  if (fits) {
    auto field = [text](size_t at, size_t size) {
      return static_cast<int>(*ParseDigits(text.substr(at, size), 10));
    };
    const std::chrono::year_month_day date(std::chrono::year(field(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(field(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(field(8, 2))));
    const int hour = field(11, 2), minute = field(14, 2), second = field(17, 2);
    if (date.ok() && date.year() >= std::chrono::year(1970) && hour < 24 && minute < 60 &&
        second < 60) {
      const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
      return ((days * 24 + hour) * 60 + minute) * 60 + second;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " is not a date and time (YYYY-MM-DDTHH:MM:SS, from 1970 on)"));
}

}  // namespace isochron::hostio
