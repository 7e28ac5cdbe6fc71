// libslirp, and what it needs around it.

#ifndef ISOCHRON_CLI_NET_SLIRP_STACK_H_
#define ISOCHRON_CLI_NET_SLIRP_STACK_H_

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libslirp.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/net/net_option.h"

namespace isochron::cli {

// A gateway with DHCP and a name server for one guest, whose connections are made as connections of
// this process: IPv4 alone. Works on one thread, and knows no other.
//
// Frames that the guest does not take at once wait here, up to kMaxWaiting of them; from
// kFewWaiting on nothing more is taken from the host, so that its connections are slowed down and
// not broken.
class SlirpStack {
 public:
  static constexpr size_t kFewWaiting = 64;
  static constexpr size_t kMaxWaiting = 1024;

  // Opens the ports of `option.forwards`. `cable` must outlive this. Errors as StartUserNetwork()
  // has them.
  static absl::StatusOr<std::unique_ptr<SlirpStack>> Create(const NetOption& option, int cable);
  ~SlirpStack();
  SlirpStack(const SlirpStack&) = delete;
  SlirpStack& operator=(const SlirpStack&) = delete;

  // Until the other end of the cable is gone.
  void Run();

 private:
  struct Timer {
    SlirpTimerCb callback;
    void* argument;
    int64_t due_ms;
  };

  explicit SlirpStack(int cable) : cable_(cable) {}

  absl::Status Open(const NetOption& option);
  absl::Status AddForward(const PortForward& forward);
  // Takes what the guest has sent. False when the cable's other end is gone.
  bool TakeFrames();
  void GiveFrame(std::string_view frame);
  // Sends what waits, as far as it is taken.
  void SendWaiting();
  // Calls what is due.
  void RunTimers();
  // For how long nothing is due, at most `timeout`, in milliseconds.
  uint32_t UntilTimer(uint32_t timeout) const;

  static const SlirpCb kCallbacks;

  const int cable_;
  Slirp* slirp_ = nullptr;
  std::vector<pollfd> polled_;
  std::deque<std::string> waiting_;
  std::vector<std::unique_ptr<Timer>> timers_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_NET_SLIRP_STACK_H_
