// A file that keeps what guests have written to a disk, over an image that stays as it was:
// docs/disk-overlay.md.

#ifndef ISOCHRON_REPLAYLOG_DISK_OVERLAY_H_
#define ISOCHRON_REPLAYLOG_DISK_OVERLAY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hostio/file.h"
#include "machine/events/digest.h"
#include "replaylog/digest_cache.h"
#include "replaylog/file_source.h"
#include "replaylog/overlay_format.h"

namespace isochron::replaylog {

// An overlay grows by a generation at the end of each run that has written something, and changes
// nothing that it had: a disk can be seen as any of its generations left it.
class DiskOverlay {
 public:
  // Blocks behind each other: one with its bytes, or `count` of zeros with nullptr.
  struct Run {
    uint64_t first = 0;
    uint64_t count = 0;
    const uint8_t* bytes = nullptr;
  };
  using TakeRun = std::function<void(const Run& run)>;
  // Gives all runs, ascending and without overlap; as often as it is called.
  using GiveRuns = std::function<void(const TakeRun& take)>;

  // Opens the overlay at `path` to be extended, or makes an empty one there, for an image; nobody
  // else may use it meanwhile. FailedPrecondition when it is another image's or somebody has it,
  // InvalidArgument when it is no overlay or damaged, otherwise what the operating system says.
  static absl::StatusOr<std::shared_ptr<DiskOverlay>> OpenToExtend(const std::string& path,
                                                                   const OverlayBase& base);
  // Whether a file begins as an overlay does.
  static bool IsOverlay(const FileSource& file);
  // The disk as the generation left it that has this digest; NotFound when `file`, an overlay,
  // has none that does. Opens the image that the overlay names, checks it, and shares both.
  static absl::StatusOr<std::shared_ptr<const FileSource>> OpenGeneration(
      std::shared_ptr<const FileSource> file, const machine::Digest& digest,
      const DigestCache& digests);

  ~DiskOverlay();
  DiskOverlay(const DiskOverlay&) = delete;
  DiskOverlay& operator=(const DiskOverlay&) = delete;

  const std::string& path() const { return file_->path(); }
  // The digest of the disk as the last generation left it: of the image when there is none.
  const machine::Digest& digest() const;
  // The disk as the last generation read has left it, over its image.
  absl::StatusOr<std::unique_ptr<FileSource>> Over(const FileSource& image) const;

  // Adds a generation of what has been written to Over(image), and waits until it is on the disk.
  // The digest of the whole disk is computed on the way, as `digests` does. After an error the
  // overlay is what it was; Aborted when its name leads to another file.
  absl::Status Append(const GiveRuns& written, const FileSource& image, const DigestCache& digests);

 private:
  DiskOverlay(std::shared_ptr<const FileSource> file, OverlayBase base)
      : file_(std::move(file)), base_(std::move(base)) {}

  // Reads the generations up to the one of `last`, or all.
  absl::Status ReadGenerations(const std::optional<machine::Digest>& last);
  absl::Status Write(uint64_t offset, const void* bytes, size_t size);
  absl::StatusOr<OverlayIndex> WriteBlocks(const GiveRuns& written, uint64_t at);
  absl::Status WriteGeneration(const GiveRuns& written, const FileSource& image,
                               const DigestCache& digests);

  const std::shared_ptr<const FileSource> file_;
  const OverlayBase base_;
  hostio::Descriptor writable_;
  bool is_new_ = false;  // and goes away again if nothing is put into it
  std::vector<machine::Digest> generations_;
  std::shared_ptr<const OverlayMap> map_;
  uint64_t end_ = 0;  // of the last generation
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_DISK_OVERLAY_H_
