#include "cli/host/host_reader.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>

#include "hostio/thread.h"

namespace isochron::cli {
namespace {

// A raw terminal does not add the carriage return.
void ShowHelp() {
  std::string text;
  for (char c : EscapeKeys::Help()) {
    if (c == '\n') text.push_back('\r');
    text.push_back(c);
  }
  [[maybe_unused]] ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

absl::StatusOr<std::unique_ptr<HostReader>> HostReader::Create(HostQueue& queue,
                                                               hostio::StopSignals& signals,
                                                               Phase phase, int input_fd,
                                                               RawTerminal* terminal,
                                                               machine::Port port) {
  std::unique_ptr<HostReader> reader(
      new HostReader(queue, signals, phase, input_fd, terminal, port));
  absl::StatusOr<std::thread> thread =
      hostio::StartThread([reader = reader.get()] { reader->Loop(); });
  if (!thread.ok()) return thread.status();
  reader->thread_ = *std::move(thread);
  return reader;
}

HostReader::~HostReader() {
  end_.Raise();
  if (thread_.joinable()) thread_.join();
}

void HostReader::Wait(pollfd* fds, size_t count) {
  const bool starting = phase_ == Phase::kStart && stop_signal_ != 0;
  constexpr std::chrono::milliseconds kPatience = hostio::StopSignals::kPatience;
  int ready;
  do {
    ready = poll(fds, count, starting ? static_cast<int>(kPatience.count()) : -1);
  } while (ready < 0);  // EINTR
  if (ready == 0) hostio::StopSignals::EndProcess(stop_signal_);
}

void HostReader::Loop() {
  while (true) {
    std::array<pollfd, 4> fds = {{{end_.fd(), POLLIN, 0},
                                  {signals_.fd(), POLLIN, 0},
                                  {queue_.room_event().fd(), POLLIN, 0},
                                  {queue_.HasRoom() ? input_fd_ : -1, POLLIN, 0}}};
    Wait(fds.data(), fds.size());
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) HandleSignal();
    if (fds[2].revents != 0) queue_.room_event().Lower();
    if (fds[3].revents != 0) HandleInput();
  }
}

void HostReader::HandleSignal() {
  const int signal = signals_.Take();
  switch (signal) {
    case 0: break;
    case SIGTSTP:
      if (terminal_ != nullptr) {
        terminal_->Suspend();
      } else {
        raise(SIGSTOP);
      }
      break;
    case SIGCONT:
      if (terminal_ != nullptr) terminal_->Resume();
      break;
    default: HandleStopSignal(signal); break;
  }
}

void HostReader::HandleStopSignal(int signal) {
  if (signals_.IsMeant()) {
    if (terminal_ != nullptr) terminal_->Leave();
    hostio::StopSignals::EndProcess(signal);
  }
  if (stop_signal_ == 0) stop_signal_ = signal;
  queue_.PushStop(machine::StopCause::kSignal, static_cast<uint32_t>(signal));
}

void HostReader::HandleInput() {
  std::array<char, 4096> buffer;
  const ssize_t got = read(input_fd_, buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) {
    input_fd_ = -1;
    if (terminal_ != nullptr) queue_.PushStop(machine::StopCause::kSignal, SIGHUP);
    return;
  }
  const std::string_view bytes(buffer.data(), static_cast<size_t>(got));
  if (terminal_ == nullptr) {
    queue_.PushBytes(port_, bytes);
    return;
  }
  const EscapeKeys::Result typed = escape_keys_.Feed(bytes);
  if (typed.help) ShowHelp();
  size_t done = 0;
  for (const size_t next : typed.breaks) {
    queue_.PushBytes(port_, std::string_view(typed.bytes).substr(done, next - done));
    queue_.PushBreak(port_);
    done = next;
  }
  queue_.PushBytes(port_, std::string_view(typed.bytes).substr(done));
  if (typed.quit) queue_.PushStop(machine::StopCause::kQuit);
}

}  // namespace isochron::cli
