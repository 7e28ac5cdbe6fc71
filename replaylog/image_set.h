// The files that a log needs for replay, and the sidecar that names them.

#ifndef ISOCHRON_REPLAYLOG_IMAGE_SET_H_
#define ISOCHRON_REPLAYLOG_IMAGE_SET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/digest_cache.h"
#include "replaylog/event.h"
#include "replaylog/file_source.h"
#include "replaylog/image_list.h"
#include "replaylog/output_file.h"

namespace isochron::replaylog {

// Digest and size of a file, whose bytes pass through a small buffer. Errors are those of
// FileSource::Open().
absl::StatusOr<ImageFile> DescribeImageFile(const std::string& path, ImageRecord::Role role,
                                            uint64_t pipe_limit = hostio::PipeLimit());
// The same of an image of a disk, a regular file of whole sectors, at least one: otherwise
// FailedPrecondition or InvalidArgument. A large one's digest comes from `digests`.
// Before it is read it is shared, or had alone: see FileSource::Share().
absl::StatusOr<ImageFile> DescribeDiskImage(const std::string& path, ImageRecord::Role role,
                                            bool alone, const DigestCache& digests = DigestCache());

// The path of a log's sidecar: `log`.images, or for `log` = F.partial: F.images.
std::string SidecarPath(const std::string& log);
// Writes the sidecar of the log at `log`, with absolute names, replacing it in one step. What came
// through standard input has no name and is left out. Refuses (FailedPrecondition) to replace what
// is no regular file, and to name an image that nobody could open again, such as another pipe.
absl::Status WriteSidecar(const std::string& log, const std::vector<ImageFile>& images);
// The first half of that: what is left to do is the result's Commit(), or Discard().
absl::StatusOr<std::unique_ptr<OutputFile>> PrepareSidecar(const std::string& log,
                                                           const std::vector<ImageFile>& images);
// NotFound when there is none, FailedPrecondition when it is no regular file; InvalidArgument names
// file and line. Names that are not absolute count from the sidecar's directory. The images are
// neither opened nor checked.
absl::StatusOr<std::vector<ImageFile>> ReadSidecar(const std::string& log);
// The same of the list at `path`.
absl::StatusOr<std::vector<ImageFile>> ReadImageList(const std::string& path);

// Finds for each image of the header the file among `files` of the same role and checks its size,
// and its digest by reading it. FailedPrecondition names the file with both sizes or both digests,
// the role that is missing, or what OpenImage() refuses. The result is in the order of the header.
absl::StatusOr<std::vector<ImageFile>> MatchImages(const LogHeader& header,
                                                   const std::vector<ImageFile>& files,
                                                   const DigestCache& digests = DigestCache());

// The bytes of an image, unpacked. FailedPrecondition when it has no source and its path names no
// regular file; of a packed one, what UnpackImage() says.
// The file of a disk may also be an overlay that has, for one of its generations, the digest of the
// record: the bytes are those of the disk then, and errors those of DiskOverlay::OpenGeneration().
absl::StatusOr<std::shared_ptr<const FileSource>> OpenImage(
    const ImageFile& image, const DigestCache& digests = DigestCache());

// What a reader says when an image's bytes are not those of its record.
absl::Status ImageHasChanged(const ImageFile& image);

// The bytes of an image, checked against its record. At most 1 GiB (hostio::kMaxImageBytes).
absl::StatusOr<std::string> ReadImage(const ImageFile& image);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_IMAGE_SET_H_
