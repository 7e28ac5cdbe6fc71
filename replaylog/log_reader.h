// Reading a log.

#ifndef ISOCHRON_REPLAYLOG_LOG_READER_H_
#define ISOCHRON_REPLAYLOG_LOG_READER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/events/digest.h"
#include "replaylog/codec.h"
#include "replaylog/event.h"
#include "replaylog/event_stream.h"
#include "replaylog/file_source.h"
#include "replaylog/frame_index.h"
#include "replaylog/image_set.h"

namespace isochron::replaylog {

// What a reader found out by reading a whole log.
struct LogSummary {
  std::array<uint64_t, 128> events_by_type{};  // indexed by RecordType
  uint64_t events = 0;
  uint64_t last_cycle = 0;
  uint64_t console_bytes = 0;      // sent by UARTs
  uint64_t unknown_witnesses = 0;  // of types that this program does not know
  std::optional<Event> end;        // absent in a partial log
  machine::Digest identity;        // XXH3-128 of the uncompressed stream
};

// Reads a log from its beginning or from anywhere in it. Memory in use is bounded by the
// format's limits and a twentieth of the log, whatever the file holds.
//
// Errors are InvalidArgument for a file that is not a log that this program could read and
// DataLoss for a damaged one; they name the file, the byte and what is wrong.
class LogReader final : public SeekableSource {
 public:
  // Opens the log at `path`: complete, partial (its whole frames), or inside a bundle (see
  // bundle.h). "-" is standard input; of a pipe at most `pipe_limit` bytes are copied to a
  // temporary file first (see FileSource).
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(const std::string& path,
                                                         uint64_t pipe_limit = hostio::PipeLimit());

  ~LogReader() override;
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  const LogHeader& header() const;
  // Whether the log breaks off: its recorder is still running or was killed.
  bool is_partial() const;
  // Whether the log is in a bundle.
  bool is_bundle() const;
  // The images of the bundle; none when the log is in no bundle.
  const std::vector<ImageFile>& bundled_images() const;
  // The bytes of the log.
  const FileSource& source() const;

  // Decodes the next event to `event`, whose storage is used again. False at the end. Events of
  // unknown type come as UnknownEvent and may be ignored.
  absl::StatusOr<bool> Next(Event& event) override;
  // UnknownEvents that Next() has returned so far.
  uint64_t unknown_witnesses() const;

  // Makes Next() go on with the first event at or past `cycle`, or with event number `number`;
  // at the end of the log if there is none. Reads as many frames as a binary search takes.
  absl::Status SeekToCycle(uint64_t cycle);
  absl::Status SeekToEvent(uint64_t number) override;

  // Where its frames are.
  const FrameIndex& frames() const;
  // Bytes of the whole log, the seek table included, and what a partial log has behind its last
  // whole frame.
  uint64_t log_bytes() const;

  // Reads everything and checks structure, checksums and order. Next() then begins at the
  // first event.
  absl::StatusOr<LogSummary> Verify();

 private:
  class Impl;
  explicit LogReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// OK when this program can replay a log with this header; otherwise FailedPrecondition that names
// both model versions or PALcode digests. Reading commands need not ask.
absl::Status CheckModel(const LogHeader& header, const machine::Digest& palcode,
                        const machine::Digest& disk_console);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_LOG_READER_H_
