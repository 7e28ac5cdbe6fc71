// What --boot tells.

#ifndef ISOCHRON_CLI_RUN_BOOT_OPTION_H_
#define ISOCHRON_CLI_RUN_BOOT_OPTION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace isochron::cli {

struct BootOption {
  uint32_t disk = 0;
  std::string flags;  // all behind the first colon
};

// diskN[:FLAGS]. InvalidArgument says what is wrong.
absl::StatusOr<BootOption> ParseBootOption(std::string_view text);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_BOOT_OPTION_H_
