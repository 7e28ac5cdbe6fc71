#include "hostio/escape.h"

#include <charconv>
#include <cstdint>
#include <system_error>

namespace isochron::hostio {

absl::Status TakeEscape(std::string_view& rest, std::string& text) {
  const char kind = rest.empty() ? '\0' : rest[0];
  size_t used = 1;
  switch (kind) {
    case 'n': text.push_back('\n'); break;
    case 'r': text.push_back('\r'); break;
    case 't': text.push_back('\t'); break;
    case 'e': text.push_back('\x1b'); break;
    case '\\':
    case '"': text.push_back(kind); break;
    case 'x': {
      uint8_t value = 0;
      const std::string_view digits = rest.substr(1, 2);
      auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
        return absl::InvalidArgumentError("\\x needs two hexadecimal digits");
      }
      text.push_back(static_cast<char>(value));
      used = 3;
      break;
    }
    case '^': {
      const char key = rest.size() > 1 ? rest[1] : '\0';
      const char upper = key >= 'a' && key <= 'z' ? static_cast<char>(key - 0x20) : key;
      if (upper != '?' && (upper < '@' || upper > '_')) {
        return absl::InvalidArgumentError("\\^ needs a letter or one of @ [ \\ ] ^ _ ?");
      }
      text.push_back(static_cast<char>(upper ^ 0x40));
      used = 2;
      break;
    }
    default:
      return absl::InvalidArgumentError(
          "unknown escape; there are \\n \\r \\t \\e \\\\ \\\" \\xHH \\^C");
  }
  rest.remove_prefix(used);
  return absl::OkStatus();
}

}  // namespace isochron::hostio
