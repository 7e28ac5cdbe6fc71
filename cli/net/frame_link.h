// What carries frames between a guest and the host while it runs.

#ifndef ISOCHRON_CLI_NET_FRAME_LINK_H_
#define ISOCHRON_CLI_NET_FRAME_LINK_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "cli/host/host_queue.h"
#include "cli/net/frame_socket.h"
#include "hostio/event_fd.h"
#include "machine/bus/frame_sink.h"

namespace isochron::cli {

// The cable between a network device and who is at its other end, who may go, and come where the
// socket listens.
//
// What comes is read by a thread of its own, as fast as the queue has room for it: more stays in
// the socket, whose size the host bounds, and waits, or is dropped by who sends. What the guest
// sends is dropped when the other side does not take it at once, or nobody is there. So neither
// side makes the other wait or takes its memory.
class FrameLink final : public machine::FrameSink {
 public:
  // `who`: what messages call the other side.
  FrameLink(FrameSocket socket, std::string who);
  // Removes the socket if it listens, and waits a moment for a peer of its own process to have
  // gone, so that what that held is free again.
  ~FrameLink() override;
  FrameLink(const FrameLink&) = delete;
  FrameLink& operator=(const FrameLink&) = delete;

  // Frames come in from here on. `queue` must outlive this. Internal when the host refuses a
  // thread.
  absl::Status Start(HostQueue& queue);
  // No more frames come in.
  void Stop();

  // From the sequencer; does not block.
  void OnFrame(uint64_t cycle, std::string_view frame) override;

  // A line that the user has not been told: who has gone. Any thread.
  std::optional<std::string> TakeNotice();

  struct Counts {
    uint64_t received = 0;
    uint64_t received_bytes = 0;
    uint64_t malformed = 0;  // of what came: no frames
    uint64_t sent = 0;
    uint64_t sent_bytes = 0;
    uint64_t dropped = 0;  // of what the guest sent
  };
  Counts counts() const;

 private:
  void Loop();
  // Reads what is there, as far as the queue has room.
  void Receive(int peer);
  void Count(bool frame, size_t bytes);
  // Takes the next peer, or turns it away when there is one.
  void Accept();
  void LosePeer();

  FrameSocket socket_;
  const std::string who_;
  HostQueue* queue_ = nullptr;
  hostio::EventFd end_;
  std::thread thread_;

  mutable std::mutex mutex_;  // of socket_.peer, counts_ and notice_
  Counts counts_;
  std::string notice_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_NET_FRAME_LINK_H_
