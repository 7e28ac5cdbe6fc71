// A log and its images in one file: a tar archive.

#ifndef ISOCHRON_REPLAYLOG_BUNDLE_H_
#define ISOCHRON_REPLAYLOG_BUNDLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/file_source.h"
#include "replaylog/image_set.h"

namespace isochron::replaylog {

// Packs a log and its images, which MatchImages() returned, to `bundle`. The bytes depend on log and
// images alone. The file appears at its name when it is whole. Errors name the file;
// FailedPrecondition when an image's bytes are no longer those of its record.
absl::Status WriteBundle(const FileSource& log, const std::vector<ImageFile>& images,
                         const std::string& bundle);

// Whether the file begins as a bundle does. False when it cannot be read.
bool IsBundle(const FileSource& source);

// What is in a bundle.
struct Bundle {
  std::unique_ptr<FileSource> log;
  std::vector<ImageFile> images;  // each with its source
};

// Reads the directory of a bundle. Digests are those that the bundle's own list gives; MatchImages()
// checks them. InvalidArgument or DataLoss, naming file and byte.
absl::StatusOr<Bundle> ReadBundle(const FileSource& source);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_BUNDLE_H_
