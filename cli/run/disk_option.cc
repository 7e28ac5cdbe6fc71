#include "cli/run/disk_option.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/text/comma_list.h"
#include "replaylog/describe.h"

namespace isochron::cli {
namespace {

using Interface = machine::DiskConfig::Interface;

absl::Status ApplySetting(std::string_view setting, DiskOption& option) {
  constexpr std::string_view kInterface = "interface=";
  constexpr std::string_view kOverlay = "overlay=";
  if (setting == "readonly") {
    option.read_only = true;
    return absl::OkStatus();
  }
  if (setting == "commit") {
    option.commit = true;
    return absl::OkStatus();
  }
  if (setting.starts_with(kOverlay)) {
    option.overlay = setting.substr(kOverlay.size());
    if (!option.overlay.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("overlay= needs the name of a file");
  }
  if (setting.starts_with(kInterface)) {
    const std::string_view name = setting.substr(kInterface.size());
    for (const Interface interface : {Interface::kVirtio, Interface::kIde, Interface::kCdRom}) {
      if (name != replaylog::DiskInterfaceName(interface)) continue;
      option.interface = interface;
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", std::string(setting),
                   "' is not one of interface=virtio, interface=ide, interface=cdrom, readonly, "
                   "commit and overlay=FILE (in a file's name a comma stands twice)"));
}

}  // namespace

absl::StatusOr<DiskOption> ParseDiskOption(std::string_view text) {
  const std::vector<std::string> parts = SplitAtCommas(text);
  DiskOption option;
  option.path = parts.front();
  option.has_settings = parts.size() > 1;
  if (option.path.empty()) return absl::InvalidArgumentError("a disk needs the name of a file");
  for (size_t i = 1; i < parts.size(); ++i) {
    if (absl::Status status = ApplySetting(parts[i], option); !status.ok()) return status;
  }
  if (option.interface == Interface::kCdRom) option.read_only = true;
  if (option.read_only && option.commit) {
    return absl::InvalidArgumentError("readonly leaves nothing to commit");
  }
  if (option.read_only && !option.overlay.empty()) {
    return absl::InvalidArgumentError("readonly leaves nothing to put into an overlay");
  }
  if (option.commit && !option.overlay.empty()) {
    return absl::InvalidArgumentError(
        "what the guest has written goes into the file (commit) or into an overlay, not into both");
  }
  return option;
}

absl::StatusOr<DiskOption> ParseCdRomOption(std::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("a CD-ROM needs the name of a file");
  return DiskOption{.path = std::string(text), .interface = Interface::kCdRom, .read_only = true};
}

}  // namespace isochron::cli
