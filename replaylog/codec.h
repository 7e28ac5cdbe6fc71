// Header and events as bytes: the uncompressed stream of a log. docs/replay-log.md is the
// definition; the names here are the ones used there.

#ifndef ISOCHRON_REPLAYLOG_CODEC_H_
#define ISOCHRON_REPLAYLOG_CODEC_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replaylog/event.h"
#include "replaylog/format.h"

namespace isochron::replaylog {

// The content of the header frame, of the newest version. InvalidArgument when it would exceed
// kMaxHeaderBytes or the images are not in order.
absl::StatusOr<std::string> EncodeHeader(const LogHeader& header);
// InvalidArgument when the bytes are not the header of a log or of another major version,
// DataLoss when they are damaged. The model version is not judged.
absl::StatusOr<LogHeader> DecodeHeader(std::string_view bytes);

// Where a frame begins; what makes it decodable alone.
struct FrameStart {
  uint64_t cycle = 0;         // last_cycle() of the event before the frame, 0 for the first frame
  uint64_t event_number = 0;  // of the first event in the frame

  friend bool operator==(const FrameStart&, const FrameStart&) = default;
};

// Encodes one frame after the other.
class FrameEncoder {
 public:
  FrameEncoder() { StartFrame(); }

  // Appends a record to the frame. The event's number is ignored: events are numbered as they
  // come. InvalidArgument, with nothing appended, when its cycle is below that of the last one
  // or its contents exceed a limit.
  absl::Status Append(const Event& event);

  const std::string& bytes() const { return bytes_; }
  // Hands the frame's content over and begins the next frame, in the room that `spare` has.
  std::string TakeFrame(std::string spare = {});
  // Whether the frame has any event.
  bool empty() const { return next_.event_number == start_.event_number; }
  // Where the frame begins, and where the next one would.
  const FrameStart& start() const { return start_; }
  const FrameStart& next() const { return next_; }

 private:
  void StartFrame();

  std::string bytes_;
  std::string payload_;  // scratch
  FrameStart start_;
  FrameStart next_;
};

// Decodes one frame.
class FrameDecoder {
 public:
  // An empty frame; Start() must follow.
  FrameDecoder() = default;

  // Takes the content of a frame, which must outlive the decoder, and its first record.
  // DataLoss says what is wrong at which byte of the content.
  absl::Status Start(std::string_view content);
  const FrameStart& start() const { return start_; }

  // Decodes the next record to `event`, whose storage is used again. False at the end of the
  // frame. DataLoss as above; Unimplemented for an input of unknown type.
  absl::StatusOr<bool> Next(Event& event);
  // Byte of the content at which the next record begins.
  size_t position() const { return content_.size() - rest_.size(); }
  // Where a frame that began after the last decoded event would begin.
  const FrameStart& next() const { return next_; }

 private:
  std::string_view content_;
  std::string_view rest_;
  FrameStart start_;
  FrameStart next_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_CODEC_H_
