#include "replaylog/disk_overlay.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/file_stamp.h"
#include "hostio/system_error.h"
#include "replaylog/output_file.h"

namespace isochron::replaylog {
namespace {

constexpr std::string_view kOverlay = "an overlay of a disk";
constexpr std::string_view kUnderlyingImage = "the image under an overlay";

uint64_t CapacityOf(const OverlayBase& base) {
  return (base.size + kOverlayBlock - 1) / kOverlayBlock;
}

absl::StatusOr<OverlayBase> ReadBase(const FileSource& file) {
  std::string block;
  if (absl::Status status = file.ReadAt(0, kOverlayBlock, block); !status.ok()) return status;
  absl::StatusOr<OverlayBase> base = ParseOverlayHeader(block);
  if (base.ok()) return base;
  return absl::InvalidArgumentError(absl::StrCat(file.name(), ": ", base.status().message()));
}

absl::Status BelongsTo(const FileSource& file, const OverlayBase& its, const OverlayBase& image) {
  if (its.size == image.size && its.digest == image.digest) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(file.name(), ": is an overlay for ", its.name, " of ", its.size,
                   " bytes, digest ", its.digest.ToString(), ", not for ", image.name, " of ",
                   image.size, " bytes, digest ", image.digest.ToString()));
}

// Makes an empty overlay that appears whole.
absl::Status MakeEmpty(const std::string& path, const OverlayBase& base) {
  if (base.name.size() > OverlayBase::kMaxName) {
    return absl::InvalidArgumentError(absl::StrCat(base.name, ": the name is too long"));
  }
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  absl::Status status = (*file)->Write(FormatOverlayHeader(base));
  return (*file)->Finish(std::move(status));
}

bool IsThere(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 || errno != ENOENT;
}

}  // namespace

absl::StatusOr<std::shared_ptr<DiskOverlay>> DiskOverlay::OpenToExtend(const std::string& path,
                                                                       const OverlayBase& base) {
  const bool is_new = !IsThere(path);
  if (is_new) {
    if (absl::Status status = MakeEmpty(path, base); !status.ok()) return status;
  }
  absl::StatusOr<std::unique_ptr<FileSource>> file = FileSource::OpenRegular(path, kOverlay);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Share(true); !status.ok()) return status;
  const absl::StatusOr<OverlayBase> its = ReadBase(**file);
  if (!its.ok()) return its.status();
  if (absl::Status status = BelongsTo(**file, *its, base); !status.ok()) return status;
  std::shared_ptr<DiskOverlay> overlay(new DiskOverlay(*std::move(file), base));
  absl::StatusOr<hostio::Descriptor> writable = overlay->file_->OpenToUpdate();
  if (!writable.ok()) return writable.status();
  overlay->writable_ = *std::move(writable);
  overlay->is_new_ = is_new;
  if (absl::Status status = overlay->ReadGenerations(std::nullopt); !status.ok()) return status;
  return overlay;
}

bool DiskOverlay::IsOverlay(const FileSource& file) {
  std::string begin;
  return file.ReadAt(0, kOverlayMagic.size(), begin).ok() && begin == kOverlayMagic;
}

absl::StatusOr<std::shared_ptr<const FileSource>> DiskOverlay::OpenGeneration(
    std::shared_ptr<const FileSource> file, const machine::Digest& digest,
    const DigestCache& digests) {
  if (absl::Status status = file->Share(false); !status.ok()) return status;
  absl::StatusOr<OverlayBase> base = ReadBase(*file);
  if (!base.ok()) return base.status();
  DiskOverlay overlay(std::move(file), *std::move(base));
  absl::Status status = overlay.ReadGenerations(digest);
  if (!status.ok()) return status;
  if (overlay.digest() != digest) {
    return absl::NotFoundError(
        absl::StrCat(overlay.path(), ": the disk never had the digest ", digest.ToString()));
  }
  absl::StatusOr<std::unique_ptr<FileSource>> image =
      FileSource::OpenRegular(overlay.base_.name, kUnderlyingImage);
  if (!image.ok()) return image.status();
  status = (*image)->Share(false);
  if (!status.ok()) return status;
  const absl::StatusOr<machine::Digest> found = digests.DigestOf(**image);
  if (!found.ok()) return found.status();
  status = BelongsTo(*overlay.file_, overlay.base_, {(*image)->size(), *found, overlay.base_.name});
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<FileSource>> disk = overlay.Over(**image);
  if (!disk.ok()) return disk.status();
  return std::shared_ptr<const FileSource>(*std::move(disk));
}

DiskOverlay::~DiskOverlay() {
  if (is_new_ && generations_.empty() && hostio::IsNameOf(path(), writable_.fd()))
    (void)unlink(path().c_str());
}

const machine::Digest& DiskOverlay::digest() const {
  return generations_.empty() ? base_.digest : generations_.back();
}

absl::StatusOr<std::unique_ptr<FileSource>> DiskOverlay::Over(const FileSource& image) const {
  return image.Under(map_);
}

absl::Status DiskOverlay::ReadGenerations(const std::optional<machine::Digest>& last) {
  auto map = std::make_shared<OverlayMap>(file_);
  end_ = kOverlayBlock;
  std::string block, index;
  while (!last.has_value() || digest() != *last) {
    absl::Status status = file_->ReadAt(end_, kOverlayBlock, block);
    if (!status.ok()) return status;
    // What is behind the last generation was begun and not completed: it has no first block yet.
    if (block.empty()) break;
    if (block.size() == kOverlayBlock && block.find_first_not_of('\0') == block.npos) break;
    const absl::StatusOr<GenerationHeader> header = ParseGenerationHeader(block);
    const uint64_t number = generations_.size() + 1;
    const auto damaged = [&](const std::string& what) {
      return absl::InvalidArgumentError(
          absl::StrCat(file_->name(), ": is a damaged overlay: generation ", number, ": ", what));
    };
    if (!header.ok()) return damaged(std::string(header.status().message()));
    const uint64_t at = end_ + kOverlayBlock;
    const uint64_t left = file_->size() - at;
    if (header->number != number) return damaged("has another number");
    if (header->runs > left / OverlayIndex::kEntryBytes || header->index_bytes() > left ||
        header->blocks > (left - header->index_bytes()) / kOverlayBlock) {
      return damaged("the file breaks off");
    }
    status = file_->ReadAt(at, header->runs * OverlayIndex::kEntryBytes, index);
    if (!status.ok()) return status;
    const absl::StatusOr<OverlayIndex> parsed =
        OverlayIndex::Parse(index, *header, CapacityOf(base_));
    if (!parsed.ok()) return damaged(std::string(parsed.status().message()));
    map->Put(*parsed, at + header->index_bytes());
    generations_.push_back(header->disk);
    end_ = at + header->bytes();
  }
  map_ = std::move(map);
  return absl::OkStatus();
}

absl::Status DiskOverlay::Write(uint64_t offset, const void* bytes, size_t size) {
  const auto* const from = static_cast<const char*>(bytes);
  for (size_t done = 0; done < size;) {
    const ssize_t written =
        pwrite(writable_.fd(), from + done, size - done, static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return hostio::SystemError(absl::StrCat("cannot write ", path()));
    done += static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::StatusOr<OverlayIndex> DiskOverlay::WriteBlocks(const GiveRuns& written, uint64_t at) {
  OverlayIndex index;
  absl::Status status;
  written([&](const Run& run) {
    if (!status.ok()) return;
    if (run.bytes == nullptr) {
      index.Add({run.first, run.count, 0});
      return;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(run.bytes), kOverlayBlock);
    index.Add({run.first, 0, OverlayHash(bytes)});
    status = Write(at, bytes.data(), bytes.size());
    at += kOverlayBlock;
  });
  if (!status.ok()) return status;
  return index;
}

absl::Status DiskOverlay::WriteGeneration(const GiveRuns& written, const FileSource& image,
                                          const DigestCache& digests) {
  // Blocks lie behind the index, whose size their number tells.
  GenerationHeader header = {.number = generations_.size() + 1, .disk = {}};
  written([&](const Run&) { ++header.runs; });
  const uint64_t index_at = end_ + kOverlayBlock;
  const uint64_t blocks_at = index_at + header.index_bytes();
  absl::StatusOr<OverlayIndex> index = WriteBlocks(written, blocks_at);
  if (!index.ok()) return index.status();
  const std::string bytes = index->Format();
  absl::Status status = Write(index_at, bytes.data(), bytes.size());
  if (!status.ok()) return status;
  header.blocks = index->blocks;
  header.index_hash = OverlayHash(bytes);
  const uint64_t end = index_at + header.bytes();
  if (ftruncate(writable_.fd(), static_cast<off_t>(end)) != 0) {
    return hostio::SystemError(absl::StrCat("cannot write ", path()));
  }
  auto map = std::make_shared<OverlayMap>(*map_);
  map->Put(*index, blocks_at);
  const absl::StatusOr<std::unique_ptr<FileSource>> disk = image.Under(map);
  if (!disk.ok()) return disk.status();
  const absl::StatusOr<machine::Digest> digest = digests.DigestOf(**disk);
  if (!digest.ok()) return digest.status();
  header.disk = *digest;
  // The generation is there when its first block is, and that comes behind all else.
  const auto sync = [this] {
    return fsync(writable_.fd()) == 0 ? absl::OkStatus()
                                      : hostio::SystemError(absl::StrCat("cannot write ", path()));
  };
  if (status = sync(); !status.ok()) return status;
  status = Write(end_, FormatGenerationHeader(header).data(), kOverlayBlock);
  if (status.ok()) status = sync();
  if (!status.ok()) return status;
  generations_.push_back(header.disk);
  map_ = std::move(map);
  end_ = end;
  return status;
}

absl::Status DiskOverlay::Append(const GiveRuns& written, const FileSource& image,
                                 const DigestCache& digests) {
  const absl::StatusOr<hostio::FileStamp> stamp = file_->Stamp();
  if (!stamp.ok()) return stamp.status();
  if (!hostio::LeadsTo(path(), *stamp)) {
    return absl::AbortedError(absl::StrCat(path(), ": somebody has put another file in its place"));
  }
  // What an earlier run has begun and not completed goes.
  const auto cut = [this] { return ftruncate(writable_.fd(), static_cast<off_t>(end_)); };
  if (cut() != 0) return hostio::SystemError(absl::StrCat("cannot write ", path()));
  absl::Status status = WriteGeneration(written, image, digests);
  if (!status.ok()) (void)cut();
  return status;
}

}  // namespace isochron::replaylog
