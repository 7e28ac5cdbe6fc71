#include "replaylog/frame_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/codec.h"
#include "replaylog/frame_scanner.h"
#include "replaylog/image_list.h"
#include "replaylog/seek_table.h"

namespace isochron::replaylog {
namespace {

// Frames between two places that the index remembers: 8 bytes for so many frames, of which even an
// empty one has 17 and an entry of 12 in the seek table.
constexpr size_t kGroupFrames = 32;

// The content that the frame at `offset` may have.
size_t MaxRawAt(uint64_t offset) { return offset == 0 ? kMaxHeaderBytes : kMaxFrameBytes; }

// The frame at the scanner. OutOfRange when the source ends within it.
absl::StatusOr<FrameInfo> ScanFrame(const FileSource& source, FrameScanner& scanner) {
  const uint64_t offset = scanner.offset();
  const absl::StatusOr<FrameSizes> sizes = scanner.Measure(MaxRawAt(offset));
  if (!sizes.ok()) return ErrorAt(source, offset, sizes.status());
  return FrameInfo{offset, static_cast<uint32_t>(sizes->compressed),
                   static_cast<uint32_t>(sizes->raw), std::nullopt};
}

absl::Status TableError(const FileSource& source, uint64_t table_offset, std::string_view what) {
  return ErrorAt(source, table_offset,
                 absl::DataLossError(absl::string_view(what.data(), what.size())));
}

// `count` entries of the seek table at `table_offset`, from `first` on.
absl::StatusOr<std::vector<SeekEntry>> ReadEntries(const FileSource& source, uint64_t table_offset,
                                                   size_t first, size_t count) {
  std::string bytes;
  const absl::Status status = source.ReadAt(
      table_offset + kSeekHeaderBytes + first * kSeekEntryBytes, count * kSeekEntryBytes, bytes);
  if (!status.ok()) return status;
  if (bytes.size() != count * kSeekEntryBytes) {
    return TableError(source, table_offset, "the seek table breaks off");
  }
  return DecodeSeekEntries(bytes);
}

FrameInfo FrameOf(const SeekEntry& entry, uint64_t offset) {
  return {offset, entry.compressed, entry.raw, entry.checksum};
}

}  // namespace

void FrameIndex::Add(const FrameInfo& frame) {
  if (size_ % kGroupFrames == 0) anchors_.push_back(frame.offset);
  ++size_;
  compressed_bytes_ += frame.compressed;
  raw_bytes_ += frame.raw;
}

absl::Status FrameIndex::AddFromSeekTable(const FileSource& source, std::string_view footer) {
  const uint64_t footer_offset = source.size() - kSeekFooterBytes;
  absl::StatusOr<uint64_t> table_bytes = SeekTableBytes(footer);
  if (!table_bytes.ok()) return ErrorAt(source, footer_offset, table_bytes.status());
  if (*table_bytes > source.size()) {
    return TableError(source, footer_offset, "the seek table is larger than the file");
  }
  const uint64_t table_offset = source.size() - *table_bytes;
  std::string head;
  if (absl::Status status = source.ReadAt(table_offset, kSeekHeaderBytes, head); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckSeekHeader(head, *table_bytes); !status.ok()) {
    return ErrorAt(source, table_offset, status);
  }
  const size_t count = SeekEntryCount(*table_bytes);
  for (size_t first = 0; first < count; first += kGroupFrames) {
    absl::StatusOr<std::vector<SeekEntry>> entries =
        ReadEntries(source, table_offset, first, std::min(kGroupFrames, count - first));
    if (!entries.ok()) return entries.status();
    for (const SeekEntry& entry : *entries) {
      if (entry.raw > MaxRawAt(compressed_bytes_) || entry.compressed == 0 ||
          entry.compressed > MaxCompressedBytes(entry.raw)) {
        return TableError(source, table_offset, "the seek table has a frame of impossible size");
      }
      Add(FrameOf(entry, compressed_bytes_));
    }
  }
  if (compressed_bytes_ != table_offset || size_ == 0) {
    return TableError(source, table_offset, "the frames in the seek table do not make up the file");
  }
  table_offset_ = table_offset;
  return absl::OkStatus();
}

absl::Status FrameIndex::AddByWalking(const FileSource& source) {
  FrameScanner scanner(source, 0, source.size());
  while (scanner.offset() < source.size()) {
    const absl::StatusOr<FrameInfo> frame = ScanFrame(source, scanner);
    if (!frame.ok()) {
      const bool breaks_off =
          absl::IsOutOfRange(frame.status()) ||
          (absl::IsDataLoss(frame.status()) && size_ != 0 && BeginsLikeSeekTable(scanner.ahead()));
      if (breaks_off && size_ != 0) break;
      if (!breaks_off) return frame.status();
      return ErrorAt(source, source.size(),
                     absl::DataLossError("the file breaks off within the header"));
    }
    Add(*frame);
    scanner.Skip();
  }
  return absl::OkStatus();
}

absl::Status FrameIndex::LoadGroup(const FileSource& source, size_t first) const {
  const size_t count = std::min(kGroupFrames, size_ - first);
  uint64_t offset = anchors_[first / kGroupFrames];
  loaded_.clear();
  loaded_first_ = first;
  if (table_offset_.has_value()) {
    absl::StatusOr<std::vector<SeekEntry>> entries =
        ReadEntries(source, *table_offset_, first, count);
    if (!entries.ok()) return entries.status();
    for (const SeekEntry& entry : *entries) {
      loaded_.push_back(FrameOf(entry, offset));
      offset += entry.compressed;
    }
    return absl::OkStatus();
  }
  FrameScanner scanner(source, offset, source.size());
  while (loaded_.size() < count) {
    absl::StatusOr<FrameInfo> frame = ScanFrame(source, scanner);
    if (!frame.ok()) return frame.status();
    loaded_.push_back(*frame);
    scanner.Skip();
  }
  return absl::OkStatus();
}

absl::StatusOr<FrameInfo> FrameIndex::At(const FileSource& source, size_t number) const {
  const size_t first = number - number % kGroupFrames;
  if (loaded_.empty() || loaded_first_ != first) {
    if (absl::Status status = LoadGroup(source, first); !status.ok()) {
      loaded_.clear();
      return status;
    }
  }
  return loaded_[number - first];
}

absl::Status ErrorAt(const FileSource& source, uint64_t offset, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(source.name(), ": at byte ", offset, ": ", status.message()));
}

absl::StatusOr<FrameIndex> FrameIndex::Of(const FileSource& source) {
  if (source.size() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(source.name(), ": the file is empty"));
  }
  std::string magic;
  if (absl::Status status = source.ReadAt(0, 4, magic); !status.ok()) return status;
  if (IsImageList(source)) {
    return absl::InvalidArgumentError(absl::StrCat(
        source.name(), ": this is no replay log but a list of one's images (log info shows it)"));
  }
  if (!BeginsLikeZstdFrame(magic)) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.name(), ": at byte 0: this is no replay log (it is not a zstd file)"));
  }
  FrameIndex index;
  if (source.size() >= kSeekFooterBytes) {
    std::string footer;
    if (absl::Status status =
            source.ReadAt(source.size() - kSeekFooterBytes, kSeekFooterBytes, footer);
        !status.ok()) {
      return status;
    }
    if (HasSeekTable(footer)) {
      if (absl::Status status = index.AddFromSeekTable(source, footer); !status.ok()) return status;
      return index;
    }
  }
  if (absl::Status status = index.AddByWalking(source); !status.ok()) return status;
  return index;
}

absl::Status FrameLoader::Load(const FrameInfo& frame, std::string& content) {
  if (absl::Status status = source_.ReadAt(frame.offset, frame.compressed, bytes_); !status.ok()) {
    return status;
  }
  absl::Status status = decompressor_.Decompress(bytes_, MaxRawAt(frame.offset), content);
  if (status.ok() && (content.size() != frame.raw ||
                      (frame.checksum && *frame.checksum != ContentChecksum(content)))) {
    status = absl::DataLossError("the frame is not the one in the seek table");
  }
  return status.ok() ? status : ErrorAt(source_, frame.offset, status);
}

}  // namespace isochron::replaylog
