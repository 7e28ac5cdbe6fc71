#include "conformance/follower.h"

#include <signal.h>

#include <utility>

namespace isochron::conformance {

Follower::Follower(std::unique_ptr<machine::Machine> machine, EventPipe& pipe)
    : machine_(std::move(machine)), pipe_(pipe), replayer_(pipe) {
  machine_->SetInputSource(&replayer_);
  machine_->SetObserver(&replayer_);
}

void Follower::Start() {
  // Signals are for the thread that runs the recording machine.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] {
    const auto start = std::chrono::steady_clock::now();
    machine_->Run();
    busy_ = std::chrono::steady_clock::now() - start - pipe_.waited();
    // Without a reader the recording machine must not wait; with the end seen it need not know.
    if (!replayer_.end().has_value()) pipe_.Cancel();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Follower::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace isochron::conformance
