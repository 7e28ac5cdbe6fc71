#include "cli/net/slirp_stack.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "machine/events/config.h"

namespace isochron::cli {
namespace {

using std::chrono::steady_clock;

constexpr int kFramesPerTurn = 64;  // of the guest's

in_addr ToAddress(const Ipv4& bytes) {
  in_addr address;
  static_assert(sizeof address == sizeof bytes);
  memcpy(&address, bytes.data(), sizeof address);
  return address;
}

int64_t NowNs(void*) {
  return std::chrono::nanoseconds(steady_clock::now().time_since_epoch()).count();
}

int64_t NowMs() { return NowNs(nullptr) / 1'000'000; }

short ToPoll(int events) {
  short result = 0;
  if ((events & SLIRP_POLL_IN) != 0) result |= POLLIN;
  if ((events & SLIRP_POLL_OUT) != 0) result |= POLLOUT;
  if ((events & SLIRP_POLL_PRI) != 0) result |= POLLPRI;
  return result;
}

int FromPoll(short events) {
  int result = 0;
  if ((events & POLLIN) != 0) result |= SLIRP_POLL_IN;
  if ((events & POLLOUT) != 0) result |= SLIRP_POLL_OUT;
  if ((events & POLLPRI) != 0) result |= SLIRP_POLL_PRI;
  if ((events & POLLERR) != 0) result |= SLIRP_POLL_ERR;
  if ((events & POLLHUP) != 0) result |= SLIRP_POLL_HUP;
  return result;
}

SlirpConfig ConfigOf(const NetOption& option) {
  SlirpConfig config = {};
  config.version = 1;
  config.restricted = option.restricted ? 1 : 0;
  config.in_enabled = true;
  config.vnetwork = ToAddress(kUserNetwork);
  config.vnetmask = ToAddress(kUserMask);
  config.vhost = ToAddress(kUserGateway);
  config.vdhcp_start = ToAddress(kUserGuest);
  config.vnameserver = ToAddress(kUserNameserver);
  return config;
}

}  // namespace

// The members in their order; C++ lets nobody leave one out by name in a class's own scope.
const SlirpCb SlirpStack::kCallbacks = {
    .send_packet = [](const void* bytes, size_t size, void* self) -> ssize_t {
      static_cast<SlirpStack*>(self)->GiveFrame({static_cast<const char*>(bytes), size});
      return static_cast<ssize_t>(size);
    },
    .guest_error = [](const char*, void*) {},  // the guest's own affair
    .clock_get_ns = NowNs,
    .timer_new = [](SlirpTimerCb callback, void* argument, void* self) -> void* {
      auto& timers = static_cast<SlirpStack*>(self)->timers_;
      timers.push_back(std::make_unique<Timer>(Timer{callback, argument, INT64_MAX}));
      return timers.back().get();
    },
    .timer_free =
        [](void* timer, void* self) {
          std::erase_if(static_cast<SlirpStack*>(self)->timers_,
                        [timer](const auto& other) { return other.get() == timer; });
        },
    .timer_mod = [](void* timer, int64_t due_ms,
                    void*) { static_cast<Timer*>(timer)->due_ms = due_ms; },
    .register_poll_fd = [](int, void*) {},  // each turn asks for all of them
    .unregister_poll_fd = [](int, void*) {},
    .notify = [](void*) {},  // there is no other thread that could sleep
    .init_completed = nullptr,
    .timer_new_opaque = nullptr,
};

absl::StatusOr<std::unique_ptr<SlirpStack>> SlirpStack::Create(const NetOption& option, int cable) {
  std::unique_ptr<SlirpStack> stack(new SlirpStack(cable));
  if (absl::Status status = stack->Open(option); !status.ok()) return status;
  return stack;
}

SlirpStack::~SlirpStack() {
  if (slirp_ != nullptr) slirp_cleanup(slirp_);
}

absl::Status SlirpStack::Open(const NetOption& option) {
  const SlirpConfig config = ConfigOf(option);
  slirp_ = slirp_new(&config, &kCallbacks, this);
  if (slirp_ == nullptr) return absl::InternalError("libslirp will not start");
  for (const PortForward& forward : option.forwards) {
    if (absl::Status status = AddForward(forward); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SlirpStack::AddForward(const PortForward& forward) {
  errno = 0;
  if (slirp_add_hostfwd(slirp_, forward.udp ? 1 : 0, ToAddress(forward.host), forward.host_port,
                        ToAddress(forward.guest), forward.guest_port) == 0) {
    return absl::OkStatus();
  }
  const int error = errno;
  return absl::InvalidArgumentError(absl::StrCat("--net user: hostfwd=", ForwardText(forward), ": ",
                                                 error != 0 ? strerror(error) : "refused"));
}

void SlirpStack::Run() {
  const auto add = [](int fd, int events, void* self) {
    auto& polled = static_cast<SlirpStack*>(self)->polled_;
    polled.push_back({fd, ToPoll(events), 0});
    return static_cast<int>(polled.size()) - 1;
  };
  const auto events_of = [](int index, void* self) {
    const auto& polled = static_cast<SlirpStack*>(self)->polled_;
    return index < 0 ? 0 : FromPoll(polled[static_cast<size_t>(index)].revents);
  };
  while (true) {
    const bool flowing = waiting_.size() < kFewWaiting;
    const short events = waiting_.empty() ? POLLIN : POLLIN | POLLOUT;
    polled_.assign(1, {cable_, events, 0});
    uint32_t timeout = INT32_MAX;
    if (flowing) slirp_pollfds_fill(slirp_, &timeout, add, this);
    const int ready = poll(polled_.data(), polled_.size(), static_cast<int>(UntilTimer(timeout)));
    const short cable = ready > 0 ? polled_[0].revents : short{0};
    if ((cable & POLLOUT) != 0) SendWaiting();
    // First: frames from the guest close and open what the events are of.
    if (flowing) slirp_pollfds_poll(slirp_, ready < 0 ? 1 : 0, events_of, this);
    if ((cable & ~POLLOUT) != 0 && !TakeFrames()) return;
    RunTimers();
  }
}

bool SlirpStack::TakeFrames() {
  std::array<uint8_t, machine::kMaxFrame> frame;
  for (int i = 0; i < kFramesPerTurn; ++i) {
    const ssize_t size = recv(cable_, frame.data(), frame.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    slirp_input(slirp_, frame.data(), static_cast<int>(size));
  }
  return true;
}

void SlirpStack::GiveFrame(std::string_view frame) {
  if (waiting_.empty() &&
      send(cable_, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
    return;
  }
  if (waiting_.size() < kMaxWaiting) waiting_.emplace_back(frame);
}

void SlirpStack::SendWaiting() {
  while (!waiting_.empty()) {
    const std::string& frame = waiting_.front();
    if (send(cable_, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
    waiting_.pop_front();
  }
}

void SlirpStack::RunTimers() {
  const int64_t now = NowMs();
  // A callback may make and free timers.
  for (size_t i = 0; i < timers_.size(); ++i) {
    Timer& timer = *timers_[i];
    if (timer.due_ms > now) continue;
    timer.due_ms = INT64_MAX;
    timer.callback(timer.argument);
  }
}

uint32_t SlirpStack::UntilTimer(uint32_t timeout) const {
  const int64_t now = NowMs();
  for (const auto& timer : timers_) {
    timeout = static_cast<uint32_t>(
        std::min<int64_t>(timeout, std::max<int64_t>(timer->due_ms - now, 0)));
  }
  return timeout;
}

}  // namespace isochron::cli
