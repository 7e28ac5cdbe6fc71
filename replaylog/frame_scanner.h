// Goes from zstd frame to zstd frame where nothing tells how long they are.

#ifndef ISOCHRON_REPLAYLOG_FRAME_SCANNER_H_
#define ISOCHRON_REPLAYLOG_FRAME_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/file_source.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {

// Reads the frames of a range of a file, one after the other. What has been read of the file is
// kept until the scan is past it: reading costs in proportion to the bytes of the frames, however
// small they are, and memory to the largest frame.
class FrameScanner {
 public:
  // Frames of `source`, which must outlive the scanner, from `offset` up to `end` (at most its
  // size).
  FrameScanner(const FileSource& source, uint64_t offset, uint64_t end)
      : source_(source), base_(offset), end_(end) {}

  // Measures the frame at offset(), whose content has at most `max_raw` bytes. Frame() is it then.
  // OutOfRange when the range ends within the frame, DataLoss when it is none, or what reading
  // gives; without a place.
  absl::StatusOr<FrameSizes> Measure(size_t max_raw);

  // The frame that has been measured, until the next call.
  std::string_view frame() const { return std::string_view(buffer_).substr(at_, measured_); }
  // What has been read from offset() on. After Measure().
  std::string_view ahead() const { return std::string_view(buffer_).substr(at_); }
  // Goes past the frame that has been measured.
  void Skip();

  uint64_t offset() const { return base_ + at_; }

 private:
  // Has `want` bytes from offset() on in the buffer, or all there are.
  absl::Status Fill(size_t want);

  const FileSource& source_;
  std::string buffer_;
  std::string piece_;
  uint64_t base_;        // where in the source the buffer begins
  size_t at_ = 0;        // where in the buffer the current frame begins
  size_t measured_ = 0;  // bytes of the current frame, 0 when it has not been measured
  const uint64_t end_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_FRAME_SCANNER_H_
