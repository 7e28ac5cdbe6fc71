// Writing a log.

#ifndef ISOCHRON_REPLAYLOG_LOG_WRITER_H_
#define ISOCHRON_REPLAYLOG_LOG_WRITER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/events/digest.h"
#include "replaylog/event.h"
#include "replaylog/event_stream.h"
#include "replaylog/output_file.h"

namespace isochron::replaylog {

struct LogWriterOptions {
  // Called on the background thread before it compresses a frame. Tests delay it here.
  std::function<void()> before_frame;
};

// Takes the events of a run and makes a log of them. The bytes depend on header and events
// alone: a background thread compresses and writes, in order, and has no say in what.
//
// All functions belong to one thread. Append() costs nanoseconds; it blocks only while
// several frames wait to be written.
class LogWriter final : public EventSink {
 public:
  // Starts a log that is to appear at `path`. Until Finish() it is `path`.partial, locked
  // against a second writer, and an existing file at `path` stays what it is. When `path` is
  // "-" (standard output) or names something that is no regular file (a pipe, a device), the
  // log goes straight there. When Create() returns, the header has been handed to the
  // operating system: it survives the end of this process, though not the loss of power.
  //
  // Errors, after which nothing is left of the file, name the path: those of OutputFile::Create(),
  // or what the operating system says. InvalidArgument when the header exceeds a limit of the
  // format, Internal when the host refuses a thread.
  static absl::StatusOr<std::unique_ptr<LogWriter>> Create(const std::string& path,
                                                           const LogHeader& header,
                                                           LogWriterOptions options = {});
  // The same in a file that has been created already.
  static absl::StatusOr<std::unique_ptr<LogWriter>> Create(std::unique_ptr<OutputFile> file,
                                                           const LogHeader& header,
                                                           LogWriterOptions options = {});

  // As LeavePartial(), unless the log has been finished.
  ~LogWriter() override;

  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Appends an event, whose number is ignored. Output that follows output of the same UART
  // joins its record. Without effect once status() is not OK.
  void Append(const Event& event) override;

  // OK as long as the log can be written. Cheap enough to ask at every boundary. After an error
  // `path`.partial is readable to its last whole frame.
  absl::Status status() const override;

  // Writes what is left and the seek table, waits until the file is on the disk and gives it its
  // name. The last event must have been an EndEvent. Any error of the writer's life comes
  // out here.
  absl::Status Finish();

  // Ends the writer without Finish(): writes the events so far as a last frame and leaves
  // `path`.partial. Any error of the writer's life comes out here.
  absl::Status LeavePartial();

  // Ends the writer without Finish() and removes the file: the run was never begun.
  void Discard();

  // Writes to another file at `path` a log that breaks off here, as a crash would leave it but
  // without loss: commands that read logs take it as partial. This log is not touched. Errors name
  // a path; FailedPrecondition when this log is no regular file.
  absl::Status SaveCopy(const std::string& path);

  // Whether the log has `size` bytes or more: those of the frames that have ended, compressed, and
  // the contents of the one that has not. A function of the events, and of the version of zstd,
  // alone; may wait for frames that are being compressed.
  bool Reaches(uint64_t size);

  // The identity of the log: XXH3-128 of its uncompressed stream. After Finish().
  machine::Digest identity() const;
  // Events of the log. After Finish().
  uint64_t events() const;
  // Bytes of the file. After Finish().
  uint64_t file_bytes() const;

 private:
  class Impl;
  explicit LogWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_LOG_WRITER_H_
