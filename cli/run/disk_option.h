// What --disk gives.

#ifndef ISOCHRON_CLI_RUN_DISK_OPTION_H_
#define ISOCHRON_CLI_RUN_DISK_OPTION_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "machine/events/config.h"

namespace isochron::cli {

struct DiskOption {
  std::string path;
  machine::DiskConfig::Interface interface = machine::DiskConfig::Interface::kVirtio;
  bool read_only = false;
  bool has_settings = false;  // some were given
  bool commit = false;        // what the guest has written goes into the file at an orderly end
  std::string overlay = {};   // or into this one, which keeps it; empty: none
};

// FILE[,interface=virtio|ide|cdrom][,readonly][,commit][,overlay=FILE]; in FILE a comma stands
// twice.
// InvalidArgument says what is wrong.
absl::StatusOr<DiskOption> ParseDiskOption(std::string_view text);

// The name of an image of a CD-ROM, as it is.
absl::StatusOr<DiskOption> ParseCdRomOption(std::string_view text);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_DISK_OPTION_H_
