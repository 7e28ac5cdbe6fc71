// The image of a disk: a file of the host.

#ifndef ISOCHRON_CLI_RUN_DISK_IMAGE_H_
#define ISOCHRON_CLI_RUN_DISK_IMAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hostio/file.h"
#include "hostio/file_stamp.h"
#include "machine/disks/block_tree.h"
#include "machine/disks/disk_contents.h"
#include "replaylog/digest_cache.h"
#include "replaylog/disk_overlay.h"
#include "replaylog/file_source.h"

namespace isochron::cli {

// Reads what the machine asks for and nothing else, and notices when the file changes meanwhile.
class DiskImage final : public machine::DiskContents {
 public:
  // Of the file that `source` has open and shares, whose digest is known. With `writable` for
  // Commit(): then the source has it alone. Errors are those of FileSource::OpenToUpdate().
  static absl::StatusOr<std::shared_ptr<DiskImage>> Open(
      std::shared_ptr<const replaylog::FileSource> source, bool writable);
  // Of what an overlay shows, whose bytes `source` has; for Extend().
  static absl::StatusOr<std::shared_ptr<DiskImage>> Open(
      std::shared_ptr<const replaylog::FileSource> source,
      std::shared_ptr<replaylog::DiskOverlay> overlay);

  uint64_t size() const override { return source_->size(); }
  // From any thread.
  absl::Status Read(uint64_t offset, std::span<uint8_t> bytes) const override;

  bool writable() const { return writable_.fd() >= 0; }
  bool has_overlay() const { return overlay_ != nullptr; }
  std::string name() const { return source_->name(); }
  // Of the file that Commit() or Extend() writes to.
  std::string written_name() const { return has_overlay() ? overlay_->path() : name(); }

  // FailedPrecondition when the file is not as it was when it was opened; it says whether what
  // machines have read is.
  absl::Status CheckUnchanged() const;

  // Writes to the file what the guest has written, and waits until it is on the disk. The file has
  // been changed then, also where an error is returned.
  absl::Status Commit(const machine::BlockTree& written);

  // Has the overlay keep what the guest has written: see DiskOverlay::Append().
  absl::Status Extend(const machine::BlockTree& written, const replaylog::DigestCache& digests);

 private:
  // What is known of the pieces takes 64 MiB at most.
  static constexpr size_t kMaxPieces = 1 << 20;

  struct Piece {
    size_t size = 0;  // bytes
    uint64_t hash = 0;
  };

  DiskImage(std::shared_ptr<const replaylog::FileSource> source, hostio::Descriptor writable,
            const hostio::FileStamp& stamp)
      : source_(std::move(source)), writable_(std::move(writable)), stamp_(stamp) {}

  absl::Status Write(uint64_t offset, const uint8_t* bytes, uint64_t size);
  // In no time where the file system has holes.
  absl::Status WriteZeros(uint64_t offset, uint64_t size);
  // How many of the pieces read are other ones now.
  size_t ChangedPieces() const;

  const std::shared_ptr<const replaylog::FileSource> source_;
  const hostio::Descriptor writable_;
  const hostio::FileStamp stamp_;
  std::shared_ptr<replaylog::DiskOverlay> overlay_;  // nullptr: none
  mutable std::mutex mutex_;
  mutable std::map<uint64_t, Piece> read_;  // by offset: the largest of each
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_DISK_IMAGE_H_
