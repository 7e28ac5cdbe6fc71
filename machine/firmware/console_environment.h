// The console's environment as it is kept beyond a run.

#ifndef ISOCHRON_MACHINE_FIRMWARE_CONSOLE_ENVIRONMENT_H_
#define ISOCHRON_MACHINE_FIRMWARE_CONSOLE_ENVIRONMENT_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/firmware/console_layout.h"

namespace isochron::machine {

// What NVRAM holds: values by number (0 is unused), and nothing for what has its default.
//
// As text, which docs/firmware.md defines: a heading, then a line NAME=VALUE each, in which a
// backslash stands before a backslash and, with two hexadecimal digits (\xhh), for a byte that is
// no printable character of ASCII. Empty text is an empty environment.
struct ConsoleEnvironment {
  // Bytes that the slots of all variables take in guest memory.
  static constexpr size_t kSlotBytes = size_t{CONSOLE_ENV_COUNT} * CONSOLE_ENV_SLOT;

  std::array<std::optional<std::string>, CONSOLE_ENV_COUNT> values;

  // InvalidArgument names the line.
  static absl::StatusOr<ConsoleEnvironment> Parse(std::string_view text);
  std::string Format() const;

  // From the slots in guest memory, without what the console sets by itself at each boot.
  // InvalidArgument when a value is longer than its slot.
  static absl::StatusOr<ConsoleEnvironment> FromSlots(std::string_view slots);

  friend bool operator==(const ConsoleEnvironment&, const ConsoleEnvironment&) = default;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_CONSOLE_ENVIRONMENT_H_
