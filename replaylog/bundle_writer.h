// Packing a log and its images into one file.

#ifndef ISOCHRON_REPLAYLOG_BUNDLE_WRITER_H_
#define ISOCHRON_REPLAYLOG_BUNDLE_WRITER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "replaylog/file_source.h"
#include "replaylog/image_list.h"

namespace isochron::replaylog {

// Packs a log and its images, which MatchImages() returned, to `bundle`. The bytes depend on log
// and images alone. The file appears at its name when it is whole. Errors name the file;
// FailedPrecondition when an image's bytes are no longer those of its record.
absl::Status WriteBundle(const FileSource& log, const std::vector<ImageFile>& images,
                         const std::string& bundle);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_BUNDLE_WRITER_H_
