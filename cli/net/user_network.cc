#include "cli/net/user_network.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/net/slirp_stack.h"

namespace isochron::cli {
namespace {

// What the process says of its start: a byte, and what is wrong.
constexpr char kReady = 'r';
constexpr char kRefused = 'u';  // the user's doing
constexpr char kFailed = 'i';
constexpr size_t kMaxReport = 1024;

void SendReport(int cable, const absl::Status& status) {
  std::string report(1, status.ok() ? kReady : absl::IsInternal(status) ? kFailed : kRefused);
  absl::StrAppend(&report, status.message());
  report.resize(std::min(report.size(), kMaxReport));
  send(cable, report.data(), report.size(), MSG_NOSIGNAL);
}

absl::Status ReceiveReport(int cable) {
  std::array<char, kMaxReport> report;
  pollfd state = {cable, POLLIN, 0};
  while (poll(&state, 1, -1) < 0) {  // EINTR
  }
  const ssize_t size = recv(cable, report.data(), report.size(), 0);
  if (size <= 0) return absl::InternalError("the network's process has ended before it began");
  std::string message(report.data() + 1, static_cast<size_t>(size) - 1);
  switch (report[0]) {
    case kReady: return absl::OkStatus();
    case kRefused: return absl::InvalidArgumentError(message);
    default: return absl::InternalError(message);
  }
}

// What a terminal sends to all processes at it is for the parent, with which this one ends.
void LeaveSignalsToParent() {
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGPIPE}) {
    ::signal(signal, SIG_IGN);
  }
}

// Leaves open nothing of what the parent has open, but the cable.
void CloseAllBut(int cable) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  const auto kept = static_cast<unsigned>(cable);
  close_range(STDERR_FILENO + 1, kept - 1, 0);
  close_range(kept + 1, UINT_MAX, 0);
}

[[noreturn]] void RunProcess(int cable, pid_t parent, const NetOption& option,
                             const std::function<absl::Status()>& confine) {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) _exit(1);
  prctl(PR_SET_NAME, "isochron-net", 0, 0, 0);
  LeaveSignalsToParent();
  CloseAllBut(cable);
  absl::StatusOr<std::unique_ptr<SlirpStack>> stack = SlirpStack::Create(option, cable);
  absl::Status status = stack.status();
  if (status.ok()) status = confine();
  SendReport(cable, status);
  if (status.ok()) (*stack)->Run();
  // Whoever waits for the end of the cable finds all ports free.
  close_range(STDERR_FILENO + 1, static_cast<unsigned>(cable) - 1, 0);
  close_range(static_cast<unsigned>(cable) + 1, UINT_MAX, 0);
  _exit(0);
}

}  // namespace

absl::StatusOr<FrameSocket> StartUserNetwork(const NetOption& option,
                                             const std::function<absl::Status()>& confine) {
  hostio::Descriptor other;
  absl::StatusOr<FrameSocket> cable = MakeFramePair(other);
  if (!cable.ok()) return cable.status();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return absl::InternalError(absl::StrCat("no process for a network: ", strerror(errno)));
  }
  if (child == 0) RunProcess(other.fd(), parent, option, confine);
  other = hostio::Descriptor();
  if (absl::Status status = ReceiveReport(cable->peer.fd()); !status.ok()) return status;
  return cable;
}

}  // namespace isochron::cli
