#include "cli/net/frame_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hostio/thread.h"
#include "machine/events/config.h"

namespace isochron::cli {
namespace {

// What a peer of ours that is told to go may take, in milliseconds.
constexpr int kPatience = 1000;

}  // namespace

FrameLink::FrameLink(FrameSocket socket, std::string who)
    : socket_(std::move(socket)), who_(std::move(who)) {}

FrameLink::~FrameLink() {
  Stop();
  if (socket_.listener.fd() >= 0) unlink(socket_.path.c_str());
  if (!socket_.own_peer || socket_.peer.fd() < 0) return;
  shutdown(socket_.peer.fd(), SHUT_WR);
  pollfd state = {socket_.peer.fd(), 0, 0};
  poll(&state, 1, kPatience);
}

absl::Status FrameLink::Start(HostQueue& queue) {
  queue_ = &queue;
  absl::StatusOr<std::thread> thread = hostio::StartThread([this] { Loop(); });
  if (!thread.ok()) return thread.status();
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void FrameLink::Stop() {
  end_.Raise();
  if (thread_.joinable()) thread_.join();
}

void FrameLink::OnFrame(uint64_t, std::string_view frame) {
  std::lock_guard lock(mutex_);
  const int peer = socket_.peer.fd();
  ssize_t sent = -1;
  if (peer >= 0) sent = send(peer, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    ++counts_.dropped;
  } else {
    ++counts_.sent;
    counts_.sent_bytes += frame.size();
  }
}

std::optional<std::string> FrameLink::TakeNotice() {
  std::lock_guard lock(mutex_);
  if (notice_.empty()) return std::nullopt;
  return std::exchange(notice_, "");
}

FrameLink::Counts FrameLink::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

// Of the threads this one alone changes the peer, and so may look at it without the mutex.
void FrameLink::Loop() {
  while (true) {
    const int peer = socket_.peer.fd();
    const bool room = queue_->HasFrameRoom();
    std::array<pollfd, 4> fds = {{{end_.fd(), POLLIN, 0},
                                  {queue_->frame_room_event().fd(), POLLIN, 0},
                                  {room ? peer : -1, POLLIN, 0},
                                  {socket_.listener.fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) queue_->frame_room_event().Lower();
    if (fds[2].revents != 0) Receive(peer);
    if (fds[3].revents != 0) Accept();
  }
}

void FrameLink::Receive(int peer) {
  std::array<char, machine::kMaxFrame> buffer;
  constexpr int kFramesPerTurn = 64;  // then there may be something else to do
  for (int i = 0; i < kFramesPerTurn && queue_->HasFrameRoom(); ++i) {
    const ssize_t size = recv(peer, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    pollfd state = {peer, POLLRDHUP, 0};
    if (size < 0 || (size == 0 && poll(&state, 1, 0) == 1)) return LosePeer();
    const auto bytes = static_cast<size_t>(size);
    const bool frame = bytes >= machine::kMinFrame && bytes <= machine::kMaxFrame;
    Count(frame, bytes);  // first, so that who has the frame finds it counted
    if (frame) queue_->PushFrame(std::string(buffer.data(), bytes));
  }
}

void FrameLink::Count(bool frame, size_t bytes) {
  std::lock_guard lock(mutex_);
  if (!frame) {
    ++counts_.malformed;
    return;
  }
  ++counts_.received;
  counts_.received_bytes += bytes;
}

void FrameLink::Accept() {
  hostio::Descriptor next(
      accept4(socket_.listener.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (next.fd() < 0 || socket_.peer.fd() >= 0) return;
  std::lock_guard lock(mutex_);
  socket_.peer = std::move(next);
}

void FrameLink::LosePeer() {
  std::lock_guard lock(mutex_);
  socket_.peer = hostio::Descriptor();
  notice_ = absl::StrCat(who_, " has gone; the guest runs on ",
                         socket_.listener.fd() < 0 ? "without a network" : "and waits for another");
}

}  // namespace isochron::cli
