// The queue through which other threads reach the sequencer.

#ifndef ISOCHRON_CLI_HOST_HOST_QUEUE_H_
#define ISOCHRON_CLI_HOST_HOST_QUEUE_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hostio/event_fd.h"
#include "machine/events/input.h"

namespace isochron::cli {

// Holds what the host side (terminal, signals, console output that failed) asks of the
// machine until the next input point. All members may be called from any thread; Poll only
// by the sequencer.
//
// Requests to stop overtake bytes and breaks that still wait. Frames have a queue of their own,
// which is bounded; who takes them is bounded, too, so that no flood from outside grows memory, or
// a log by more than kFramesPerInterval frames each kFrameInterval cycles.
class HostQueue final : public machine::InputSource {
 public:
  // Bytes that one input point takes at most, so that a long paste or a piped file arrives
  // over many points, no faster than the UART takes them, instead of piling up inside it.
  static constexpr size_t kBytesPerPoint = 128;
  // As many inputs does it take at most, beside requests to stop: a break stands between bytes.
  static constexpr size_t kInputsPerPoint = 16;
  // From this many waiting bytes on, HasRoom() is false. A break counts as one.
  static constexpr size_t kCapacity = 64 * 1024;
  // Frames that wait at most.
  static constexpr size_t kFrameCapacity = 256;
  // Frames that are taken in a span of guest time, and at one input point: in cycles.
  static constexpr size_t kFramesPerInterval = 32;
  static constexpr uint64_t kFrameInterval = uint64_t{1} << 20;

  void PushBytes(machine::Port port, std::string_view bytes);
  void PushBreak(machine::Port port);
  // Bytes for UART 0.
  void PushConsole(std::string_view bytes) { PushBytes(machine::Port::Uart(0), bytes); }
  // A frame of machine::kMinFrame to kMaxFrame bytes. False, and it is dropped, when there is no
  // room.
  bool PushFrame(std::string frame);
  void PushStop(machine::StopCause cause, uint32_t detail = 0);
  // From now on, and until it is nullptr again, calls `alarm` on each request to stop, in the
  // thread that asks, so that the machine need not come to an input point first.
  void SetStopAlarm(std::function<void()> alarm);

  bool HasRoom() const;
  // Readable when HasRoom() may have become true.
  hostio::EventFd& room_event() { return room_event_; }
  // The same of frames.
  bool HasFrameRoom() const;
  hostio::EventFd& frame_room_event() { return frame_room_event_; }
  // Readable from the first PushStop on, for ever.
  const hostio::EventFd& stop_event() const { return stop_event_; }

  // Blocks until something is in the queue, at most `limit`.
  void WaitForInput(std::chrono::nanoseconds limit);

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;
  // The same of frames, of which it takes `most` at most. Only by the sequencer.
  void PollFrames(const machine::InputPoint& point, size_t most,
                  std::vector<machine::Input>& inputs);
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<machine::Input> waiting_;
  size_t waiting_bytes_ = 0;
  std::deque<std::string> frames_;
  // When frames have been taken no faster than they may be: the cycle at which that began.
  uint64_t frame_cycle_ = 0;
  std::vector<machine::Input> stops_;
  std::function<void()> stop_alarm_;
  hostio::EventFd room_event_;
  hostio::EventFd frame_room_event_;
  hostio::EventFd stop_event_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_HOST_QUEUE_H_
