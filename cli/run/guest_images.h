// The files that a guest boots from, known to logs by their digests.

#ifndef ISOCHRON_CLI_RUN_GUEST_IMAGES_H_
#define ISOCHRON_CLI_RUN_GUEST_IMAGES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/run/guest_disks.h"
#include "cli/run/run_options.h"
#include "machine/machine.h"
#include "replaylog/event.h"
#include "replaylog/image_set.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {

struct GuestImages {
  machine::BootImages boot;
  // Where they came from and what the files were, by ascending role.
  std::vector<replaylog::ImageFile> files;
  GuestDisks disks;

  // Makes these the disks, here and among what is booted.
  void PutDisks(GuestDisks opened);
};

// Reads or opens the images that --kernel, --initrd and --disk name. Errors name the file.
absl::StatusOr<GuestImages> LoadNamedImages(const RunOptions& options);

// Finds the images of the log at `path`: those that `options` name, the others in its bundle or
// by its sidecar. Each is checked against the log's digests. Errors name the file and both
// digests, or say what is missing and how to give it.
absl::StatusOr<std::vector<replaylog::ImageFile>> FindLogImages(const replaylog::LogReader& log,
                                                                const std::string& path,
                                                                const RunOptions& options);

// Reads what FindLogImages() finds.
absl::StatusOr<GuestImages> LoadLogImages(const replaylog::LogReader& log, const std::string& path,
                                          const RunOptions& options);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_GUEST_IMAGES_H_
