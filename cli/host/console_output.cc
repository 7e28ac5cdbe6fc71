#include "cli/host/console_output.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace isochron::cli {
namespace {

// A pipe that poll() calls writable takes this much without blocking.
constexpr size_t kChunk = PIPE_BUF;

}  // namespace

ConsoleOutput::ConsoleOutput(int fd, HostQueue& queue, int uart)
    : fd_(fd), queue_(queue), uart_(uart) {}

void ConsoleOutput::OnConsoleByte(int uart, uint64_t, uint8_t byte) {
  if (uart != uart_ || fd_ < 0) return;
  if (filter_.has_value()) {
    filter_->Feed(static_cast<char>(byte), buffer_);
  } else {
    buffer_.push_back(static_cast<char>(byte));
  }
  mid_line_ = byte != '\n';
  if (buffer_.size() >= kChunk) Flush();
}

void ConsoleOutput::SetTerminal(bool drop_queries) {
  if (!filter_.has_value()) filter_.emplace();
  filter_->SetDropQueries(drop_queries);
}

void ConsoleOutput::RestoreTerminal() {
  if (!filter_.has_value()) return;
  buffer_ += filter_->Restore();
  Flush();
}

void ConsoleOutput::Flush() {
  size_t done = 0;
  while (fd_ >= 0 && done < buffer_.size() && WaitUntilWritable()) {
    const ssize_t wrote =
        write(fd_, buffer_.data() + done, std::min(buffer_.size() - done, kChunk));
    if (wrote >= 0) {
      done += static_cast<size_t>(wrote);
    } else if (errno != EINTR && errno != EAGAIN) {
      Fail(errno);
    }
  }
  buffer_.clear();
}

bool ConsoleOutput::WaitUntilWritable() {
  while (true) {
    std::array<pollfd, 2> fds = {{{fd_, POLLOUT, 0}, {queue_.stop_event().fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[0].revents != 0) return true;
    if (fds[1].revents != 0) return false;
  }
}

void ConsoleOutput::Fail(int error) {
  fd_ = -1;
  error_ = error;
  switch (error) {
    case EPIPE: queue_.PushStop(machine::StopCause::kSignal, SIGPIPE); break;
    case EIO: queue_.PushStop(machine::StopCause::kSignal, SIGHUP); break;
    default: queue_.PushStop(machine::StopCause::kQuit); break;
  }
}

}  // namespace isochron::cli
