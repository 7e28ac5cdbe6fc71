// The settings behind the engine's name.

#include <bit>
#include <charconv>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "jit/engine.h"
#include "ref/lookaside.h"

namespace isochron::jit {
namespace {

absl::Status Unknown(std::string_view setting) {
  return absl::InvalidArgumentError(
      absl::StrCat("engine jit has no setting '", std::string(setting),
                   "'; there are cache=BYTES, lookaside=N, threshold=N, host=none and "
                   "perf-map=FILE"));
}

// A decimal number with an optional K or M.
absl::StatusOr<uint64_t> ParseCount(std::string_view setting, std::string_view text, uint64_t least,
                                    uint64_t most) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  const int shift = unit == "K" ? 10 : unit == "M" ? 20 : 0;
  const bool valid = error == std::errc() && (unit.empty() || shift != 0) && value <= most;
  if (!valid || value << shift < least || value << shift > most) {
    return absl::InvalidArgumentError(absl::StrCat("engine jit: '", std::string(setting),
                                                   "' is not a number from ", least, " to ", most));
  }
  return value << shift;
}

absl::Status Apply(std::string_view setting, Options& options) {
  const size_t equals = setting.find('=');
  if (equals == setting.npos) return Unknown(setting);
  const std::string_view name = setting.substr(0, equals);
  const std::string_view value = setting.substr(equals + 1);
  absl::StatusOr<uint64_t> count = uint64_t{0};
  if (name == "cache") {
    count = ParseCount(setting, value, Options::kMinCodeBytes, Options::kMaxCodeBytes);
    if (count.ok()) options.code_bytes = *count;
  } else if (name == "lookaside") {
    count = ParseCount(setting, value, 2, ref::DataLookaside::kMaxEntries);
    if (count.ok() && !std::has_single_bit(*count)) {
      return absl::InvalidArgumentError(
          absl::StrCat("engine jit: '", std::string(setting), "' is not a power of two"));
    }
    if (count.ok()) options.lookaside_entries = static_cast<uint32_t>(*count);
  } else if (name == "threshold") {
    count = ParseCount(setting, value, 1, 1'000'000);
    if (count.ok()) options.threshold = static_cast<uint32_t>(*count);
  } else if (name == "host" && value == "none") {
    options.features = HostFeatures{};
  } else if (name == "perf-map" && !value.empty()) {
    options.perf_map = std::string(value);
  } else {
    return Unknown(setting);
  }
  return count.status();
}

}  // namespace

absl::StatusOr<Options> ParseOptions(std::string_view text) {
  Options options;
  std::set<std::string_view> names;
  while (!text.empty()) {
    if (text.front() != ':') return Unknown(text);
    text.remove_prefix(1);
    const std::string_view setting = text.substr(0, text.find(':'));
    if (!names.insert(setting.substr(0, setting.find('='))).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("engine jit: '", std::string(setting), "' is a setting given twice"));
    }
    if (absl::Status status = Apply(setting, options); !status.ok()) return status;
    text.remove_prefix(setting.size());
  }
  return options;
}

}  // namespace isochron::jit
