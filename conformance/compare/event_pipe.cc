#include "conformance/compare/event_pipe.h"

#include <optional>
#include <utility>

namespace isochron::conformance {

using replaylog::Event;

void EventPipe::Append(const Event& event) {
  replaylog::EventMerger::Completed completed = merger_.Add(event);
  if (completed.run) Push(*std::move(completed.run));
  if (completed.number) Push({*completed.number, event.cycle, event.cpu, event.body});
}

void EventPipe::Push(Event event) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return events_.size() - read_ < kMaxAhead || cancelled_; });
  events_.push_back(std::move(event));
  changed_.notify_all();
}

absl::Status EventPipe::status() const {
  return cancelled_ ? absl::AbortedError("the other engine has stopped") : absl::OkStatus();
}

void EventPipe::SetProgress(uint64_t cycle) {
  progress_ = cycle;
  // The reader says that it waits before it looks at the progress for the last time.
  const bool leads = cycle > kMaxLead && reader_ < cycle - kMaxLead;
  if (!reader_waits_ && !leads) return;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.notify_all();
  changed_.wait(lock,
                [&] { return cycle <= kMaxLead || reader_ >= cycle - kMaxLead || cancelled_; });
}

void EventPipe::Close() {
  if (std::optional<Event> run = merger_.Flush()) Push(*std::move(run));
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

template <typename Ready>
void EventPipe::WaitUntil(std::unique_lock<std::mutex>& lock, Ready ready) {
  if (ready()) return;
  const auto start = std::chrono::steady_clock::now();
  reader_waits_ = true;
  changed_.wait(lock, ready);
  reader_waits_ = false;
  waited_ += std::chrono::steady_clock::now() - start;
}

absl::StatusOr<bool> EventPipe::Next(Event& event) {
  std::unique_lock<std::mutex> lock(mutex_);
  WaitUntil(lock, [this] { return read_ < events_.size() || closed_; });
  if (read_ == events_.size()) return false;
  event = events_[read_++];
  changed_.notify_all();
  return true;
}

bool EventPipe::NothingBefore(uint64_t cycle) {
  // What was appended before the progress was made is seen under the lock.
  std::unique_lock<std::mutex> lock(mutex_);
  reader_ = cycle;
  changed_.notify_all();
  WaitUntil(lock, [&] { return read_ < events_.size() || closed_ || progress_ >= cycle; });
  return read_ == events_.size() && !closed_;
}

void EventPipe::Cancel() {
  const std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

}  // namespace isochron::conformance
