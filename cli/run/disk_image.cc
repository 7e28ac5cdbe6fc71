#include "cli/run/disk_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hostio/system_error.h"
#include "machine/events/digest.h"

namespace isochron::cli {
namespace {

uint64_t HashOf(std::span<const uint8_t> bytes) {
  return machine::DigestOf({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).low;
}

}  // namespace

absl::StatusOr<std::shared_ptr<DiskImage>> DiskImage::Open(
    std::shared_ptr<const replaylog::FileSource> source, bool writable) {
  hostio::Descriptor file;
  if (writable) {
    absl::StatusOr<hostio::Descriptor> opened = source->OpenToUpdate();
    if (!opened.ok()) return opened.status();
    file = *std::move(opened);
  }
  const absl::StatusOr<hostio::FileStamp> stamp = source->Stamp();
  if (!stamp.ok()) return stamp.status();
  return std::shared_ptr<DiskImage>(new DiskImage(std::move(source), std::move(file), *stamp));
}

absl::StatusOr<std::shared_ptr<DiskImage>> DiskImage::Open(
    std::shared_ptr<const replaylog::FileSource> source,
    std::shared_ptr<replaylog::DiskOverlay> overlay) {
  absl::StatusOr<std::shared_ptr<DiskImage>> image = Open(std::move(source), false);
  if (image.ok()) (*image)->overlay_ = std::move(overlay);
  return image;
}

absl::Status DiskImage::Read(uint64_t offset, std::span<uint8_t> bytes) const {
  absl::Status status = source_->Fill(offset, bytes);
  if (!status.ok()) return status;
  const uint64_t hash = HashOf(bytes);
  const std::lock_guard lock(mutex_);
  if (read_.size() == kMaxPieces) return status;
  Piece& piece = read_[offset];
  if (piece.size <= bytes.size()) piece = {bytes.size(), hash};
  return status;
}

size_t DiskImage::ChangedPieces() const {
  const std::lock_guard lock(mutex_);
  std::vector<uint8_t> bytes;
  return static_cast<size_t>(std::count_if(read_.begin(), read_.end(), [&](const auto& piece) {
    bytes.resize(piece.second.size);
    return !source_->Fill(piece.first, bytes).ok() || HashOf(bytes) != piece.second.hash;
  }));
}

absl::Status DiskImage::CheckUnchanged() const {
  const absl::StatusOr<hostio::FileStamp> stamp = source_->Stamp();
  if (!stamp.ok()) return stamp.status();
  // Its status changes also when it gets another name.
  if (source_->is_whole() && !hostio::LeadsTo(source_->path(), *stamp)) {
    return absl::FailedPreconditionError(
        absl::StrCat(name(), ": somebody has put another file in its place while the machine ran"));
  }
  if (stamp->size == stamp_.size && stamp->modified == stamp_.modified) return absl::OkStatus();
  const size_t changed = ChangedPieces();
  return absl::FailedPreconditionError(
      absl::StrCat(name(), ": somebody has changed it while the machine ran, ",
                   changed == 0 ? "though nothing that the machine is known to have read"
                                : "also what the machine has read"));
}

absl::Status DiskImage::Write(uint64_t offset, const uint8_t* bytes, uint64_t size) {
  for (uint64_t done = 0; done < size;) {
    const ssize_t written =
        pwrite(writable_.fd(), bytes + done, size - done, static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return hostio::SystemError(absl::StrCat("cannot write ", name()));
    done += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status DiskImage::WriteZeros(uint64_t offset, uint64_t size) {
  if (fallocate(writable_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(offset), static_cast<off_t>(size)) == 0) {
    return absl::OkStatus();
  }
  static constexpr std::array<uint8_t, 64 << 10> kZeros = {};
  absl::Status status;
  for (uint64_t done = 0; done < size && status.ok(); done += kZeros.size()) {
    status = Write(offset + done, kZeros.data(), std::min<uint64_t>(kZeros.size(), size - done));
  }
  return status;
}

absl::Status DiskImage::Commit(const machine::BlockTree& written) {
  constexpr uint64_t kBlock = machine::BlockTree::kBlockSize;
  absl::Status status;
  written.Visit([&](const machine::BlockTree::Run& run) {
    if (!status.ok()) return;
    const uint64_t offset = run.first * kBlock;
    // The last block of a disk may be cut short.
    const uint64_t bytes = std::min(run.count * kBlock, size() - offset);
    status = run.bytes != nullptr ? Write(offset, run.bytes, bytes) : WriteZeros(offset, bytes);
  });
  if (status.ok() && fsync(writable_.fd()) != 0) {
    status = hostio::SystemError(absl::StrCat("cannot write ", name()));
  }
  return status;
}

absl::Status DiskImage::Extend(const machine::BlockTree& written,
                               const replaylog::DigestCache& digests) {
  if (written.blocks() == 0) return absl::OkStatus();
  const auto give = [&written](const replaylog::DiskOverlay::TakeRun& take) {
    written.Visit([&take](const machine::BlockTree::Run& run) {
      take({run.first, run.count, run.bytes});
    });
  };
  return overlay_->Append(give, *source_, digests);
}

}  // namespace isochron::cli
