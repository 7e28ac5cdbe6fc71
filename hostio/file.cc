#include "hostio/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hostio/file_stamp.h"
#include "hostio/system_error.h"

namespace isochron::hostio {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr int kOpenFlags = O_CLOEXEC | O_NOCTTY;

// Waits until the file can be used. An error shows when it is.
void WaitUntil(short events, int fd) {
  pollfd state = {fd, events, 0};
  poll(&state, 1, -1);
}

uint64_t g_pipe_limit = uint64_t{1} << 30;

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<FileKind> KindOf(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return SystemError("fstat");
  if (S_ISREG(info.st_mode)) return FileKind::kRegular;
  if (S_ISDIR(info.st_mode)) return FileKind::kDirectory;
  if (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)) return FileKind::kPipe;
  return FileKind::kDevice;
}

absl::StatusOr<Descriptor> OpenForReading(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | kOpenFlags);
  if (fd < 0) return SystemError(path);
  return Descriptor(fd);
}

absl::StatusOr<Descriptor> Duplicate(int fd, const std::string& name) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return SystemError(name);
  return Descriptor(copy);
}

absl::StatusOr<Descriptor> OpenRegular(const std::string& path, std::string_view what) {
  absl::StatusOr<Descriptor> file = OpenForReading(path);
  if (!file.ok()) return file;
  const absl::StatusOr<FileKind> kind = KindOf(file->fd());
  if (kind.ok() && *kind == FileKind::kRegular) return file;
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": is no regular file, and ", std::string(what), " is to be there"));
}

namespace {

absl::StatusOr<Descriptor> OpenForWriting(const std::string& path) {
  int fd;
  do {
    fd = open(path.c_str(), O_WRONLY | kOpenFlags);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return SystemError(absl::StrCat("cannot write ", path));
  return Descriptor(fd);
}

}  // namespace

absl::StatusOr<Descriptor> OpenToUpdate(const std::string& path, int file) {
  absl::StatusOr<Descriptor> writable = OpenForWriting(path);
  if (!writable.ok()) return writable;
  const absl::StatusOr<FileStamp> ours = StampOf(writable->fd(), path);
  const absl::StatusOr<FileStamp> theirs = StampOf(file, path);
  if (ours.ok() && theirs.ok() && ours->IsOfSameFile(*theirs)) return writable;
  return absl::AbortedError(absl::StrCat(path, ": has become another file"));
}

absl::StatusOr<Descriptor> OpenSpecialForWriting(const std::string& path) {
  absl::StatusOr<Descriptor> file = OpenForWriting(path);
  if (!file.ok()) return file;
  const absl::StatusOr<FileKind> kind = KindOf(file->fd());
  if (kind.ok() && *kind != FileKind::kRegular) return file;
  return absl::FailedPreconditionError(absl::StrCat(path, ": has become another file"));
}

absl::StatusOr<Descriptor> CreateNew(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | kOpenFlags, 0600);
  if (fd < 0) return SystemError(absl::StrCat("cannot write ", path));
  return Descriptor(fd);
}

ssize_t ReadSome(int fd, char* bytes, size_t size) {
  // A pipe that nobody has opened for writing yet reads as ended, but does not poll so.
  WaitUntil(POLLIN, fd);
  for (;;) {
    const ssize_t got = read(fd, bytes, size);
    if (got >= 0) return got;
    if (WouldBlock()) {
      WaitUntil(POLLIN, fd);
    } else if (errno != EINTR) {
      return got;
    }
  }
}

size_t WriteAll(int fd, std::string_view bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
    } else if (WouldBlock()) {
      WaitUntil(POLLOUT, fd);
    } else if (errno != EINTR) {
      break;
    }
  }
  return done;
}

uint64_t PipeLimit() { return g_pipe_limit; }
void SetPipeLimit(uint64_t bytes) { g_pipe_limit = bytes; }

absl::StatusOr<Descriptor> CopyToTemporaryFile(int fd, uint64_t limit) {
  const auto failed = [] { return SystemError("cannot write a temporary file"); };
  std::FILE* file = std::tmpfile();
  if (file == nullptr) return failed();
  Descriptor copy(fcntl(fileno(file), F_DUPFD_CLOEXEC, 0));
  const int error = errno;
  std::fclose(file);
  errno = error;
  if (copy.fd() < 0) return failed();
  std::string buffer(kBufferBytes, '\0');
  for (uint64_t done = 0;;) {
    const ssize_t got = ReadSome(fd, buffer.data(), buffer.size());
    if (got < 0) return SystemError("cannot read");
    if (got == 0) return copy;
    const auto size = static_cast<size_t>(got);
    if (size > limit - done) {
      return absl::OutOfRangeError(
          absl::StrCat("more than ", limit, " bytes come from this pipe (see --max-pipe)"));
    }
    if (WriteAll(copy.fd(), std::string_view(buffer.data(), size)) != size) return failed();
    done += size;
  }
}

bool IsNameOf(const std::string& path, int fd) {
  struct stat open_file;
  struct stat named;
  return fstat(fd, &open_file) == 0 && lstat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

}  // namespace isochron::hostio
