// Which images a log needs and where they are, as text: what sidecars and bundles hold.

#ifndef ISOCHRON_REPLAYLOG_IMAGE_LIST_H_
#define ISOCHRON_REPLAYLOG_IMAGE_LIST_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "replaylog/event.h"
#include "replaylog/file_source.h"

namespace isochron::replaylog {

// An image and where its bytes are.
struct ImageFile {
  ImageRecord record;
  std::string path;
  // Its bytes, if they are at hand already: those of a bundle's member, or of a pipe that has been
  // read. Otherwise they are what the file at `path` holds; if that is a bundle, what its member
  // holds that has this record.
  std::shared_ptr<const FileSource> source;
  // Whether `source` holds the image packed (see packed_image.h).
  bool packed = false;
  // Whether the bytes of `source` are known to have the size and digest of the record.
  bool checked = false;
};

// The list of images that sidecars and bundles hold. Names that are not absolute count from
// `directory`. InvalidArgument names the line.
std::string FormatImageList(const std::vector<ImageFile>& images);
absl::StatusOr<std::vector<ImageFile>> ParseImageList(std::string_view text,
                                                      const std::string& directory);

// Whether a file begins as such a list does.
bool IsImageList(const FileSource& source);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_IMAGE_LIST_H_
