// The network of a guest, as the options name it.

#ifndef ISOCHRON_CLI_RUN_GUEST_NETWORK_H_
#define ISOCHRON_CLI_RUN_GUEST_NETWORK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cli/net/frame_link.h"
#include "cli/run/run_options.h"

namespace isochron::cli {

// Opens the back end that --net asks for; nullptr without one. To be called before there are
// threads, since that may be a process. InvalidArgument when the user named what cannot be had,
// Internal when the host fails.
absl::StatusOr<std::unique_ptr<FrameLink>> OpenNetwork(const RunOptions& options);

// What --stats tells of it; a line that ends in "\n".
std::string NetworkStats(const FrameLink::Counts& counts);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_GUEST_NETWORK_H_
