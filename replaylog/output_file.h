// A file that appears under its name when it is whole.

#ifndef ISOCHRON_REPLAYLOG_OUTPUT_FILE_H_
#define ISOCHRON_REPLAYLOG_OUTPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hostio/file.h"

namespace isochron::replaylog {

// The name that a file has until it is whole: `path`.partial.
std::string PartialPath(const std::string& path);

// The name that the file at `path` will have when it is whole: `path` without ".partial".
std::string WithoutPartial(const std::string& path);

// Whether `path` is "-" (standard output) or names something that is no regular file, such as a
// pipe, a device or a directory. What does not exist yet will be a regular file.
bool IsSpecialFile(const std::string& path);

// A file being written as PartialPath(path). An existing file at `path` stays what it is until
// Commit() replaces it; a partial one, which a killed writer left, is begun anew. When `path` is a
// special file, bytes go straight there.
class OutputFile {
 public:
  // Errors name the file: AlreadyExists when another process writes it, otherwise what the
  // operating system says.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  // Without Commit() the partial file stays.
  ~OutputFile() = default;

  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Appends all of `bytes`. After an error the file holds what earlier calls wrote and no more,
  // where that can be had. Aborted when somebody else has changed or deleted the file. The caller
  // sees to it that SIGPIPE and SIGXFSZ kill nobody.
  absl::Status Write(std::string_view bytes);

  // Replaces bytes that have been written, from `offset` on; there are that many.
  // FailedPrecondition when they went straight to a pipe or a device.
  absl::Status Overwrite(uint64_t offset, std::string_view bytes);

  // Waits until the bytes are on the disk, so that Commit() has little left to wait for.
  absl::Status Sync();

  // Waits until the bytes are on the disk, gives the file its name and waits for that, too. Aborted
  // also when somebody has put another file in the partial one's place.
  absl::Status Commit();

  // Appends what has been written so far to another file. FailedPrecondition when the bytes went
  // straight to a pipe or a device.
  absl::Status CopyTo(OutputFile& other) const;

  // Deletes the partial file, unless somebody has put another in its place.
  void Discard();

  // Commit() if all that was to be in the file has gone well; Discard() if not, or if that fails.
  // Returns the first error.
  absl::Status Finish(absl::Status so_far);

  uint64_t size() const { return size_; }

 private:
  OutputFile(hostio::Descriptor file, std::string path, bool direct)
      : file_(std::move(file)), path_(std::move(path)), direct_(direct) {}

  static constexpr uint64_t kWritebackStep = 4 << 20;  // bytes

  // Has the disk begin with what has been written, so that Sync() has less to wait for.
  void BeginWriteback();
  // Aborted when the file is not what Write() has made it.
  absl::Status CheckUntouched() const;
  // What is being written, for messages.
  std::string WrittenPath() const { return direct_ ? path_ : PartialPath(path_); }

  const hostio::Descriptor file_;
  const std::string path_;
  const bool direct_;  // bytes go straight to the name
  uint64_t size_ = 0;
  uint64_t begun_ = 0;  // bytes that the disk has been told to write
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_OUTPUT_FILE_H_
