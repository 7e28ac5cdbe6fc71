#include "cli/run/consoles.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace isochron::cli {
namespace {

// A pipe ends at the terminal more often than not, as that of `| cat` does.
bool SharesTerminal(int fd) {
  if (fd < 0 || isatty(STDERR_FILENO) == 0) return false;
  struct stat info;
  return isatty(fd) != 0 ||
         (fd == STDOUT_FILENO && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode));
}

// Of errno.
absl::Status ConsoleError(const ConsoleTarget& target) {
  const int error = errno;
  return absl::InvalidArgumentError(
      absl::StrCat("cannot write the console to ", target.path, ": ", strerror(error)));
}

// The descriptor that the target's output goes to, -1 for none; `file` keeps what it opens.
absl::StatusOr<int> OpenTarget(const ConsoleTarget& target, hostio::Descriptor& file) {
  switch (target.kind) {
    case ConsoleTarget::Kind::kStdio: return STDOUT_FILENO;
    case ConsoleTarget::Kind::kNull: return -1;
    case ConsoleTarget::Kind::kFile: break;
  }
  const int fd = open(target.path.c_str(), O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
  if (fd < 0) return ConsoleError(target);
  file = hostio::Descriptor(fd);
  return fd;
}

}  // namespace

Consoles::Consoles(const std::array<ConsoleTarget, kUarts>& targets, HostQueue& queue)
    : targets_(targets), outputs_{ConsoleOutput(-1, queue, 0), ConsoleOutput(-1, queue, 1)} {
  for (int uart = 0; uart < kUarts; ++uart) {
    if (targets_[uart].kind == ConsoleTarget::Kind::kStdio) shown_ = uart;
  }
}

absl::Status Consoles::Open() {
  for (int uart = 0; uart < kUarts; ++uart) {
    const absl::StatusOr<int> fd = OpenTarget(targets_[uart], files_[uart]);
    if (!fd.ok()) return fd.status();
    outputs_[uart].SetDescriptor(*fd);
    if (uart != shown_) continue;
    shown_is_terminal_ = *fd >= 0 && isatty(*fd) != 0;
    shares_terminal_ = SharesTerminal(*fd);
  }
  return absl::OkStatus();
}

absl::Status Consoles::EmptyFiles() {
  for (int uart = 0; uart < kUarts; ++uart) {
    if (targets_[uart].kind != ConsoleTarget::Kind::kFile) continue;
    // EINVAL: a pipe or a device.
    if (ftruncate(files_[uart].fd(), 0) != 0 && errno != EINVAL)
      return ConsoleError(targets_[uart]);
  }
  return absl::OkStatus();
}

void Consoles::OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) {
  outputs_[uart].OnConsoleByte(uart, cycle, byte);
}

void Consoles::Flush() {
  for (ConsoleOutput& output : outputs_) output.Flush();
}

void Consoles::FollowTerminal(bool drop_queries) {
  if (shown_is_terminal_) outputs_[shown_].SetTerminal(drop_queries);
}

int Consoles::error() const {
  for (const ConsoleOutput& output : outputs_) {
    if (output.error() != 0) return output.error();
  }
  return 0;
}

}  // namespace isochron::cli
