#include "debug/page.h"

#include "absl/strings/str_format.h"

namespace isochron::debug {

std::string PageString(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    const bool markup = c == '<' || c == '>' || c == '&';
    if (markup || static_cast<uint8_t>(c) < 0x20) {
      absl::StrAppendFormat(&json, "\\u%04x", static_cast<uint8_t>(c));
    } else {
      if (c == '"' || c == '\\') json += '\\';
      json += c;
    }
  }
  return json + '"';
}

std::string FillPage(
    std::string_view page,
    std::initializer_list<std::pair<std::string_view, std::string_view>> marks_and_texts) {
  std::string filled;
  for (const auto& [mark, text] : marks_and_texts) {
    const size_t at = page.find(mark);
    filled.append(page.substr(0, at));
    filled.append(text);
    page.remove_prefix(at + mark.size());
  }
  return filled.append(page);
}

}  // namespace isochron::debug
