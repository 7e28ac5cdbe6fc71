#include "replaylog/packed_image.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hostio/image_file.h"
#include "hostio/system_error.h"
#include "replaylog/stream_digest.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kBlock = 64 << 10;
// The window is larger than that of a log's frames, for there is one frame, read from its
// beginning.
constexpr int kWindowLog = 21;
constexpr int kTableLog = 19;

// A file without a name, written from its beginning to its end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string name) : name_(std::move(name)) {
    if (std::FILE* file = std::tmpfile()) {
      fd_ = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
      std::fclose(file);
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ >= 0) close(fd_);
  }

  absl::Status Write(std::string_view bytes) {
    if (fd_ < 0) return Error();
    while (!bytes.empty()) {
      const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Error();
      size_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }
  // So many zeros, which take no room.
  void WriteHole(uint64_t size) { size_ += size; }

  // What has been written, as a file named like this one.
  absl::StatusOr<std::unique_ptr<FileSource>> Finish() {
    if (fd_ < 0 || ftruncate(fd_, static_cast<off_t>(size_)) != 0) return Error();
    return FileSource::Adopt(std::exchange(fd_, -1), name_, size_);
  }

 private:
  absl::Status Error() const {
    return hostio::SystemError(absl::StrCat("cannot write a temporary file for ", name_));
  }

  const std::string name_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

absl::Status ZstdError(const FileSource& source, size_t code) {
  return absl::DataLossError(absl::StrCat(source.name(), ": zstd: ", ZSTD_getErrorName(code)));
}

absl::Status WrongSize(const FileSource& packed, uint64_t size) {
  return absl::DataLossError(
      absl::StrCat(packed.name(), ": an image in it is not of the ", size, " bytes of its list"));
}

bool IsZeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

}  // namespace

absl::StatusOr<PackedImage> PackImage(const FileSource& image) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  const absl::Cleanup free = [context] { ZSTD_freeCCtx(context); };
  if (context == nullptr) return absl::ResourceExhaustedError("no memory to compress");
  if (absl::Status status = SetCompression(context, kWindowLog, kTableLog); !status.ok())
    return status;
  ZSTD_CCtx_setPledgedSrcSize(context, image.size());

  TemporaryFile file(image.name());
  StreamDigest digest;
  std::string buffer(kBlock, '\0');
  const auto compress = [&](std::string_view piece, ZSTD_EndDirective mode) -> absl::Status {
    ZSTD_inBuffer in = {piece.data(), piece.size(), 0};
    for (size_t left = 1; left != 0;) {
      ZSTD_outBuffer out = {buffer.data(), buffer.size(), 0};
      left = ZSTD_compressStream2(context, &out, &in, mode);
      if (ZSTD_isError(left)) return ZstdError(image, left);
      if (absl::Status status = file.Write({buffer.data(), out.pos}); !status.ok()) return status;
      if (mode == ZSTD_e_continue && in.pos == in.size) break;
    }
    return absl::OkStatus();
  };
  absl::Status status = image.ReadAll([&](std::string_view piece) {
    digest.Update(piece);
    return compress(piece, ZSTD_e_continue);
  });
  if (status.ok()) status = compress("", ZSTD_e_end);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<FileSource>> packed = file.Finish();
  if (!packed.ok()) return packed.status();
  return PackedImage{*std::move(packed), digest.digest(), image.size()};
}

absl::StatusOr<std::unique_ptr<FileSource>> UnpackImage(const FileSource& packed, uint64_t size,
                                                        uint64_t most) {
  if (size > most) {
    return absl::InvalidArgumentError(absl::StrCat(packed.name(), ": an image is too large"));
  }
  ZSTD_DCtx* const context = ZSTD_createDCtx();
  const absl::Cleanup free = [context] { ZSTD_freeDCtx(context); };
  if (context == nullptr) return absl::ResourceExhaustedError("no memory to decompress");
  ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, kWindowLog);

  TemporaryFile file(packed.name());
  std::string buffer(kBlock, '\0');
  uint64_t unpacked = 0;
  size_t hint = 1;  // 0 at the end of a frame
  const absl::Status status = packed.ReadAll([&](std::string_view piece) -> absl::Status {
    ZSTD_inBuffer in = {piece.data(), piece.size(), 0};
    // What no longer fits the buffer comes without further input, until the frame ends.
    for (bool full = false; in.pos < in.size || (full && hint != 0);) {
      ZSTD_outBuffer out = {buffer.data(), buffer.size(), 0};
      hint = ZSTD_decompressStream(context, &out, &in);
      if (ZSTD_isError(hint)) return ZstdError(packed, hint);
      full = out.pos == out.size;
      unpacked += out.pos;
      if (unpacked > size) return WrongSize(packed, size);
      const std::string_view got(buffer.data(), out.pos);
      if (full && IsZeros(got)) {
        file.WriteHole(got.size());
      } else if (absl::Status written = file.Write(got); !written.ok()) {
        return written;
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (unpacked != size || hint != 0) return WrongSize(packed, size);
  return file.Finish();
}

}  // namespace isochron::replaylog
