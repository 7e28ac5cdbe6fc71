// A file as the guest's keyboard.

#ifndef ISOCHRON_CLI_HOST_FILE_INPUT_H_
#define ISOCHRON_CLI_HOST_FILE_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "machine/events/config.h"
#include "machine/events/input.h"

namespace isochron::cli {

// Types the bytes of a file that is known whole, so that guest time alone decides when: at each
// input point as many as fill the line of a UART up to what the receiver takes until the next one.
// Nothing is lost to a guest that does not listen yet, and the same file gives the same inputs.
class FileInput final : public machine::InputSource {
 public:
  // The largest file that is taken.
  static constexpr size_t kMaxBytes = size_t{256} << 20;

  // Whether what `fd` is open on can be known whole: a regular file.
  static bool CanRead(int fd);
  // Reads all that is left of the file that `fd` is open on. InvalidArgument when it cannot be read
  // or is too large.
  static absl::StatusOr<std::unique_ptr<FileInput>> Read(
      int fd, const machine::MachineConfig& config, machine::Port port = machine::Port::Uart(0));

  // `bytes` for the UART at `port` of a machine like this.
  FileInput(std::string bytes, const machine::MachineConfig& config,
            machine::Port port = machine::Port::Uart(0));

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;

 private:
  const std::string bytes_;
  const machine::Port port_;
  const size_t line_bytes_;  // what the line is filled up to
  size_t taken_ = 0;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_FILE_INPUT_H_
