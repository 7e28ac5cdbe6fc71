// A guest that is ready to run, made of what the user gave.

#ifndef ISOCHRON_CLI_RUN_GUEST_H_
#define ISOCHRON_CLI_RUN_GUEST_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/control/script.h"
#include "cli/net/frame_link.h"
#include "cli/run/command_files.h"
#include "cli/run/guest_images.h"
#include "cli/run/nvram_file.h"
#include "cli/run/run_options.h"
#include "cli/run/session.h"
#include "machine/events/config.h"
#include "machine/machine.h"
#include "replaylog/image_set.h"

namespace isochron::cli {

struct Guest {
  std::unique_ptr<FrameLink> network;  // nullptr: nobody is at the other end
  std::unique_ptr<machine::Machine> machine;
  std::unique_ptr<Session> session;
  std::vector<replaylog::ImageFile> images;
  GuestDisks disks;
  CommandFiles files;              // of the whole command
  std::optional<NvramFile> nvram;  // that gets what NVRAM holds at the end
};

// The commands of --script; none without it.
absl::StatusOr<std::vector<ScriptCommand>> LoadScript(const RunOptions& options);

// The configuration of a machine of images and of options that ValidateOptions() has accepted, with
// what their files say: the disks that there are, and what NVRAM holds. InvalidArgument when it is
// that of no machine.
absl::StatusOr<machine::MachineConfig> ConfigOf(const RunOptions& options,
                                                const GuestImages& images);

// Makes a guest of options and images, and of its network, unless that is nullptr. Everything that
// can be wrong with what the user gave is found here, before anything runs. `files` are those of
// the command that have nothing to do with the guest.
absl::StatusOr<Guest> PrepareGuest(const RunOptions& options, GuestImages images,
                                   CommandFiles files, std::unique_ptr<FrameLink> network);
// The same with the images and the network that the options name, and with the NVRAM for what it
// holds at the end.
absl::StatusOr<Guest> PrepareGuest(const RunOptions& options, CommandFiles files);

// Warns of a kernel that will misread the clock chip's year.
void WarnOfClock(const RunOptions& options, const GuestImages& images);

// Tells what is wrong, as one line that starts with "isochron: ", and returns the exit code of bad
// input; of an Internal error, which is the host's, that for such errors.
int RefuseInput(const absl::Status& status);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_GUEST_H_
