#include "conformance/sequences/text_lines.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace isochron::conformance {
namespace {

// Words and numbers of a line; false when a number is no number.
bool SplitLine(std::string_view line, std::string_view& key, std::vector<uint64_t>& numbers) {
  std::vector<std::string_view> parts;
  while (!line.empty()) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start == line.npos) break;
    line.remove_prefix(start);
    const size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    parts.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  if (parts.empty()) return true;
  key = parts.front();
  for (size_t i = 1; i < parts.size(); ++i) {
    uint64_t value = 0;
    const char* last = parts[i].data() + parts[i].size();
    const auto result = std::from_chars(parts[i].data(), last, value, 16);
    if (result.ec != std::errc() || result.ptr != last) return false;
    numbers.push_back(value);
  }
  return true;
}

}  // namespace

absl::Status ParseLines(
    std::string_view text, std::string_view magic,
    const std::function<bool(std::string_view key, const std::vector<uint64_t>& numbers)>& take) {
  int line_number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (++line_number == 1) {
      if (line == magic) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "this is no regression file: its first line is not '", std::string(magic), "'"));
    }
    line = line.substr(0, line.find('#'));
    std::string_view key;
    std::vector<uint64_t> numbers;
    const bool numbers_ok = SplitLine(line, key, numbers);
    if (key.empty()) continue;
    if (!numbers_ok || !take(key, numbers)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", line_number, ": '", std::string(line), "' makes no sense"));
    }
  }
  if (line_number == 0) return absl::InvalidArgumentError("the regression file is empty");
  return absl::OkStatus();
}

}  // namespace isochron::conformance
