// Running guest kernels in tests.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_GUEST_RUN_H_
#define ISOCHRON_CONFORMANCE_GUESTS_GUEST_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "machine/machine.h"

namespace isochron::conformance {

// Collects what the guest prints on its first UART.
class Transcript final : public machine::ConsoleSink {
 public:
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A machine that has loaded the kernel at `path` and runs on the engine called `engine`.
absl::StatusOr<std::unique_ptr<machine::Machine>> MakeMachine(
    const std::string& path, const machine::MachineConfig& config = {},
    std::string_view engine = "ref");

// Whether the guest powers off before `cycle`, up to which it runs at most.
bool PowersOffBefore(machine::Machine& machine, uint64_t cycle);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_GUESTS_GUEST_RUN_H_
