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
#include "hostio/system_error.h"

namespace isochron::replaylog {
namespace {

using hostio::SystemError;

absl::Status WrittenByAnother(const std::string& path) {
  return absl::AlreadyExistsError(absl::StrCat("another process is writing ", path));
}

// OK when the open file is locked for us, which it is until it is closed everywhere.
absl::Status Lock(int fd, const std::string& path) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  return errno == EWOULDBLOCK ? WrittenByAnother(path)
                              : SystemError(absl::StrCat("cannot lock ", path));
}

// Removes a partial file whose writer is gone. OK also when there is none, or no longer.
absl::Status RemoveAbandoned(const std::string& partial) {
  struct stat info;
  if (lstat(partial.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::OkStatus() : SystemError(absl::StrCat("cannot write ", partial));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(partial, ": is no regular file, and what is being written is to be there"));
  }
  const hostio::Descriptor former(
      open(partial.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (former.fd() < 0) {
    return errno == ENOENT ? absl::OkStatus() : SystemError(absl::StrCat("cannot write ", partial));
  }
  if (absl::Status status = Lock(former.fd(), partial); !status.ok()) return status;
  // Otherwise its writer finished it meanwhile.
  if (hostio::IsNameOf(partial, former.fd()) && unlink(partial.c_str()) != 0) {
    return SystemError(absl::StrCat("cannot write ", partial));
  }
  return absl::OkStatus();
}

// AlreadyExists while the writer of the file that is at `path` already has still something to do.
absl::Status CheckCompleted(const std::string& path) {
  const hostio::Descriptor file(
      open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (file.fd() < 0 || flock(file.fd(), LOCK_SH | LOCK_NB) == 0) return absl::OkStatus();
  return errno == EWOULDBLOCK ? WrittenByAnother(path) : absl::OkStatus();
}

// Makes and locks a partial file. Who makes it has not locked it yet, and who comes between the two
// takes it for abandoned: then that one has it.
absl::StatusOr<hostio::Descriptor> CreatePartial(const std::string& path) {
  const std::string partial = PartialPath(path);
  for (;;) {
    if (absl::Status status = RemoveAbandoned(partial); !status.ok()) return status;
    absl::StatusOr<hostio::Descriptor> file = hostio::CreateNew(partial);
    if (absl::IsAlreadyExists(file.status())) continue;
    if (!file.ok()) return file;
    if (absl::Status status = Lock(file->fd(), partial); !status.ok()) return status;
    if (!hostio::IsNameOf(partial, file->fd())) continue;
    if (absl::Status status = CheckCompleted(path); !status.ok()) {
      unlink(partial.c_str());
      return status;
    }
    return file;
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
  const bool direct = IsSpecialFile(path);
  const bool standard_output = path == "-";
  const std::string name = standard_output ? "standard output" : path;
  absl::StatusOr<hostio::Descriptor> file;
  if (standard_output) {
    file = hostio::Duplicate(STDOUT_FILENO, "cannot write standard output");
  } else {
    file = direct ? hostio::OpenSpecialForWriting(path) : CreatePartial(path);
  }
  if (!file.ok()) return file.status();
  return std::unique_ptr<OutputFile>(new OutputFile(*std::move(file), name, direct));
}

absl::Status OutputFile::CheckUntouched() const {
  if (direct_) return absl::OkStatus();
  struct stat info;
  if (fstat(file_.fd(), &info) != 0)
    return SystemError(absl::StrCat("cannot write ", WrittenPath()));
  if (info.st_nlink == 1 && static_cast<uint64_t>(info.st_size) == size_) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat(WrittenPath(), info.st_nlink == 1 ? " has been changed by somebody else"
                                                     : " is no longer the file that was written"));
}

absl::Status OutputFile::Write(std::string_view bytes) {
  if (absl::Status status = CheckUntouched(); !status.ok()) return status;
  const uint64_t before = size_;
  const size_t written = hostio::WriteAll(file_.fd(), bytes);
  size_ += written;
  if (written == bytes.size()) {
    BeginWriteback();
    return absl::OkStatus();
  }
  const absl::Status status = SystemError(absl::StrCat("cannot write ", WrittenPath()));
  if (!direct_ && ftruncate(file_.fd(), static_cast<off_t>(before)) == 0) size_ = before;
  return status;
}

void OutputFile::BeginWriteback() {
  if (direct_ || size_ - begun_ < kWritebackStep) return;
  // Some file systems cannot; then the end of the file waits for all of it.
  sync_file_range(file_.fd(), static_cast<off_t>(begun_), static_cast<off_t>(size_ - begun_),
                  SYNC_FILE_RANGE_WRITE);
  begun_ = size_;
}

absl::Status OutputFile::Overwrite(uint64_t offset, std::string_view bytes) {
  if (direct_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is no regular file: what has been written cannot be changed"));
  }
  if (absl::Status status = CheckUntouched(); !status.ok()) return status;
  while (!bytes.empty()) {
    const ssize_t written =
        pwrite(file_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(absl::StrCat("cannot write ", PartialPath(path_)));
    offset += static_cast<uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Sync() {
  if (direct_ || fsync(file_.fd()) == 0) return absl::OkStatus();
  return SystemError(absl::StrCat("cannot write ", WrittenPath()));
}

absl::Status OutputFile::Commit() {
  if (direct_) return absl::OkStatus();
  const std::string partial = WrittenPath();
  if (absl::Status status = Sync(); !status.ok()) return status;
  if (absl::Status status = CheckUntouched(); !status.ok()) return status;
  if (!hostio::IsNameOf(partial, file_.fd())) {
    return absl::AbortedError(absl::StrCat(partial, " is no longer the file that was written"));
  }
  if (rename(partial.c_str(), path_.c_str()) != 0) {
    return SystemError(absl::StrCat("cannot rename ", partial, " to ", path_));
  }
  return SyncDirectoryOf(path_);
}

absl::Status OutputFile::Finish(absl::Status so_far) {
  if (so_far.ok()) so_far = Commit();
  if (!so_far.ok()) Discard();
  return so_far;
}

absl::Status OutputFile::CopyTo(OutputFile& other) const {
  if (direct_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is no regular file: what has been written is gone"));
  }
  std::string buffer(64 << 10, '\0');
  for (uint64_t done = 0; done < size_;) {
    const ssize_t got =
        pread(file_.fd(), buffer.data(), std::min<uint64_t>(buffer.size(), size_ - done),
              static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(absl::StrCat("cannot read ", WrittenPath()));
    if (got == 0) return absl::DataLossError(absl::StrCat(WrittenPath(), ": has become shorter"));
    done += static_cast<uint64_t>(got);
    absl::Status status = other.Write(std::string_view(buffer.data(), static_cast<size_t>(got)));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

void OutputFile::Discard() {
  if (!direct_ && hostio::IsNameOf(WrittenPath(), file_.fd())) unlink(WrittenPath().c_str());
}

}  // namespace isochron::replaylog
