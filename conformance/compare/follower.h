// One mechanism: a machine records on one engine, and another replays on another engine at the
// same time.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_FOLLOWER_H_
#define ISOCHRON_CONFORMANCE_COMPARE_FOLLOWER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "conformance/compare/event_pipe.h"
#include "machine/events/observer.h"
#include "machine/machine.h"
#include "timeline/recorder.h"
#include "timeline/replayer.h"

namespace isochron::conformance {

// Observes the machine that records: sends its events into the pipe, and how far it is. Its status
// is not OK once the follower has given up.
class LeaderObserver final : public machine::Observer {
 public:
  LeaderObserver(EventPipe& pipe, const machine::Machine& machine)
      : pipe_(pipe), machine_(machine), recorder_(pipe) {}

  void On(const machine::Event& event) override { recorder_.On(event); }
  // Asked at every boundary, when everything that belongs to it has been told.
  absl::Status status() const override {
    pipe_.SetProgress(machine_.cpu().cycle);
    return pipe_.status();
  }

 private:
  EventPipe& pipe_;
  const machine::Machine& machine_;
  timeline::Recorder recorder_;
};

// Replays, on a thread of its own, what comes through the pipe.
class Follower {
 public:
  // `pipe` must outlive the follower.
  Follower(std::unique_ptr<machine::Machine> machine, EventPipe& pipe);
  // The pipe must have been closed.
  ~Follower() { Join(); }

  // Internal when the host refuses a thread.
  absl::Status Start();
  // Waits for the end of the replay: the recorded end, a difference, or the end of the pipe.
  void Join();

  // After Join().
  const timeline::Replayer& replayer() const { return replayer_; }
  // Host time that it ran, without waiting for events.
  std::chrono::nanoseconds busy() const { return busy_; }

 private:
  std::unique_ptr<machine::Machine> machine_;
  EventPipe& pipe_;
  timeline::Replayer replayer_;
  std::chrono::nanoseconds busy_{0};
  std::thread thread_;
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_FOLLOWER_H_
