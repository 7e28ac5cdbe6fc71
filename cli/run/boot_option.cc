#include "cli/run/boot_option.h"

#include "absl/strings/str_cat.h"
#include "machine/events/config.h"

namespace isochron::cli {

absl::StatusOr<BootOption> ParseBootOption(std::string_view text) {
  constexpr std::string_view kDisk = "disk";
  const size_t colon = text.find(':');
  const std::string_view device = text.substr(0, colon);
  BootOption option;
  if (colon != std::string_view::npos) option.flags = text.substr(colon + 1);
  const bool is_disk = device.size() == kDisk.size() + 1 && device.starts_with(kDisk) &&
                       device.back() >= '0' &&
                       device.back() < '0' + static_cast<int>(machine::MachineConfig::kMaxDisks);
  if (!is_disk) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", std::string(device), "' is none of disk0 to disk",
                     machine::MachineConfig::kMaxDisks - 1, " (flags stand behind a colon)"));
  }
  option.disk = static_cast<uint32_t>(device.back() - '0');
  if (option.flags.size() > machine::MachineConfig::kMaxCommandLine) {
    return absl::InvalidArgumentError(
        absl::StrCat("the flags have ", option.flags.size(), " bytes; at most ",
                     machine::MachineConfig::kMaxCommandLine, " fit"));
  }
  return option;
}

}  // namespace isochron::cli
