#include "hostio/file_stamp.h"

#include <sys/stat.h>

#include "hostio/system_error.h"

namespace isochron::hostio {
namespace {

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileStamp StampOf(const struct stat& info) {
  return {info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size), Nanoseconds(info.st_mtim),
          Nanoseconds(info.st_ctim)};
}

}  // namespace

absl::StatusOr<FileStamp> StampOf(int fd, const std::string& name) {
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError(name);
  return StampOf(info);
}

bool LeadsTo(const std::string& path, const FileStamp& stamp) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && StampOf(info).IsOfSameFile(stamp);
}

}  // namespace isochron::hostio
