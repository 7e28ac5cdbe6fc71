#include "replaylog/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/system_error.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

// Copies all of `fd` to a new temporary file and returns that, or -1 with errno set.
int CopyToTemporaryFile(int fd) {
  std::FILE* file = std::tmpfile();
  if (file == nullptr) return -1;
  std::string buffer(64 << 10, '\0');
  bool failed = false;
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    failed = size < 0 ||
             std::fwrite(buffer.data(), 1, static_cast<size_t>(size), file) !=
                 static_cast<size_t>(size);
    if (size <= 0 || failed) break;
  }
  failed = failed || std::fflush(file) != 0;
  const int copy = failed ? -1 : fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
  const int error = errno;
  std::fclose(file);
  errno = error;
  return copy;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path;
  int fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                          : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(name);
  struct stat info;
  if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode)) {
    const int copy = CopyToTemporaryFile(fd);
    const int error = errno;
    close(fd);
    errno = error;
    if (copy < 0) return SystemError(name);
    fd = copy;
  }
  if (fstat(fd, &info) != 0) {
    const absl::Status status = SystemError(name);
    close(fd);
    return status;
  }
  return std::unique_ptr<FileSource>(
      new FileSource(fd, path, 0, static_cast<uint64_t>(info.st_size)));
}

std::unique_ptr<FileSource> FileSource::Adopt(int fd, std::string path, uint64_t size) {
  return std::unique_ptr<FileSource>(new FileSource(fd, std::move(path), 0, size));
}

FileSource::FileSource(int fd, std::string path, uint64_t base, uint64_t size)
    : fd_(fd), path_(std::move(path)), base_(base), size_(size) {}

FileSource::~FileSource() { close(fd_); }

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Part(uint64_t offset, uint64_t size) const {
  if (offset > size_ || size > size_ - offset) {
    return absl::OutOfRangeError(absl::StrCat(name(), ": the file breaks off"));
  }
  const int fd = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return SystemError(name());
  return std::unique_ptr<FileSource>(new FileSource(fd, path_, base_ + offset, size));
}

uint64_t FileSource::host_bytes() const {
  struct stat info;
  return fstat(fd_, &info) == 0 ? static_cast<uint64_t>(info.st_blocks) * 512 : size_;
}

absl::Status FileSource::ReadAt(uint64_t offset, size_t size, std::string& bytes) const {
  const uint64_t available = offset < size_ ? size_ - offset : 0;
  bytes.resize(static_cast<size_t>(std::min<uint64_t>(size, available)));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = pread(fd_, bytes.data() + done, bytes.size() - done,
                              static_cast<off_t>(base_ + offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(name());
    if (got == 0) break;  // the file has become shorter
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return absl::OkStatus();
}

absl::Status FileSource::ReadAll(
    const std::function<absl::Status(std::string_view piece)>& take) const {
  std::string buffer;
  for (uint64_t done = 0; done < size_; done += buffer.size()) {
    const size_t piece = static_cast<size_t>(std::min<uint64_t>(size_ - done, kBufferBytes));
    if (absl::Status status = ReadAt(done, piece, buffer); !status.ok()) return status;
    if (buffer.size() != piece) {
      return absl::DataLossError(absl::StrCat(name(), ": the file breaks off"));
    }
    if (absl::Status status = take(buffer); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace isochron::replaylog
