#include "cli/host_queue.h"

#include <algorithm>
#include <iterator>

namespace isochron::cli {

void HostQueue::PushConsole(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  bytes_.append(bytes);
  changed_.notify_one();
}

void HostQueue::PushStop(machine::StopCause cause, uint32_t detail) {
  std::lock_guard lock(mutex_);
  stops_.push_back(machine::Input::Stop(cause, detail));
  stop_event_.Raise();
  changed_.notify_one();
}

bool HostQueue::HasRoom() const {
  std::lock_guard lock(mutex_);
  return bytes_.size() < kCapacity;
}

void HostQueue::WaitForInput(std::chrono::nanoseconds limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [this] { return !bytes_.empty() || !stops_.empty(); });
}

void HostQueue::Poll(const machine::InputPoint&, std::vector<machine::Input>& inputs) {
  std::lock_guard lock(mutex_);
  if (!bytes_.empty()) {
    const bool was_full = bytes_.size() >= kCapacity;
    const size_t count = std::min(bytes_.size(), kBytesPerPoint);
    inputs.push_back(machine::Input::Console(bytes_.substr(0, count)));
    bytes_.erase(0, count);
    if (was_full && bytes_.size() < kCapacity) room_event_.Raise();
  }
  std::move(stops_.begin(), stops_.end(), std::back_inserter(inputs));
  stops_.clear();
}

}  // namespace isochron::cli
