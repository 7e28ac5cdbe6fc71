#include "conformance/compare/follower.h"

#include <utility>

#include "absl/status/statusor.h"
#include "hostio/thread.h"

namespace isochron::conformance {

Follower::Follower(std::unique_ptr<machine::Machine> machine, EventPipe& pipe)
    : machine_(std::move(machine)), pipe_(pipe), replayer_(pipe, machine_->config().clock_hz) {
  machine_->SetInputSource(&replayer_);
  machine_->SetObserver(&replayer_);
}

absl::Status Follower::Start() {
  absl::StatusOr<std::thread> thread = hostio::StartThread([this] {
    const auto start = std::chrono::steady_clock::now();
    machine_->Run();
    busy_ = std::chrono::steady_clock::now() - start - pipe_.waited();
    // Without a reader the recording machine must not wait; with the end seen it need not know.
    if (!replayer_.end().has_value()) pipe_.Cancel();
  });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void Follower::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace isochron::conformance
