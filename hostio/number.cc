#include "hostio/number.h"

#include <charconv>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace isochron::hostio {

std::optional<uint64_t> ParseDigits(std::string_view text, int base) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

absl::StatusOr<uint64_t> ParseNumber(std::string_view text) {
  const std::optional<uint64_t> value = text.starts_with("0x") || text.starts_with("0X")
                                            ? ParseDigits(text.substr(2), 16)
                                            : ParseDigits(text, 10);
  if (!value.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(text), "' is not a number from 0 to 2^64-1"));
  }
  return *value;
}

}  // namespace isochron::hostio
