#include "replaylog/log_writer.h"

#include <zstd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hostio/thread.h"
#include "replaylog/codec.h"
#include "replaylog/event_merger.h"
#include "replaylog/output_file.h"
#include "replaylog/seek_table.h"
#include "replaylog/stream_digest.h"
#include "replaylog/zstd_frame.h"

namespace isochron::replaylog {
namespace {

// A frame ends with the first checkpoint at which it has so much content or covers so many
// cycles: what a crash may cost, against what compression loses by starting anew. These numbers
// are part of the format's identity: change them and logs of the same run differ.
constexpr size_t kFrameBytes = 64 << 10;
constexpr uint64_t kFrameCycles = uint64_t{1} << 30;
// It ends after any record that brings it here, so that a reader's memory is bounded.
constexpr size_t kLongFrameBytes = 512 << 10;
static_assert(kLongFrameBytes + kMaxPayloadBytes + 64 <= kMaxFrameBytes);

// Frames that wait to be written; the sequencer waits when there are as many.
constexpr size_t kMaxQueuedFrames = 4;

// The background thread: compresses frames and writes them.
class FrameWriter {
 public:
  FrameWriter(std::unique_ptr<OutputFile> file, std::function<void()> before_frame)
      : file_(std::move(file)), before_frame_(std::move(before_frame)) {}

  // To be called first.
  absl::Status Start() {
    absl::StatusOr<std::thread> thread = hostio::StartThread([this] { Work(); });
    if (!thread.ok()) return thread.status();
    thread_ = *std::move(thread);
    return absl::OkStatus();
  }

  ~FrameWriter() { Close(/*complete=*/false); }

  void Add(std::string content) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return queue_.size() < kMaxQueuedFrames; });
    at_most_ += AtMost(content.size());
    queue_.push_back(std::move(content));
    changed_.notify_all();
  }

  // An empty string for the content of a frame, with the room of one that has been written.
  std::string TakeSpare() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (spares_.empty()) return {};
    std::string spare = std::move(spares_.back());
    spares_.pop_back();
    return spare;
  }

  // Whether all frames so far have `size` bytes or more, compressed. Waits for those that are not
  // yet when they could.
  bool Reaches(uint64_t size) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (at_most_ < size) return false;
    changed_.wait(lock, [this] { return queue_.empty(); });
    return at_most_ >= size;
  }

  // Waits until all frames have been written.
  void Drain() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return queue_.empty(); });
  }

  // Appends all frames so far to `copy`.
  absl::Status CopyTo(OutputFile& copy) {
    Drain();
    if (absl::Status status = this->status(); !status.ok()) return status;
    return file_->CopyTo(copy);
  }

  // Writes all frames and, when `complete`, what makes them a whole log.
  void Close(bool complete) {
    if (!thread_.joinable()) return;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      complete_ = complete;
      closing_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  bool failed() const { return failed_.load(std::memory_order_relaxed); }

  absl::Status status() const {
    if (!failed()) return absl::OkStatus();
    std::lock_guard<std::mutex> lock(mutex_);
    return status_;
  }

  // After Close().
  void Discard() { file_->Discard(); }
  uint64_t file_bytes() const { return file_->size(); }
  machine::Digest identity() const { return digest_.digest(); }

 private:
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !queue_.empty() || closing_; });
      if (queue_.empty()) break;
      std::string content = std::move(queue_.front());
      lock.unlock();
      // After an error, frames only leave the queue.
      const absl::Status status = failed() ? absl::OkStatus() : WriteFrame(content);
      lock.lock();
      Note(status);
      // Once compressed, a frame has the size that it has.
      if (status.ok() && !entries_.empty()) {
        at_most_ -= AtMost(content.size()) - entries_.back().compressed;
      }
      content.clear();
      spares_.push_back(std::move(content));
      queue_.pop_front();
      changed_.notify_all();
    }
    if (complete_ && status_.ok()) Note(Complete());
  }

  // With the lock held.
  void Note(const absl::Status& status) {
    if (status.ok()) return;
    status_ = status;
    failed_.store(true, std::memory_order_relaxed);
  }

  // What a frame of so much content may have when it is compressed (ZSTD_COMPRESSBOUND).
  static uint64_t AtMost(uint64_t content) { return ZSTD_compressBound(content); }

  absl::Status WriteFrame(const std::string& content) {
    if (before_frame_) before_frame_();
    digest_.Update(content);
    const absl::StatusOr<std::string_view> frame = compressor_.Compress(content);
    if (!frame.ok()) return frame.status();
    if (absl::Status status = file_->Write(*frame); !status.ok()) return status;
    entries_.push_back({static_cast<uint32_t>(frame->size()), static_cast<uint32_t>(content.size()),
                        FrameChecksum(*frame)});
    return absl::OkStatus();
  }

  absl::Status Complete() {
    if (absl::Status status = file_->Write(EncodeSeekTable(entries_)); !status.ok()) {
      return status;
    }
    return file_->Commit();
  }

  // Of the background thread, while there are frames for it.
  const std::unique_ptr<OutputFile> file_;
  const std::function<void()> before_frame_;
  FrameCompressor compressor_;
  std::vector<SeekEntry> entries_;
  StreamDigest digest_;

  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_. A frame stays in the queue until it has been written.
  std::deque<std::string> queue_;
  std::vector<std::string> spares_;  // no more than frames that can be on their way
  uint64_t at_most_ = 0;             // bytes of all frames: those in the queue with AtMost()
  absl::Status status_;
  bool closing_ = false;
  bool complete_ = false;

  std::thread thread_;
};

}  // namespace

class LogWriter::Impl {
 public:
  Impl(std::unique_ptr<OutputFile> file, LogWriterOptions options)
      : writer_(std::move(file), std::move(options.before_frame)) {}

  absl::Status LeavePartial() {
    if (finished_) return status();
    finished_ = true;
    FlushRun();
    if (status().ok() && !encoder_.empty()) HandOver();
    writer_.Close(/*complete=*/false);
    return status();
  }

  absl::Status Start(std::string header) {
    if (absl::Status status = writer_.Start(); !status.ok()) return status;
    writer_.Add(std::move(header));
    writer_.Drain();
    return writer_.status();
  }

  void Discard() {
    finished_ = true;
    writer_.Close(/*complete=*/false);
    writer_.Discard();
  }

  void Append(const Event& event) {
    if (!encode_status_.ok() || writer_.failed()) return;
    if (ended_) {
      encode_status_ = absl::FailedPreconditionError("an event follows the end of the run");
      return;
    }
    const EventMerger::Completed completed = merger_.Add(event);
    if (completed.run) Encode(*completed.run);
    if (completed.number) Encode(event);
  }

  absl::Status status() const { return encode_status_.ok() ? writer_.status() : encode_status_; }

  absl::Status Finish() {
    if (finished_) return absl::FailedPreconditionError("the log has been finished already");
    if (!ended_ && status().ok()) {
      encode_status_ = absl::FailedPreconditionError("the log lacks the end of the run");
    }
    finished_ = true;
    if (!encoder_.empty()) HandOver();
    writer_.Close(/*complete=*/encode_status_.ok());
    return status();
  }

  absl::Status SaveCopy(const std::string& path) {
    if (absl::Status status = this->status(); !status.ok()) return status;
    absl::StatusOr<std::unique_ptr<OutputFile>> copy = OutputFile::Create(path);
    if (!copy.ok()) return copy.status();
    absl::Status status = writer_.CopyTo(**copy);
    if (status.ok()) status = WriteOpenFrame(**copy);
    return (*copy)->Finish(std::move(status));
  }

  bool Reaches(uint64_t size) {
    const uint64_t open = encoder_.bytes().size();
    return size <= open || writer_.Reaches(size - open);
  }

  machine::Digest identity() const { return writer_.identity(); }
  uint64_t events() const { return merger_.next_number(); }
  uint64_t file_bytes() const { return writer_.file_bytes(); }

 private:
  // Writes the events of the frame that has not ended as if it ended here.
  absl::Status WriteOpenFrame(OutputFile& copy) const {
    EventMerger merger = merger_;
    FrameEncoder encoder = encoder_;
    if (const std::optional<Event> run = merger.Flush()) {
      if (absl::Status status = encoder.Append(*run); !status.ok()) return status;
    }
    if (encoder.empty()) return absl::OkStatus();
    FrameCompressor compressor;
    const absl::StatusOr<std::string_view> frame = compressor.Compress(encoder.TakeFrame());
    return frame.ok() ? copy.Write(*frame) : frame.status();
  }

  void FlushRun() {
    if (std::optional<Event> run = merger_.Flush()) Encode(*run);
  }

  void Encode(const Event& event) {
    if (!encode_status_.ok()) return;
    encode_status_ = encoder_.Append(event);
    if (!encode_status_.ok()) return;
    ended_ = std::holds_alternative<EndEvent>(event.body);
    const size_t size = encoder_.bytes().size();
    const bool at_checkpoint = std::holds_alternative<CheckpointEvent>(event.body);
    if (size >= kLongFrameBytes ||
        (at_checkpoint &&
         (size >= kFrameBytes || event.cycle - encoder_.start().cycle >= kFrameCycles))) {
      HandOver();
    }
  }

  // Ends the frame.
  void HandOver() { writer_.Add(encoder_.TakeFrame(writer_.TakeSpare())); }

  EventMerger merger_;
  FrameEncoder encoder_;
  absl::Status encode_status_;
  bool ended_ = false;
  bool finished_ = false;
  FrameWriter writer_;
};

absl::StatusOr<std::unique_ptr<LogWriter>> LogWriter::Create(const std::string& path,
                                                             const LogHeader& header,
                                                             LogWriterOptions options) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  return Create(*std::move(file), header, std::move(options));
}

absl::StatusOr<std::unique_ptr<LogWriter>> LogWriter::Create(std::unique_ptr<OutputFile> file,
                                                             const LogHeader& header,
                                                             LogWriterOptions options) {
  absl::StatusOr<std::string> bytes = EncodeHeader(header);
  if (!bytes.ok()) {
    file->Discard();
    return bytes.status();
  }
  auto impl = std::make_unique<Impl>(std::move(file), std::move(options));
  if (absl::Status status = impl->Start(*std::move(bytes)); !status.ok()) {
    impl->Discard();
    return status;
  }
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(impl)));
}

LogWriter::LogWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogWriter::~LogWriter() { (void)LeavePartial(); }
void LogWriter::Append(const Event& event) { impl_->Append(event); }
absl::Status LogWriter::status() const { return impl_->status(); }
absl::Status LogWriter::Finish() { return impl_->Finish(); }
absl::Status LogWriter::LeavePartial() { return impl_->LeavePartial(); }
void LogWriter::Discard() { impl_->Discard(); }
absl::Status LogWriter::SaveCopy(const std::string& path) { return impl_->SaveCopy(path); }
bool LogWriter::Reaches(uint64_t size) { return impl_->Reaches(size); }
machine::Digest LogWriter::identity() const { return impl_->identity(); }
uint64_t LogWriter::events() const { return impl_->events(); }
uint64_t LogWriter::file_bytes() const { return impl_->file_bytes(); }

}  // namespace isochron::replaylog
