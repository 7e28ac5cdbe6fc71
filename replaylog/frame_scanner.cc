#include "replaylog/frame_scanner.h"

#include <algorithm>

namespace isochron::replaylog {
namespace {

// Most frames are smaller. A frame that is not is measured again with twice as many bytes.
constexpr size_t kFirstRead = 64 << 10;

}  // namespace

absl::Status FrameScanner::Fill(size_t want) {
  const size_t have = buffer_.size() - at_;
  if (have >= want) return absl::OkStatus();
  buffer_.erase(0, at_);
  base_ += at_;
  at_ = 0;
  const uint64_t left = end_ - base_ - have;
  const size_t size = static_cast<size_t>(std::min<uint64_t>(want - have, left));
  if (size == 0) return absl::OkStatus();
  if (absl::Status status = source_.ReadAt(base_ + have, size, piece_); !status.ok()) {
    return status;
  }
  buffer_ += piece_;
  return absl::OkStatus();
}

absl::StatusOr<FrameSizes> FrameScanner::Measure(size_t max_raw) {
  const size_t limit = MaxCompressedBytes(max_raw);
  measured_ = 0;
  // What the buffer holds already may do.
  for (size_t want = std::min(limit, std::max<size_t>(buffer_.size() - at_, 1));;
       want = std::min(limit, std::max(want * 2, kFirstRead))) {
    if (absl::Status status = Fill(want); !status.ok()) return status;
    const absl::StatusOr<FrameSizes> sizes =
        MeasureFrame(ahead().substr(0, std::min(limit, ahead().size())), max_raw);
    if (sizes.ok()) {
      measured_ = sizes->compressed;
      return sizes;
    }
    if (!absl::IsOutOfRange(sizes.status()) || ahead().size() < want) return sizes.status();
    if (want == limit) return absl::DataLossError("the zstd frame is too large");
  }
}

void FrameScanner::Skip() {
  at_ += measured_;
  measured_ = 0;
}

}  // namespace isochron::replaylog
