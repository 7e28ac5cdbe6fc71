#include "replaylog/log_reader.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replaylog/bundle.h"
#include "replaylog/describe.h"
#include "replaylog/file_source.h"
#include "replaylog/output_file.h"
#include "replaylog/snapshot_header.h"
#include "replaylog/stream_digest.h"

namespace isochron::replaylog {

class LogReader::Impl {
 public:
  // `images` are those of the bundle that the log is in.
  Impl(std::unique_ptr<FileSource> source, FrameIndex index,
       std::optional<std::vector<ImageFile>> images)
      : source_(std::move(source)),
        index_(std::move(index)),
        is_bundle_(images.has_value()),
        images_(std::move(images).value_or(std::vector<ImageFile>())),
        loader_(*source_) {}

  absl::Status ReadHeader() {
    if (absl::Status status = LoadFrame(0).status(); !status.ok()) return status;
    absl::StatusOr<LogHeader> header = DecodeHeader(content_);
    if (!header.ok()) return ErrorAt(*source_, 0, header.status());
    header_ = *std::move(header);
    Rewind();
    return absl::OkStatus();
  }

  const LogHeader& header() const { return header_; }
  const FrameIndex& index() const { return index_; }
  bool is_bundle() const { return is_bundle_; }
  uint64_t unknown_witnesses() const { return unknown_witnesses_; }
  const std::vector<ImageFile>& images() const { return images_; }
  const FileSource& source() const { return *source_; }

  absl::StatusOr<bool> Next(Event& event) {
    if (held_) {
      event = *std::exchange(held_, std::nullopt);
    } else {
      absl::StatusOr<bool> got = Decode(event);
      if (!got.ok() || !*got) return got;
    }
    if (std::holds_alternative<UnknownEvent>(event.body)) ++unknown_witnesses_;
    return true;
  }

  absl::Status SeekToCycle(uint64_t cycle) {
    return Seek([cycle](const FrameStart& start) { return start.cycle < cycle; },
                [cycle](const Event& event) { return event.cycle >= cycle; });
  }

  absl::Status SeekToEvent(uint64_t number) {
    return Seek([number](const FrameStart& start) { return start.event_number <= number; },
                [number](const Event& event) { return event.number >= number; });
  }

  absl::StatusOr<LogSummary> Verify() {
    LogSummary summary;
    StreamDigest digest;
    if (absl::Status status = LoadFrame(0).status(); !status.ok()) return status;
    digest.Update(content_);
    Rewind();
    digest_ = &digest;
    Event event;
    absl::StatusOr<bool> got = true;
    while ((got = Decode(event)).ok() && *got) Count(event, summary);
    digest_ = nullptr;
    Rewind();
    if (!got.ok()) return got.status();
    summary.identity = digest.digest();
    return summary;
  }

 private:
  static void Count(const Event& event, LogSummary& summary) {
    ++summary.events;
    summary.last_cycle = event.last_cycle();
    if (const UnknownEvent* unknown = std::get_if<UnknownEvent>(&event.body)) {
      ++summary.unknown_witnesses;
      ++summary.events_by_type[unknown->type];
      return;
    }
    ++summary.events_by_type[static_cast<uint8_t>(TypeOf(event))];
    if (const OutputRun* output = std::get_if<OutputRun>(&event.body)) {
      summary.console_bytes += output->bytes.size();
    }
    if (std::holds_alternative<EndEvent>(event.body)) summary.end = event;
  }

  // Goes to the first event.
  void Rewind() {
    frame_ = 0;
    content_.clear();
    decoder_ = {};
    expected_start_ = FrameStart{};
    ended_ = false;
    held_.reset();
    error_ = absl::OkStatus();
  }

  // Replaces content_ by that of a frame. Returns where the frame is.
  absl::StatusOr<uint64_t> LoadFrame(size_t frame) {
    const absl::StatusOr<FrameInfo> info = index_.At(*source_, frame);
    if (!info.ok()) return info.status();
    if (absl::Status status = loader_.Load(*info, content_); !status.ok()) return status;
    return info->offset;
  }

  // Makes frame `frame` the current one.
  absl::Status EnterFrame(size_t frame) {
    decoder_ = {};  // it points into content_
    const absl::StatusOr<uint64_t> offset = LoadFrame(frame);
    if (!offset.ok()) return offset.status();
    offset_ = *offset;
    if (digest_ != nullptr) digest_->Update(content_);
    if (absl::Status status = decoder_.Start(content_); !status.ok()) {
      return ErrorAt(*source_, offset_, status);
    }
    if (expected_start_ && decoder_.start() != *expected_start_) {
      return ErrorAt(
          *source_, offset_,
          absl::DataLossError(decoder_.start().cycle < expected_start_->cycle
                                  ? "the frame's cycle goes back"
                                  : "the frame does not go on where the one before it ends"));
    }
    frame_ = frame;
    expected_start_.reset();
    return absl::OkStatus();
  }

  static bool IsOfNetwork(const Event& event) {
    const InputEvent* const input = std::get_if<InputEvent>(&event.body);
    return std::holds_alternative<machine::FrameEvent>(event.body) ||
           (input != nullptr && input->input.kind == machine::InputKind::kFrame);
  }

  // Decodes the next event. After an error: the same error again.
  absl::StatusOr<bool> Decode(Event& event) {
    if (!error_.ok()) return error_;
    absl::StatusOr<bool> got = DecodeNext(event);
    error_ = got.status();
    return got;
  }

  absl::StatusOr<bool> DecodeNext(Event& event) {
    for (;;) {
      absl::StatusOr<bool> got = decoder_.Next(event);
      if (!got.ok()) return ErrorAt(*source_, offset_, got.status());
      if (*got) {
        if (header_.config.network.has_value() || !IsOfNetwork(event)) break;
        return ErrorAt(*source_, offset_,
                       absl::DataLossError("a frame of a network device that there is none of"));
      }
      if (frame_ + 1 == index_.size()) return AtEnd();
      if (frame_ != 0) expected_start_ = decoder_.next();
      if (absl::Status status = EnterFrame(frame_ + 1); !status.ok()) return status;
    }
    if (ended_) {
      return ErrorAt(*source_, offset_, absl::DataLossError("an event follows the end of the run"));
    }
    ended_ = std::holds_alternative<EndEvent>(event.body);
    return true;
  }

  absl::StatusOr<bool> AtEnd() {
    if (index_.has_seek_table() && !ended_) {
      return ErrorAt(*source_, source_->size(),
                     absl::DataLossError("the log has no end of the run"));
    }
    return false;
  }

  // Goes to the last frame whose start is `before` what is looked for (or else to the first), then
  // to the first event from there that is `there`.
  template <typename Before, typename There>
  absl::Status Seek(Before before, There there) {
    Rewind();
    if (index_.size() == 1) return absl::OkStatus();
    size_t low = 1;
    size_t high = index_.size();
    while (high - low > 1) {
      const size_t middle = low + (high - low) / 2;
      expected_start_.reset();
      if (absl::Status status = EnterFrame(middle); !status.ok()) return status;
      (before(decoder_.start()) ? low : high) = middle;
    }
    expected_start_.reset();
    if (low == 1) expected_start_ = FrameStart{};
    if (absl::Status status = EnterFrame(low); !status.ok()) return status;
    held_.emplace();
    for (;;) {
      absl::StatusOr<bool> got = Decode(*held_);
      if (got.ok() && *got && !there(*held_)) continue;
      if (!got.ok() || !*got) held_.reset();
      return got.status();
    }
  }

  const std::unique_ptr<FileSource> source_;
  const FrameIndex index_;
  const bool is_bundle_;
  const std::vector<ImageFile> images_;
  FrameLoader loader_;
  LogHeader header_;

  size_t frame_ = 0;     // the current frame; 0, the header's, has no events
  uint64_t offset_ = 0;  // where it is
  std::string content_;  // of the current frame
  FrameDecoder decoder_;
  // What the next frame must begin with, unless it was sought.
  std::optional<FrameStart> expected_start_;
  bool ended_ = false;         // the end of the run has been decoded
  std::optional<Event> held_;  // decoded already, for Next()
  absl::Status error_;
  uint64_t unknown_witnesses_ = 0;
  StreamDigest* digest_ = nullptr;  // takes the content of frames that are entered
};

namespace {

// Who looks for a log that is not there may want its partial file.
absl::Status HintAtPartial(const std::string& path, absl::Status status) {
  const std::string partial = PartialPath(path);
  std::error_code error;
  if (!absl::IsNotFound(status) || !std::filesystem::exists(partial, error)) return status;
  return absl::NotFoundError(absl::StrCat(status.message(),
                                          "; its recording is not finished or was cut short: what ",
                                          "there is can be read from ", partial));
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogReader>> LogReader::Open(const std::string& path,
                                                           uint64_t pipe_limit) {
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::Open(path, pipe_limit);
  if (!source.ok()) return HintAtPartial(path, source.status());
  std::optional<std::vector<ImageFile>> images;
  if (IsBundle(**source)) {
    absl::StatusOr<Bundle> bundle = ReadBundle(**source);
    if (!bundle.ok()) return bundle.status();
    images = std::move(bundle->images);
    *source = std::move(bundle->log);
  }
  if (IsSnapshotFile(**source)) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": this is no replay log but the snapshots of one (log snapshots lists them)"));
  }
  absl::StatusOr<FrameIndex> index = FrameIndex::Of(**source);
  if (!index.ok()) return index.status();
  auto impl = std::make_unique<Impl>(*std::move(source), *std::move(index), std::move(images));
  if (absl::Status status = impl->ReadHeader(); !status.ok()) return status;
  return std::unique_ptr<LogReader>(new LogReader(std::move(impl)));
}

LogReader::LogReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LogReader::~LogReader() = default;
const LogHeader& LogReader::header() const { return impl_->header(); }
bool LogReader::is_partial() const { return !impl_->index().has_seek_table(); }
bool LogReader::is_bundle() const { return impl_->is_bundle(); }
absl::StatusOr<bool> LogReader::Next(Event& event) { return impl_->Next(event); }
uint64_t LogReader::unknown_witnesses() const { return impl_->unknown_witnesses(); }
absl::Status LogReader::SeekToCycle(uint64_t cycle) { return impl_->SeekToCycle(cycle); }
absl::Status LogReader::SeekToEvent(uint64_t number) { return impl_->SeekToEvent(number); }
const FrameIndex& LogReader::frames() const { return impl_->index(); }
const std::vector<ImageFile>& LogReader::bundled_images() const { return impl_->images(); }
const FileSource& LogReader::source() const { return impl_->source(); }
uint64_t LogReader::log_bytes() const { return impl_->source().size(); }
absl::StatusOr<LogSummary> LogReader::Verify() { return impl_->Verify(); }

absl::Status CheckModel(const LogHeader& header, const machine::Digest& palcode,
                        const machine::Digest& disk_console) {
  if (header.model_version != machine::kModelVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log was recorded with model version ", header.model_version,
                     "; this program implements version ", machine::kModelVersion));
  }
  if (header.palcode != palcode) {
    return absl::FailedPreconditionError(absl::StrCat("the log was recorded with PALcode ",
                                                      header.palcode.ToString(),
                                                      "; this program has ", palcode.ToString()));
  }
  if (header.config.has_disk_console() && header.disk_console != disk_console) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log was recorded with the console ", header.disk_console.ToString(),
                     "; this program has ", disk_console.ToString()));
  }
  return absl::OkStatus();
}

}  // namespace isochron::replaylog
