#include "replaylog/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/system_error.h"

namespace isochron::replaylog {
namespace {

bool IsSameFile(int fd, const std::string& path) {
  struct stat open_file;
  struct stat named;
  return fstat(fd, &open_file) == 0 && stat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

// Opens and locks a partial file, empty.
absl::StatusOr<int> OpenPartial(const std::string& path) {
  const std::string partial = PartialPath(path);
  for (;;) {
    const int fd = open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return SystemError(absl::StrCat("cannot write ", partial));
    absl::Status status;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      status = errno == EWOULDBLOCK
                   ? absl::AlreadyExistsError(
                         absl::StrCat("another process is writing ", partial))
                   : SystemError(absl::StrCat("cannot lock ", partial));
    } else if (!IsSameFile(fd, partial)) {
      close(fd);  // its writer finished it between open() and flock()
      continue;
    } else if (ftruncate(fd, 0) != 0) {
      status = SystemError(absl::StrCat("cannot write ", partial));
    }
    if (status.ok()) return fd;
    close(fd);
    return status;
  }
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::filesystem::path directory = parent.empty() ? "." : parent;
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A directory that may be written but not read cannot be synchronised.
  if (fd < 0) return absl::OkStatus();
  const bool failed = fsync(fd) != 0 && errno != EINVAL;
  const absl::Status status = failed ? SystemError(directory.string()) : absl::OkStatus();
  close(fd);
  return status;
}

}  // namespace

std::string PartialPath(const std::string& path) { return path + ".partial"; }

std::string WithoutPartial(const std::string& path) {
  const std::string suffix = PartialPath("");
  const bool partial = path.size() > suffix.size() && path.ends_with(suffix);
  return path.substr(0, path.size() - (partial ? suffix.size() : 0));
}

bool IsSpecialFile(const std::string& path) {
  struct stat info;
  return path == "-" || (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode));
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  if (!IsSpecialFile(path)) {
    absl::StatusOr<int> fd = OpenPartial(path);
    if (!fd.ok()) return fd.status();
    return std::unique_ptr<OutputFile>(new OutputFile(*fd, path, /*direct=*/false));
  }
  const bool standard_output = path == "-";
  const std::string name = standard_output ? "standard output" : path;
  const int fd = standard_output ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                                 : open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(absl::StrCat("cannot write ", name));
  return std::unique_ptr<OutputFile>(new OutputFile(fd, name, /*direct=*/true));
}

OutputFile::OutputFile(int fd, std::string path, bool direct)
    : fd_(fd), path_(std::move(path)), direct_(direct) {}

OutputFile::~OutputFile() { close(fd_); }

absl::Status OutputFile::Write(std::string_view bytes) {
  const uint64_t before = size_;
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const absl::Status status =
          SystemError(absl::StrCat("cannot write ", direct_ ? path_ : PartialPath(path_)));
      if (!direct_ && ftruncate(fd_, static_cast<off_t>(before)) == 0) size_ = before;
      return status;
    }
    size_ += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Overwrite(uint64_t offset, std::string_view bytes) {
  if (direct_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is no regular file: what has been written cannot be changed"));
  }
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(absl::StrCat("cannot write ", PartialPath(path_)));
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Sync() {
  if (direct_ || fsync(fd_) == 0) return absl::OkStatus();
  return SystemError(absl::StrCat("cannot write ", PartialPath(path_)));
}

absl::Status OutputFile::Commit() {
  if (direct_) return absl::OkStatus();
  const std::string partial = PartialPath(path_);
  if (absl::Status status = Sync(); !status.ok()) return status;
  if (!IsSameFile(fd_, partial)) {
    return absl::AbortedError(absl::StrCat(partial, " is no longer the file that was written"));
  }
  if (rename(partial.c_str(), path_.c_str()) != 0) {
    return SystemError(absl::StrCat("cannot rename ", partial, " to ", path_));
  }
  return SyncDirectoryOf(path_);
}

absl::Status OutputFile::CopyTo(OutputFile& other) const {
  if (direct_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is no regular file: what has been written is gone"));
  }
  const std::string partial = PartialPath(path_);
  const int fd = open(partial.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(absl::StrCat("cannot read ", partial));
  std::string buffer(64 << 10, '\0');
  absl::Status status;
  for (uint64_t left = size_; status.ok() && left > 0;) {
    const ssize_t got = read(fd, buffer.data(), std::min<uint64_t>(buffer.size(), left));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      status = got < 0 ? SystemError(absl::StrCat("cannot read ", partial))
                       : absl::DataLossError(absl::StrCat(partial, ": has become shorter"));
      break;
    }
    left -= static_cast<uint64_t>(got);
    status = other.Write(std::string_view(buffer.data(), static_cast<size_t>(got)));
  }
  close(fd);
  return status;
}

void OutputFile::Discard() {
  const std::string partial = PartialPath(path_);
  if (!direct_ && IsSameFile(fd_, partial)) unlink(partial.c_str());
}

}  // namespace isochron::replaylog
