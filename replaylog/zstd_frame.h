// The zstd frames that a log consists of.

#ifndef ISOCHRON_REPLAYLOG_ZSTD_FRAME_H_
#define ISOCHRON_REPLAYLOG_ZSTD_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace isochron::replaylog {

// Whether `bytes` begin with the first bytes of a zstd frame, as many of the four as there are.
bool BeginsLikeZstdFrame(std::string_view bytes);

// The most bytes that a frame with `raw` bytes of content takes.
size_t MaxCompressedBytes(size_t raw);

// The low half of the XXH64 of a frame's content: its own checksum, and the seek table's.
uint32_t ContentChecksum(std::string_view content);
// The same, as a frame of FrameCompressor has it.
uint32_t FrameChecksum(std::string_view frame);

// Sets all parameters of a compression, so that neither a table of levels nor the host decides any.
// `window_log`, `table_log`: of the sizes, in bytes and in entries, of the window and of each of
// the two tables of matches.
absl::Status SetCompression(ZSTD_CCtx_s* context, int window_log, int table_log);

// Makes independent frames with content size and checksum. Equal contents make equal frames on
// every host that has the same version of the library.
class FrameCompressor {
 public:
  FrameCompressor();
  ~FrameCompressor();

  // The frame is valid until the next call.
  absl::StatusOr<std::string_view> Compress(std::string_view content);

 private:
  absl::StatusOr<std::string_view> CompressQuickly(std::string_view content);
  // With the parameters that have been set.
  absl::StatusOr<std::string_view> CompressSo(std::string_view content);

  ZSTD_CCtx_s* context_;
  std::string frame_;  // as long as the longest could have been
};

struct FrameSizes {
  size_t compressed = 0;
  size_t raw = 0;
};

// Sizes of the frame at the front of `bytes`. OutOfRange when `bytes` end within it, DataLoss
// when it is no frame as FrameCompressor makes them or holds more than `max_raw` bytes.
absl::StatusOr<FrameSizes> MeasureFrame(std::string_view bytes, size_t max_raw);

class FrameDecompressor {
 public:
  FrameDecompressor();
  ~FrameDecompressor();

  // Replaces `content` by the content of `frame`, exactly one frame. DataLoss when it is damaged or
  // holds more than `max_raw` bytes.
  absl::Status Decompress(std::string_view frame, size_t max_raw, std::string& content);

 private:
  ZSTD_DCtx_s* context_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_ZSTD_FRAME_H_
