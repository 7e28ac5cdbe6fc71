#include "machine/firmware/console_environment.h"

#include <cstdint>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace isochron::machine {
namespace {

constexpr std::string_view kHeading = "isochron-nvram 1";

struct Variable {
  uint64_t id;
  std::string_view name;
};
// Those that are not read-only, and BOOT_DEV, which each boot sets.
constexpr Variable kKept[] = {
    {CONSOLE_ENV_AUTO_ACTION, "auto_action"},   {CONSOLE_ENV_BOOTDEF_DEV, "bootdef_dev"},
    {CONSOLE_ENV_BOOT_FILE, "boot_file"},       {CONSOLE_ENV_BOOT_OSFLAGS, "boot_osflags"},
    {CONSOLE_ENV_BOOT_RESET, "boot_reset"},     {CONSOLE_ENV_DUMP_DEV, "dump_dev"},
    {CONSOLE_ENV_ENABLE_AUDIT, "enable_audit"}, {CONSOLE_ENV_CHAR_SET, "char_set"},
    {CONSOLE_ENV_LANGUAGE, "language"},
};

absl::Status Wrong(size_t line, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", std::string(what)));
}

std::string Escape(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c >= ' ' && c < 0x7f) {
      text += c;
    } else {
      absl::StrAppendFormat(&text, "\\x%02x", static_cast<uint8_t>(c));
    }
  }
  return text;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Nothing when it is not as Escape() makes it.
std::optional<std::string> Unescape(std::string_view text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      if (text[i] < ' ' || text[i] >= 0x7f) return std::nullopt;
      value += text[i];
    } else if (text.substr(i).starts_with("\\\\")) {
      value += '\\';
      ++i;
    } else {
      if (text.size() - i < 4 || text[i + 1] != 'x') return std::nullopt;
      const int high = HexDigit(text[i + 2]);
      const int low = HexDigit(text[i + 3]);
      if (high < 0 || low < 0) return std::nullopt;
      value += static_cast<char>(high << 4 | low);
      i += 3;
    }
  }
  return value;
}

absl::Status ParseVariable(std::string_view line, size_t number, ConsoleEnvironment& environment) {
  const size_t sign = line.find('=');
  if (sign == std::string_view::npos) return Wrong(number, "expected NAME=VALUE");
  const std::string_view name = line.substr(0, sign);
  for (const Variable& variable : kKept) {
    if (variable.name != name) continue;
    std::optional<std::string>& place = environment.values[variable.id];
    if (place.has_value()) {
      return Wrong(number, absl::StrCat(std::string(name), " has a value already"));
    }
    place = Unescape(line.substr(sign + 1));
    if (!place.has_value()) {
      return Wrong(number, "what is no printable character stands as \\xhh, a backslash twice");
    }
    if (place->size() > CONSOLE_ENV_MAX_LENGTH) {
      return Wrong(number, absl::StrCat("a value has at most ", CONSOLE_ENV_MAX_LENGTH, " bytes"));
    }
    return absl::OkStatus();
  }
  return Wrong(number,
               absl::StrCat("'", absl::CHexEscape(absl::string_view(name.data(), name.size())),
                            "' is no variable that is kept"));
}

}  // namespace

absl::StatusOr<ConsoleEnvironment> ConsoleEnvironment::Parse(std::string_view text) {
  ConsoleEnvironment environment;
  if (text.empty()) return environment;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return Wrong(number, "the line does not end");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (number == 1) {
      if (line != kHeading) return Wrong(number, "this is no NVRAM of isochron");
      continue;
    }
    absl::Status status = ParseVariable(line, number, environment);
    if (!status.ok()) return status;
  }
  return environment;
}

std::string ConsoleEnvironment::Format() const {
  std::string text = absl::StrCat(std::string(kHeading), "\n");
  for (const Variable& variable : kKept) {
    const std::optional<std::string>& value = values[variable.id];
    if (!value.has_value()) continue;
    absl::StrAppend(&text, std::string(variable.name), "=", Escape(*value), "\n");
  }
  return text;
}

absl::StatusOr<ConsoleEnvironment> ConsoleEnvironment::FromSlots(std::string_view slots) {
  ConsoleEnvironment environment;
  if (slots.size() != kSlotBytes) return absl::InvalidArgumentError("not all slots are there");
  for (const Variable& variable : kKept) {
    const std::string_view slot = slots.substr(variable.id * CONSOLE_ENV_SLOT, CONSOLE_ENV_SLOT);
    uint64_t length = 0;
    std::memcpy(&length, slot.data(), sizeof length);
    if (length > CONSOLE_ENV_MAX_LENGTH) {
      return absl::InvalidArgumentError("a value is longer than its slot");
    }
    environment.values[variable.id] = slot.substr(sizeof length, length);
  }
  return environment;
}

}  // namespace isochron::machine
