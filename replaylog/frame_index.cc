#include "replaylog/frame_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/codec.h"
#include "replaylog/seek_table.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kFirstRead = 64 << 10;

// The content that the frame at `offset` may have.
size_t MaxRawAt(uint64_t offset) { return offset == 0 ? kMaxHeaderBytes : kMaxFrameBytes; }

// Measures the frame at `offset`. OutOfRange when the source ends within it.
absl::StatusOr<FrameInfo> MeasureAt(const FileSource& source, uint64_t offset,
                                    std::string& buffer) {
  const size_t max_raw = MaxRawAt(offset);
  const size_t limit = MaxCompressedBytes(max_raw);
  for (size_t want = kFirstRead;; want *= 2) {
    want = std::min(want, limit);
    if (absl::Status status = source.ReadAt(offset, want, buffer); !status.ok()) return status;
    absl::StatusOr<FrameSizes> sizes = MeasureFrame(buffer, max_raw);
    if (sizes.ok()) {
      return FrameInfo{offset, static_cast<uint32_t>(sizes->compressed),
                       static_cast<uint32_t>(sizes->raw), std::nullopt};
    }
    if (!absl::IsOutOfRange(sizes.status()) || buffer.size() < want) {
      return ErrorAt(source, offset, sizes.status());
    }
    if (want == limit) {
      return ErrorAt(source, offset, absl::DataLossError("the zstd frame is too large"));
    }
  }
}

absl::StatusOr<FrameIndex> IndexFromSeekTable(const FileSource& source,
                                              std::string_view footer) {
  const uint64_t footer_offset = source.size() - kSeekFooterBytes;
  absl::StatusOr<uint64_t> table_bytes = SeekTableBytes(footer);
  if (!table_bytes.ok()) return ErrorAt(source, footer_offset, table_bytes.status());
  if (*table_bytes > source.size()) {
    return ErrorAt(source, footer_offset,
                   absl::DataLossError("the seek table is larger than the file"));
  }
  const uint64_t table_offset = source.size() - *table_bytes;
  std::string table;
  if (absl::Status status = source.ReadAt(table_offset, *table_bytes, table); !status.ok()) {
    return status;
  }
  absl::StatusOr<std::vector<SeekEntry>> entries = DecodeSeekTable(table);
  if (!entries.ok()) return ErrorAt(source, table_offset, entries.status());

  FrameIndex index{{}, /*has_seek_table=*/true};
  uint64_t offset = 0;
  for (const SeekEntry& entry : *entries) {
    if (entry.raw > MaxRawAt(offset) || entry.compressed == 0 ||
        entry.compressed > MaxCompressedBytes(entry.raw)) {
      return ErrorAt(source, table_offset,
                     absl::DataLossError("the seek table has a frame of impossible size"));
    }
    index.frames.push_back({offset, entry.compressed, entry.raw, entry.checksum});
    offset += entry.compressed;
  }
  if (offset != table_offset || index.frames.empty()) {
    return ErrorAt(source, table_offset,
                   absl::DataLossError("the frames in the seek table do not make up the file"));
  }
  return index;
}

absl::StatusOr<FrameIndex> IndexByWalking(const FileSource& source) {
  FrameIndex index;
  std::string buffer;
  uint64_t offset = 0;
  while (offset < source.size()) {
    absl::StatusOr<FrameInfo> frame = MeasureAt(source, offset, buffer);
    if (!frame.ok()) {
      const bool breaks_off = absl::IsOutOfRange(frame.status()) ||
                              (offset != 0 && BeginsLikeSeekTable(buffer));
      if (breaks_off && offset != 0) break;
      if (!breaks_off) return frame.status();
      return ErrorAt(source, source.size(),
                     absl::DataLossError("the file breaks off within the header"));
    }
    offset += frame->compressed;
    index.frames.push_back(*std::move(frame));
  }
  return index;
}

}  // namespace

absl::Status ErrorAt(const FileSource& source, uint64_t offset, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(source.name(), ": at byte ", offset, ": ", status.message()));
}

absl::StatusOr<FrameIndex> IndexFrames(const FileSource& source) {
  if (source.size() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(source.name(), ": the file is empty"));
  }
  std::string magic;
  if (absl::Status status = source.ReadAt(0, 4, magic); !status.ok()) return status;
  if (!BeginsLikeZstdFrame(magic)) {
    return absl::InvalidArgumentError(absl::StrCat(
        source.name(), ": at byte 0: this is no replay log (it is not a zstd file)"));
  }
  if (source.size() >= kSeekFooterBytes) {
    std::string footer;
    if (absl::Status status =
            source.ReadAt(source.size() - kSeekFooterBytes, kSeekFooterBytes, footer);
        !status.ok()) {
      return status;
    }
    if (HasSeekTable(footer)) return IndexFromSeekTable(source, footer);
  }
  return IndexByWalking(source);
}

absl::Status FrameLoader::Load(const FrameInfo& frame, std::string& content) {
  if (absl::Status status = source_.ReadAt(frame.offset, frame.compressed, bytes_);
      !status.ok()) {
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
