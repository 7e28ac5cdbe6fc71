// Where the frames of a log are.

#ifndef ISOCHRON_REPLAYLOG_FRAME_INDEX_H_
#define ISOCHRON_REPLAYLOG_FRAME_INDEX_H_

#include <cstdint>
#include <optional>
#include <string>
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

struct FrameIndex {
  std::vector<FrameInfo> frames;  // the header's first; never empty
  bool has_seek_table = false;    // else the log breaks off after the last of these frames
};

// An error at a byte of a log: "NAME: at byte N: WHAT".
absl::Status ErrorAt(const FileSource& source, uint64_t offset, const absl::Status& status);

// Finds the frames of a log: by its seek table, or else by going from frame to frame as far as they
// are whole. InvalidArgument when the file is no zstd file, DataLoss when it is damaged.
absl::StatusOr<FrameIndex> IndexFrames(const FileSource& source);

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
