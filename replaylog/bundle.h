// A log and its images in one file: a tar archive.

#ifndef ISOCHRON_REPLAYLOG_BUNDLE_H_
#define ISOCHRON_REPLAYLOG_BUNDLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/image_set.h"
#include "replaylog/log_source.h"

namespace isochron::replaylog {

// Packs the log at `log` and its images, which MatchImages() returned, to `bundle`. The bytes
// depend on log and images alone. The file appears at its name when it is whole. Errors name the
// file.
absl::Status WriteBundle(const std::string& log, const std::vector<ImageFile>& images,
                         const std::string& bundle);

// Whether the file begins as a bundle does. False when it cannot be read.
bool IsBundle(const LogSource& source);
bool IsBundle(const std::string& path);

// Where things are in a bundle.
struct Bundle {
  uint64_t log_offset = 0;
  uint64_t log_bytes = 0;
  std::vector<ImageFile> images;
};

// Reads the directory of a bundle. Digests are those that the bundle's own list gives; MatchImages()
// checks them. InvalidArgument or DataLoss, naming file and byte.
absl::StatusOr<Bundle> ReadBundle(const LogSource& source);
absl::StatusOr<Bundle> OpenBundle(const std::string& path);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_BUNDLE_H_
