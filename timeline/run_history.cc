#include "timeline/run_history.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace isochron::timeline {
namespace {

// Content of a frame, of which a reader copies and decodes one to come to an event.
constexpr size_t kFrameBytes = size_t{16} << 10;

}  // namespace

void RunHistory::GiveUp(absl::Status why) {
  error_ = std::move(why);
  frames_.clear();
  kept_bytes_ = 0;
  encoder_ = {};
}

void RunHistory::Append(const replaylog::Event& event) {
  const replaylog::EventMerger::Completed completed = merger_.Add(event);
  if (completed.run) Encode(*completed.run);
  if (completed.number) Encode(event);
}

void RunHistory::Encode(const replaylog::Event& event) {
  if (!error_.ok()) return;
  if (absl::Status status = encoder_.Append(event); !status.ok()) return GiveUp(std::move(status));
  if (encoder_.bytes().size() >= kFrameBytes) {
    const replaylog::FrameStart start = encoder_.start();
    frames_.push_back({start, encoder_.TakeFrame()});
    frames_.back().content.shrink_to_fit();  // it has grown piece by piece
    kept_bytes_ += frames_.back().content.size();
  }
  if (bytes() <= max_bytes_) return;
  GiveUp(absl::FailedPreconditionError(
      absl::StrCat("the events of this run take more than the ", max_bytes_ >> 20,
                   " MiB that there are to go back in it: --snapshot-memory gives more")));
}

// Of the frame that it is in it has a copy: the last one may grow.
class RunHistory::Reader final : public replaylog::SeekableSource {
 public:
  explicit Reader(const RunHistory& history) : history_(history) {}

  absl::Status SeekToEvent(uint64_t number) override {
    if (!history_.error_.ok()) return history_.error_;
    replaylog::EventMerger merger = history_.merger_;
    open_run_ = merger.Flush();
    end_ = history_.events();
    next_ = std::min(number, end_);
    const auto behind = std::upper_bound(
        history_.frames_.begin(), history_.frames_.end(), next_,
        [](uint64_t event, const Frame& frame) { return event < frame.start.event_number; });
    frame_ = static_cast<size_t>(behind - history_.frames_.begin());
    frame_ -= std::min<size_t>(frame_, 1);
    if (absl::Status status = StartFrame(); !status.ok()) return status;
    replaylog::Event skipped;
    while (decoder_.next().event_number < next_ && frame_ <= history_.frames_.size()) {
      const absl::StatusOr<bool> more = Decode(skipped);
      if (!more.ok()) return more.status();
      if (!*more) break;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Next(replaylog::Event& event) override {
    if (next_ == end_) return false;
    const absl::StatusOr<bool> more = Decode(event);
    if (!more.ok()) return more;
    if (!*more) event = *open_run_;
    ++next_;
    return true;
  }

  // What comes later is not known here.
  bool NothingBefore(uint64_t /*cycle*/) override { return next_ == end_; }

 private:
  absl::Status StartFrame() {
    content_ = frame_ < history_.frames_.size() ? history_.frames_[frame_].content
                                                : history_.encoder_.bytes();
    return decoder_.Start(content_);
  }

  // The next event of the frames; false when only what is open is left.
  absl::StatusOr<bool> Decode(replaylog::Event& event) {
    for (;;) {
      const absl::StatusOr<bool> more = decoder_.Next(event);
      if (!more.ok() || *more) {
        ++history_.events_decoded_;
        return more;
      }
      if (frame_ == history_.frames_.size()) return false;
      ++frame_;
      if (absl::Status status = StartFrame(); !status.ok()) return status;
    }
  }

  const RunHistory& history_;
  std::optional<replaylog::Event> open_run_;
  uint64_t next_ = 0;
  uint64_t end_ = 0;
  size_t frame_ = 0;  // the number of complete ones is that of the last
  std::string content_;
  replaylog::FrameDecoder decoder_;
};

std::unique_ptr<replaylog::SeekableSource> RunHistory::NewReader() const {
  return std::make_unique<Reader>(*this);
}

absl::StatusOr<Replayer::Place> RunHistory::PlaceNow(const Replayer::Place& place,
                                                     uint64_t cycle) const {
  // Of the event before, if it is output, more may have come: and of its own less.
  const uint64_t first =
      place.event - (place.output_seen == 0 ? std::min(place.event, uint64_t{1}) : 0);
  const std::unique_ptr<replaylog::SeekableSource> reader = NewReader();
  if (absl::Status status = reader->SeekToEvent(first); !status.ok()) return status;
  replaylog::Event event;
  const absl::StatusOr<bool> found = reader->Next(event);
  if (!found.ok()) return found.status();
  const auto* const output = *found ? std::get_if<replaylog::OutputRun>(&event.body) : nullptr;
  if (output == nullptr || event.cycle > cycle) return place;
  Replayer::Place now{first, 1, event.cycle};
  while (now.output_seen < output->bytes.size() &&
         now.output_cycle + output->deltas[now.output_seen - 1] <= cycle) {
    now.output_cycle += output->deltas[now.output_seen - 1];
    ++now.output_seen;
  }
  if (now.output_seen == output->bytes.size()) return Replayer::Place{first + 1, 0, 0};
  return now;
}

}  // namespace isochron::timeline
