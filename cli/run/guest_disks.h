// The disks of a guest: found before it runs, looked at and perhaps written to behind it.

#ifndef ISOCHRON_CLI_RUN_GUEST_DISKS_H_
#define ISOCHRON_CLI_RUN_GUEST_DISKS_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/run/disk_image.h"
#include "cli/run/disk_option.h"
#include "machine/events/config.h"
#include "machine/events/run_end.h"
#include "machine/machine.h"
#include "replaylog/digest_cache.h"
#include "replaylog/event.h"
#include "replaylog/image_list.h"

namespace isochron::cli {

// What the machine's configuration says of the disks, and what is on them.
struct GuestDisks {
  std::vector<machine::DiskConfig> configs;
  std::vector<std::shared_ptr<DiskImage>> images;
};

// The user's: isochron/digests in $XDG_CACHE_HOME, or in .cache in $HOME. Shows how far the reading
// of a large file is, if standard error is a terminal.
replaylog::DigestCache UserDigests();

// Opens the images that --disk names; adds to `files` what they are.
absl::StatusOr<GuestDisks> OpenNamedDisks(const std::vector<DiskOption>& options,
                                          std::vector<replaylog::ImageFile>& files);

// Says which disk of a log each of the files is, by size and digest. FailedPrecondition names a
// file that is none.
absl::StatusOr<std::vector<replaylog::ImageFile>> RecognizeDisks(
    const std::vector<DiskOption>& options, const replaylog::LogHeader& header);

// Opens those of a log's images that are of disks.
absl::StatusOr<GuestDisks> OpenLogDisks(const replaylog::LogHeader& header,
                                        const std::vector<replaylog::ImageFile>& files);

// Whether the guest has come to an end behind which what it has kept may be used.
bool EndsInOrder(const machine::RunEnd& end);

// Tells of the images that somebody else has changed since they were opened. Returns `exit_code`,
// or, if that is of success, that of bad input.
int CheckDisks(const GuestDisks& disks, int exit_code);

// Behind a run: that, and writes to the images that are to have it what the guest has written, if
// the end is in order and there is no log that could not be completed. Returns `exit_code`, or that
// of an error that has been told.
int FinishDisks(const GuestDisks& disks, const machine::Machine& machine,
                const machine::RunEnd& end, bool log_is_lost, int exit_code);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_GUEST_DISKS_H_
