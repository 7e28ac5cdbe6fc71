// Digests of large files, kept from one run to the next.

#ifndef ISOCHRON_REPLAYLOG_DIGEST_CACHE_H_
#define ISOCHRON_REPLAYLOG_DIGEST_CACHE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "machine/events/digest.h"
#include "replaylog/file_source.h"

namespace isochron::replaylog {

// Told from time to time, and at the end, how many bytes of a large file have been read.
using DigestProgress = std::function<void(const FileSource& source, uint64_t done)>;

// A folder with a small file for each large one whose digest has been computed. Who finds the same
// file there, by device, inode, size and dates, need not read it again.
class DigestCache {
 public:
  // Files of fewer bytes are read each time.
  static constexpr uint64_t kLeastBytes = uint64_t{16} << 20;

  // In `folder`, which need not exist. Empty: nothing is kept.
  explicit DigestCache(std::string folder = "", DigestProgress progress = nullptr)
      : folder_(std::move(folder)), progress_(std::move(progress)) {}

  // The digest of all bytes. Whatever is wrong with the folder, the file is read then. Errors are
  // those of reading the file, and FailedPrecondition when a large one has changed meanwhile.
  absl::StatusOr<machine::Digest> DigestOf(const FileSource& source) const;

 private:
  absl::StatusOr<machine::Digest> ReadDigest(const FileSource& source) const;

  const std::string folder_;
  const DigestProgress progress_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_DIGEST_CACHE_H_
