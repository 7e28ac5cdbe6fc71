#include "machine/printable.h"

#include <cstddef>

#include "absl/strings/str_format.h"

namespace isochron::machine {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Unicode's control, format and line-separating characters (general categories Cc, Cf, Zl, Zp) that have no shape of
// their own.
constexpr Range kUnprintable[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c},   {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool IsPrintable(uint32_t character) {
  for (const Range& range : kUnprintable) {
    if (character >= range.first && character <= range.last) return false;
  }
  return true;
}

struct Character {
  uint32_t value = 0;
  size_t bytes = 0;  // 0: no UTF-8
};

// The character that `text`, which is not empty, begins with (RFC 3629).
Character DecodeUtf8(std::string_view text) {
  const auto byte = [text](size_t at) { return uint32_t{static_cast<uint8_t>(text[at])}; };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  constexpr struct {
    uint32_t mask, lead, least;
  } kForms[] = {{0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
  for (size_t more = 1; more <= 3; ++more) {
    const auto& form = kForms[more - 1];
    if ((lead & form.mask) != form.lead) continue;
    if (text.size() <= more) return {};
    uint32_t value = lead & ~form.mask;
    for (size_t i = 1; i <= more; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return {};
      value = value << 6 | (byte(i) & 0x3f);
    }
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < form.least || value > 0x10ffff || surrogate) return {};
    return {value, more + 1};
  }
  return {};
}

void AppendPrintable(std::string_view bytes, bool keep_lines, std::string& text) {
  while (!bytes.empty()) {
    const Character character = DecodeUtf8(bytes);
    size_t used = 1;
    if (character.bytes == 0 || character.value < 0x80) {
      const char byte = bytes.front();
      const bool stays = character.bytes == 1 &&
                         (IsPrintable(character.value) || (keep_lines && byte == '\n'));
      text += stays ? std::string(1, byte) : EscapedByte(static_cast<uint8_t>(byte));
    } else {
      used = character.bytes;
      if (IsPrintable(character.value)) {
        text += bytes.substr(0, used);
      } else if (character.value > 0xffff) {
        absl::StrAppendFormat(&text, "\\U%08x", character.value);
      } else {
        absl::StrAppendFormat(&text, "\\u%04x", character.value);
      }
    }
    bytes.remove_prefix(used);
  }
}

}  // namespace

std::string EscapedByte(uint8_t byte) {
  switch (byte) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return absl::StrFormat("\\x%02x", byte);
  }
}

std::string Printable(std::string_view bytes) {
  std::string text;
  AppendPrintable(bytes, false, text);
  return text;
}

std::string PrintableLines(std::string_view bytes) {
  std::string text;
  AppendPrintable(bytes, true, text);
  return text;
}

}  // namespace isochron::machine
