// Images as bundles hold them: compressed.

#ifndef ISOCHRON_REPLAYLOG_PACKED_IMAGE_H_
#define ISOCHRON_REPLAYLOG_PACKED_IMAGE_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "hostio/image_file.h"
#include "machine/events/digest.h"
#include "replaylog/file_source.h"

namespace isochron::replaylog {

// An image packed, in a temporary file without a name, and what was packed.
struct PackedImage {
  std::unique_ptr<FileSource> packed;
  machine::Digest digest;  // of the image
  uint64_t size = 0;       // of the image, bytes
};

// Compresses an image to one zstd frame. The bytes are equal for equal images and versions of the
// library, on every host. Errors name the image.
absl::StatusOr<PackedImage> PackImage(const FileSource& image);

// Unpacks an image of `size` bytes to a temporary file without a name, in which long runs of zeros
// take no room. InvalidArgument when that is more than `most`, DataLoss when it has another size or
// is damaged; with the name of `packed`. Memory in use is a few MiB.
absl::StatusOr<std::unique_ptr<FileSource>> UnpackImage(const FileSource& packed, uint64_t size,
                                                        uint64_t most = hostio::kMaxImageBytes);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_PACKED_IMAGE_H_
