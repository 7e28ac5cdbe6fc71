#include "cli/host/host_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace isochron::cli {

void HostQueue::PushBytes(machine::Port port, std::string_view bytes) {
  if (bytes.empty()) return;
  std::lock_guard lock(mutex_);
  machine::Input input = machine::Input::Bytes(port, std::string(bytes));
  if (!waiting_.empty() && waiting_.back().Joins(input)) {
    waiting_.back().bytes.append(bytes);
  } else {
    waiting_.push_back(std::move(input));
  }
  waiting_bytes_ += bytes.size();
  changed_.notify_one();
}

void HostQueue::PushBreak(machine::Port port) {
  std::lock_guard lock(mutex_);
  waiting_.push_back(machine::Input::Break(port));
  ++waiting_bytes_;
  changed_.notify_one();
}

bool HostQueue::PushFrame(std::string frame) {
  std::lock_guard lock(mutex_);
  if (frames_.size() >= kFrameCapacity) return false;
  frames_.push_back(std::move(frame));
  changed_.notify_one();
  return true;
}

void HostQueue::PushStop(machine::StopCause cause, uint32_t detail) {
  std::lock_guard lock(mutex_);
  stops_.push_back(machine::Input::Stop(cause, detail));
  stop_event_.Raise();
  changed_.notify_one();
  if (stop_alarm_) stop_alarm_();
}

void HostQueue::SetStopAlarm(std::function<void()> alarm) {
  std::lock_guard lock(mutex_);
  stop_alarm_ = std::move(alarm);
  if (stop_alarm_ && !stops_.empty()) stop_alarm_();
}

std::optional<machine::Input> HostQueue::TakeStop(const machine::InputPoint&, Occasion) {
  std::lock_guard lock(mutex_);
  if (stops_.empty()) return std::nullopt;
  machine::Input stop = std::move(stops_.front());
  stops_.erase(stops_.begin());
  return stop;
}

bool HostQueue::HasRoom() const {
  std::lock_guard lock(mutex_);
  return waiting_bytes_ < kCapacity;
}

bool HostQueue::HasFrameRoom() const {
  std::lock_guard lock(mutex_);
  return frames_.size() < kFrameCapacity;
}

void HostQueue::WaitForInput(std::chrono::nanoseconds limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit,
                    [this] { return !waiting_.empty() || !frames_.empty() || !stops_.empty(); });
}

void HostQueue::Poll(const machine::InputPoint&, std::vector<machine::Input>& inputs) {
  std::lock_guard lock(mutex_);
  const bool was_full = waiting_bytes_ >= kCapacity;
  size_t taken = 0;
  for (size_t i = 0; i < kInputsPerPoint && !waiting_.empty() && taken < kBytesPerPoint; ++i) {
    machine::Input& next = waiting_.front();
    const size_t room = kBytesPerPoint - taken;
    if (next.bytes.size() > room) {
      inputs.push_back(machine::Input::Bytes(next.port, next.bytes.substr(0, room)));
      next.bytes.erase(0, room);
      taken += room;
    } else {
      taken += next.kind == machine::InputKind::kBytes ? next.bytes.size() : 1;
      inputs.push_back(std::move(next));
      waiting_.pop_front();
    }
  }
  waiting_bytes_ -= taken;
  if (was_full && waiting_bytes_ < kCapacity) room_event_.Raise();
  std::move(stops_.begin(), stops_.end(), std::back_inserter(inputs));
  stops_.clear();
}

void HostQueue::PollFrames(const machine::InputPoint& point, size_t most,
                           std::vector<machine::Input>& inputs) {
  constexpr uint64_t kFrameCycles = kFrameInterval / kFramesPerInterval;
  std::lock_guard lock(mutex_);
  if (frames_.empty()) return;
  const bool was_full = frames_.size() >= kFrameCapacity;
  // Each frame pays for a share of the interval; what was not used before that is lost.
  frame_cycle_ = std::max(frame_cycle_, point.cycle - std::min(point.cycle, kFrameInterval));
  for (; most > 0 && !frames_.empty() && frame_cycle_ + kFrameCycles <= point.cycle; --most) {
    inputs.push_back(machine::Input::Frame(std::move(frames_.front())));
    frames_.pop_front();
    frame_cycle_ += kFrameCycles;
  }
  if (was_full && frames_.size() < kFrameCapacity) frame_room_event_.Raise();
}

}  // namespace isochron::cli
