#include "replaylog/file_source.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/system_error.h"

namespace isochron::replaylog {
namespace {

using hostio::SystemError;

constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Whole(hostio::Descriptor file,
                                                              const std::string& path) {
  struct stat info;
  if (fstat(file.fd(), &info) != 0) return SystemError(path);
  return std::unique_ptr<FileSource>(
      new FileSource(std::move(file), path, 0, static_cast<uint64_t>(info.st_size), true));
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Open(const std::string& path,
                                                             uint64_t pipe_limit) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path;
  absl::StatusOr<hostio::Descriptor> file =
      standard_input ? hostio::Duplicate(STDIN_FILENO, name) : hostio::OpenForReading(path);
  if (!file.ok()) return file.status();
  const absl::StatusOr<hostio::FileKind> kind = hostio::KindOf(file->fd());
  if (!kind.ok()) return kind.status();
  switch (*kind) {
    case hostio::FileKind::kRegular: break;
    case hostio::FileKind::kDirectory:
      return absl::InvalidArgumentError(absl::StrCat(name, ": is a directory"));
    case hostio::FileKind::kDevice:
      return absl::FailedPreconditionError(
          absl::StrCat(name, ": is a device; a file or a pipe is needed"));
    case hostio::FileKind::kPipe:
      file = hostio::CopyToTemporaryFile(file->fd(), pipe_limit);
      if (file.ok()) break;
      return absl::Status(file.status().code(), absl::StrCat(name, ": ", file.status().message()));
  }
  return Whole(*std::move(file), path);
}

std::unique_ptr<FileSource> FileSource::Adopt(int fd, std::string path, uint64_t size) {
  return std::unique_ptr<FileSource>(
      new FileSource(hostio::Descriptor(fd), std::move(path), 0, size, false));
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::OpenRegular(const std::string& path,
                                                                    std::string_view what) {
  absl::StatusOr<hostio::Descriptor> file = hostio::OpenRegular(path, what);
  if (!file.ok()) return file.status();
  return Whole(*std::move(file), path);
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Part(uint64_t offset, uint64_t size) const {
  if (offset > size_ || size > size_ - offset) {
    return absl::OutOfRangeError(absl::StrCat(name(), ": the file breaks off"));
  }
  absl::StatusOr<hostio::Descriptor> file = hostio::Duplicate(file_.fd(), name());
  if (!file.ok()) return file.status();
  std::unique_ptr<FileSource> part(
      new FileSource(*std::move(file), path_, base_ + offset, size, false));
  part->layer_ = layer_;
  return part;
}

absl::StatusOr<std::unique_ptr<FileSource>> FileSource::Under(
    std::shared_ptr<const FileLayer> layer) const {
  absl::StatusOr<std::unique_ptr<FileSource>> source = Part(0, size_);
  if (source.ok()) (*source)->layer_ = std::move(layer);
  return source;
}

uint64_t FileSource::host_bytes() const {
  struct stat info;
  return fstat(file_.fd(), &info) == 0 ? static_cast<uint64_t>(info.st_blocks) * 512 : size_;
}

absl::Status FileSource::Share(bool alone) const {
  if (flock(file_.fd(), (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return absl::OkStatus();  // not every file system has locks
  return absl::FailedPreconditionError(
      absl::StrCat(name(), alone ? ": somebody else uses it, so it cannot be written to"
                                 : ": somebody else is going to write to it"));
}

absl::StatusOr<size_t> FileSource::Get(uint64_t offset, char* bytes, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t got =
        pread(file_.fd(), bytes + done, size - done, static_cast<off_t>(base_ + offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(name());
    if (got == 0) break;  // the file has become shorter
    done += static_cast<size_t>(got);
  }
  if (layer_ != nullptr) {
    absl::Status status = layer_->Apply(base_ + offset, {reinterpret_cast<uint8_t*>(bytes), done});
    if (!status.ok()) return status;
  }
  return done;
}

absl::Status FileSource::BreaksOff() const {
  return absl::DataLossError(absl::StrCat(name(), ": the file breaks off"));
}

absl::Status FileSource::Fill(uint64_t offset, std::span<uint8_t> bytes) const {
  const absl::StatusOr<size_t> got =
      Get(offset, reinterpret_cast<char*>(bytes.data()), bytes.size());
  if (!got.ok()) return got.status();
  return *got == bytes.size() ? absl::OkStatus() : BreaksOff();
}

absl::Status FileSource::ReadAt(uint64_t offset, size_t size, std::string& bytes) const {
  const uint64_t available = offset < size_ ? size_ - offset : 0;
  bytes.resize(static_cast<size_t>(std::min<uint64_t>(size, available)));
  const absl::StatusOr<size_t> got = Get(offset, bytes.data(), bytes.size());
  if (!got.ok()) return got.status();
  bytes.resize(*got);
  return absl::OkStatus();
}

absl::Status FileSource::ReadAll(
    const std::function<absl::Status(std::string_view piece)>& take) const {
  std::string buffer;
  for (uint64_t done = 0; done < size_; done += buffer.size()) {
    const size_t piece = static_cast<size_t>(std::min<uint64_t>(size_ - done, kBufferBytes));
    if (absl::Status status = ReadAt(done, piece, buffer); !status.ok()) return status;
    if (buffer.size() != piece) return BreaksOff();
    if (absl::Status status = take(buffer); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace isochron::replaylog
