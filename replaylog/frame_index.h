// Where the frames of a log are.

#ifndef ISOCHRON_REPLAYLOG_FRAME_INDEX_H_
#define ISOCHRON_REPLAYLOG_FRAME_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/file_source.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {

// One zstd frame of a log.
struct FrameInfo {
  uint64_t offset = 0;      // of the frame, in bytes from the beginning of the log
  uint32_t compressed = 0;  // bytes
  uint32_t raw = 0;         // bytes of its content
  // ContentChecksum(), where the seek table gives it.
  std::optional<uint32_t> checksum;
};

// Where all frames of a log are. In memory it takes less than a twentieth of the log, whatever the
// log holds: it keeps the place of every 32nd frame, and finds the others from there in the log
// itself.
class FrameIndex {
 public:
  // Finds the frames of a log: by its seek table, or else by going from frame to frame as far as
  // they are whole. InvalidArgument when the file is no zstd file, DataLoss when it is damaged.
  static absl::StatusOr<FrameIndex> Of(const FileSource& source);

  // Frames, the header's included; at least 1.
  size_t size() const { return size_; }
  // Bytes of all frames, as they are and unpacked.
  uint64_t compressed_bytes() const { return compressed_bytes_; }
  uint64_t raw_bytes() const { return raw_bytes_; }
  // Whether the log is complete; else it breaks off after the last of these frames.
  bool has_seek_table() const { return table_offset_.has_value(); }

  // Frame `number`, below size(); 0 is the header's. `source` is the one that Of() was given.
  // Errors as of ErrorAt(), when the file cannot be read or has changed.
  absl::StatusOr<FrameInfo> At(const FileSource& source, size_t number) const;

 private:
  // Adds what follows the frames so far.
  void Add(const FrameInfo& frame);
  absl::Status AddFromSeekTable(const FileSource& source, std::string_view footer);
  absl::Status AddByWalking(const FileSource& source);
  // The frames from `first` on, a multiple of the group's size, as many as make a group.
  absl::Status LoadGroup(const FileSource& source, size_t first) const;

  std::vector<uint64_t> anchors_;  // offset of the first frame of each group
  size_t size_ = 0;
  uint64_t compressed_bytes_ = 0;
  uint64_t raw_bytes_ = 0;
  std::optional<uint64_t> table_offset_;  // of the seek table

  // The group that was looked at last.
  mutable size_t loaded_first_ = 0;
  mutable std::vector<FrameInfo> loaded_;
};

// An error at a byte of a log: "NAME: at byte N: WHAT".
absl::Status ErrorAt(const FileSource& source, uint64_t offset, const absl::Status& status);

// Reads frames of an index.
class FrameLoader {
 public:
  explicit FrameLoader(const FileSource& source) : source_(source) {}

  // Replaces `content` by the content of the frame. Errors as of ErrorAt().
  absl::Status Load(const FrameInfo& frame, std::string& content);

 private:
  const FileSource& source_;
  FrameDecompressor decompressor_;
  std::string bytes_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_FRAME_INDEX_H_
