#include "cli/host/file_input.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "machine/devices/uart16550.h"

namespace isochron::cli {
namespace {

// What the receiver takes between two input points, rounded up.
size_t BytesPerPoint(const machine::MachineConfig& config) {
  const uint64_t cycles_per_byte =
      std::max<uint64_t>(1, config.clock_hz / machine::Uart::kReceiveHz);
  return std::min<uint64_t>(config.input_interval / cycles_per_byte + 1, machine::Uart::kMaxLine);
}

}  // namespace

bool FileInput::CanRead(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

absl::StatusOr<std::unique_ptr<FileInput>> FileInput::Read(int fd,
                                                           const machine::MachineConfig& config,
                                                           machine::Port port) {
  std::string bytes;
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot read standard input: ", strerror(errno)));
    }
    bytes.append(buffer.data(), static_cast<size_t>(got));
    if (bytes.size() > kMaxBytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "standard input is a file of more than ", kMaxBytes >> 20,
          " MiB; a pipe may be longer, but what it brings has no fixed place in guest time"));
    }
  }
  return std::make_unique<FileInput>(std::move(bytes), config, port);
}

FileInput::FileInput(std::string bytes, const machine::MachineConfig& config, machine::Port port)
    : bytes_(std::move(bytes)), port_(port), line_bytes_(BytesPerPoint(config)) {}

void FileInput::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  const size_t waiting = point.waiting(port_);
  if (waiting >= line_bytes_ || taken_ == bytes_.size()) return;
  const std::string bytes = bytes_.substr(taken_, line_bytes_ - waiting);
  taken_ += bytes.size();
  inputs.push_back(machine::Input::Bytes(port_, bytes));
}

}  // namespace isochron::cli
