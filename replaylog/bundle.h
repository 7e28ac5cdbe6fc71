// A log and its images in one file: a tar archive. bundle_writer.h makes it.

#ifndef ISOCHRON_REPLAYLOG_BUNDLE_H_
#define ISOCHRON_REPLAYLOG_BUNDLE_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "replaylog/file_source.h"
#include "replaylog/image_list.h"

namespace isochron::replaylog {

// Names of its first two members. The others are named for what is in them; those that are packed
// end with kPackedSuffix, and older bundles have none.
inline constexpr std::string_view kBundleListName = "isochron-bundle";
inline constexpr std::string_view kBundleLogName = "log";
inline constexpr std::string_view kPackedSuffix = ".zst";

// Whether the file begins as a bundle does. False when it cannot be read.
bool IsBundle(const FileSource& source);

// What is in a bundle.
struct Bundle {
  std::unique_ptr<FileSource> log;
  std::vector<ImageFile> images;  // each with its source
};

// Reads the directory of a bundle. Digests are those that the bundle's own list gives;
// MatchImages() checks them. InvalidArgument or DataLoss, naming file and byte.
absl::StatusOr<Bundle> ReadBundle(const FileSource& source);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_BUNDLE_H_
