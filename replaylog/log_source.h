// The bytes of a file, wherever one wants them.

#ifndef ISOCHRON_REPLAYLOG_LOG_SOURCE_H_
#define ISOCHRON_REPLAYLOG_LOG_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace isochron::replaylog {

// A file, or a range of one, for reading. Its size is what it was when it was opened.
class LogSource {
 public:
  // Opens the file at `path`; "-" is standard input. What cannot be read at any offset (a pipe, a
  // terminal) is first copied to its end into a temporary file without a name. Errors name
  // the path.
  static absl::StatusOr<std::unique_ptr<LogSource>> Open(const std::string& path);
  ~LogSource();

  LogSource(const LogSource&) = delete;
  LogSource& operator=(const LogSource&) = delete;

  // Restricts the source to `size` bytes from `offset`. OutOfRange when the file has not that many.
  absl::Status Narrow(uint64_t offset, uint64_t size);

  // For messages.
  const std::string& name() const { return name_; }
  uint64_t size() const { return size_; }

  // Replaces `bytes` by `size` bytes from `offset`, fewer where the source ends. Unavailable when
  // the file cannot be read.
  absl::Status ReadAt(uint64_t offset, size_t size, std::string& bytes) const;

 private:
  LogSource(int fd, std::string name, uint64_t size);

  const int fd_;
  const std::string name_;
  uint64_t base_ = 0;
  uint64_t size_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_LOG_SOURCE_H_
