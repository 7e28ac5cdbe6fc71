// The bytes of a file, wherever one wants them.

#ifndef ISOCHRON_REPLAYLOG_FILE_SOURCE_H_
#define ISOCHRON_REPLAYLOG_FILE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hostio/file.h"
#include "hostio/file_stamp.h"

namespace isochron::replaylog {

// Bytes that lie over those of a file.
class FileLayer {
 public:
  virtual ~FileLayer() = default;
  // Replaces, in bytes of the file from `offset` on, those that it has others for. From any thread.
  virtual absl::Status Apply(uint64_t offset, std::span<uint8_t> bytes) const = 0;
};

// A file, or a range of one, for reading. Its size is what it was when it was opened.
class FileSource {
 public:
  // Opens the file at `path`; "-" is standard input. A pipe, which cannot be read at any offset, is
  // first copied to its end into a temporary file without a name. Errors name the path:
  // FailedPrecondition for a device, InvalidArgument for a directory, OutOfRange when more than
  // `pipe_limit` bytes come from a pipe, otherwise what the operating system says.
  static absl::StatusOr<std::unique_ptr<FileSource>> Open(
      const std::string& path, uint64_t pipe_limit = hostio::PipeLimit());
  // The same for a regular file alone (FailedPrecondition): `what` says in the message what is to
  // be there. For names that are somebody else's.
  static absl::StatusOr<std::unique_ptr<FileSource>> OpenRegular(const std::string& path,
                                                                 std::string_view what);
  // The regular file `fd`, which the source will close, of `size` bytes; `path` is what it is
  // called.
  static std::unique_ptr<FileSource> Adopt(int fd, std::string path, uint64_t size);

  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  // The `size` bytes from `offset` as a source of their own. OutOfRange when there are not that
  // many.
  absl::StatusOr<std::unique_ptr<FileSource>> Part(uint64_t offset, uint64_t size) const;

  // The same bytes as a source of their own, but for those that `layer` has others for. It is not
  // whole.
  absl::StatusOr<std::unique_ptr<FileSource>> Under(std::shared_ptr<const FileLayer> layer) const;

  // As it was opened: a path, or "-".
  const std::string& path() const { return path_; }
  // For messages.
  std::string name() const { return path_ == "-" ? "standard input" : path_; }
  uint64_t size() const { return size_; }
  // Room that the file takes on the host, bytes: less than its size where it has holes.
  uint64_t host_bytes() const;

  // What tells whether the file has been changed.
  absl::StatusOr<hostio::FileStamp> Stamp() const { return hostio::StampOf(file_.fd(), name()); }
  // Whether this is all that the file had when it was opened.
  bool is_whole() const { return whole_; }
  // For writing into the file: see hostio::OpenToUpdate().
  absl::StatusOr<hostio::Descriptor> OpenToUpdate() const {
    return hostio::OpenToUpdate(path_, file_.fd());
  }
  // Tells others that the file is in use until it is closed: with `alone` nobody else may have it,
  // otherwise nobody may have it alone. FailedPrecondition when somebody has it in another way.
  absl::Status Share(bool alone) const;

  // Fills `bytes` from `offset`. Unavailable when the file cannot be read, DataLoss when it has
  // become shorter.
  absl::Status Fill(uint64_t offset, std::span<uint8_t> bytes) const;

  // Replaces `bytes` by `size` bytes from `offset`, fewer where the source ends. Unavailable when
  // the file cannot be read.
  absl::Status ReadAt(uint64_t offset, size_t size, std::string& bytes) const;

  // Gives all bytes to `take`, in order and in pieces of bounded size, until it returns an error,
  // which is returned. Errors also as of ReadAt(), and DataLoss when the file has become shorter.
  absl::Status ReadAll(const std::function<absl::Status(std::string_view piece)>& take) const;

 private:
  // `size` bytes of the file from `base`.
  FileSource(hostio::Descriptor file, std::string path, uint64_t base, uint64_t size, bool whole)
      : file_(std::move(file)), path_(std::move(path)), base_(base), size_(size), whole_(whole) {}
  // Reads up to `size` bytes; fewer where the file ends.
  absl::StatusOr<size_t> Get(uint64_t offset, char* bytes, size_t size) const;
  absl::Status BreaksOff() const;
  // All of a file.
  static absl::StatusOr<std::unique_ptr<FileSource>> Whole(hostio::Descriptor file,
                                                           const std::string& path);

  const hostio::Descriptor file_;
  const std::string path_;
  const uint64_t base_;
  const uint64_t size_;
  const bool whole_;
  std::shared_ptr<const FileLayer> layer_;  // nullptr: none
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_FILE_SOURCE_H_
