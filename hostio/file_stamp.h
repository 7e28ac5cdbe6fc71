// Whether a file is as it was.

#ifndef ISOCHRON_HOSTIO_FILE_STAMP_H_
#define ISOCHRON_HOSTIO_FILE_STAMP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace isochron::hostio {

// What changes when a file does.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;     // bytes
  int64_t modified = 0;  // nanoseconds since 1970
  int64_t changed = 0;   // of contents or anything else about it, likewise

  // Whether the other is of this file, changed or not.
  bool IsOfSameFile(const FileStamp& other) const {
    return device == other.device && inode == other.inode;
  }
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Of an open file. Errors name it `name`.
absl::StatusOr<FileStamp> StampOf(int fd, const std::string& name);

// Whether `path`, also by way of symbolic links, leads to the file of that stamp, changed or not.
bool LeadsTo(const std::string& path, const FileStamp& stamp);

}  // namespace isochron::hostio

#endif  // ISOCHRON_HOSTIO_FILE_STAMP_H_
