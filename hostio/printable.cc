#include "hostio/printable.h"

#include <cstddef>

#include "absl/strings/str_format.h"

namespace isochron::hostio {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Unicode's control, format and line-separating characters (general categories Cc, Cf, Zl, Zp) that
// have no shape of their own.
constexpr Range kUnprintable[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x061c, 0x061c},   {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool IsPrintable(uint32_t character) {
  for (const Range& range : kUnprintable) {
    if (character >= range.first && character <= range.last) return false;
  }
  return true;
}

void AppendPrintable(std::string_view bytes, bool keep_lines, std::string& text) {
  while (!bytes.empty()) {
    const Utf8Character character = DecodeUtf8(bytes);
    size_t used = 1;
    if (!character.valid || character.value < 0x80) {
      const char byte = bytes.front();
      const bool stays =
          character.valid && (IsPrintable(character.value) || (keep_lines && byte == '\n'));
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

Utf8Character DecodeUtf8(std::string_view text) {
  const auto byte = [text](size_t at) { return uint32_t{static_cast<uint8_t>(text[at])}; };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  if (lead < 0xc2 || lead > 0xf4) return {};
  const size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  uint32_t value = lead & (0x7fu >> size);
  for (size_t at = 1; at < size; ++at) {
    // Of the second byte, some values would make an overlong form, a surrogate or what is past
    // U+10FFFF.
    const uint32_t least = at == 1 && lead == 0xe0 ? 0xa0 : at == 1 && lead == 0xf0 ? 0x90 : 0x80;
    const uint32_t most = at == 1 && lead == 0xed ? 0x9f : at == 1 && lead == 0xf4 ? 0x8f : 0xbf;
    if (at == text.size() || byte(at) < least || byte(at) > most) return {0, at, false};
    value = value << 6 | (byte(at) & 0x3f);
  }
  return {value, size, true};
}

std::string EscapedByte(uint8_t byte) {
  switch (byte) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return absl::StrFormat("\\x%02x", byte);
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

std::string PrintableMarkup(std::string_view text) {
  std::string escaped;
  for (const char c : PrintableLines(text)) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

}  // namespace isochron::hostio
