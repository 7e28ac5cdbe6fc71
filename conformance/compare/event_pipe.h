// Events on their way from a machine that records to one that replays at the same time.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_EVENT_PIPE_H_
#define ISOCHRON_CONFORMANCE_COMPARE_EVENT_PIPE_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "replaylog/event.h"
#include "replaylog/event_merger.h"
#include "replaylog/event_stream.h"

namespace isochron::conformance {

// The sink belongs to the thread of the recording machine, the source to that of the replaying
// one. All events are kept, so that the run can be repeated.
class EventPipe final : public replaylog::EventSink, public replaylog::EventSource {
 public:
  // At 600 MHz 0.2 guest seconds, which either engine makes in less of the host's.
  static constexpr uint64_t kMaxLead = uint64_t{1} << 27;

  // Recording side. Append() waits while the other side is kMaxAhead events behind.
  void Append(const replaylog::Event& event) override;
  // Aborted once Cancel() was called.
  absl::Status status() const override;
  // Every event before `cycle` has been appended. Waits while the other side is more than kMaxLead
  // cycles behind: it has to come to where the run is stopped before that is known to be equal.
  void SetProgress(uint64_t cycle);
  // No event will follow.
  void Close();

  // Replaying side.
  absl::StatusOr<bool> Next(replaylog::Event& event) override;
  bool NothingBefore(uint64_t cycle) override;
  // Nobody will read any more.
  void Cancel();
  // Host time that Next() and NothingBefore() have waited.
  std::chrono::nanoseconds waited() const { return waited_; }

  // All events, when both threads are done.
  const std::vector<replaylog::Event>& events() const { return events_; }

 private:
  static constexpr size_t kMaxAhead = 1 << 16;

  void Push(replaylog::Event event);
  template <typename Ready>
  void WaitUntil(std::unique_lock<std::mutex>& lock, Ready ready);

  replaylog::EventMerger merger_;  // of the recording side

  std::atomic<uint64_t> progress_ = 0;
  std::atomic<uint64_t> reader_ = 0;  // all before this cycle has been read
  std::atomic<bool> reader_waits_ = false;
  std::atomic<bool> cancelled_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<replaylog::Event> events_;
  size_t read_ = 0;
  bool closed_ = false;

  std::chrono::nanoseconds waited_{0};  // of the replaying side
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_EVENT_PIPE_H_
