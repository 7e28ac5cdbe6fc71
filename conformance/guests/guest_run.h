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

// Stops the run at the first input point at or past a cycle.
class StopAt final : public machine::InputSource {
 public:
  explicit StopAt(uint64_t cycle) : cycle_(cycle) {}
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override;

 private:
  uint64_t cycle_;
};

// A machine that has loaded the kernel at `path` and runs on the engine called `engine`.
absl::StatusOr<std::unique_ptr<machine::Machine>> MakeMachine(
    const std::string& path, const machine::MachineConfig& config = {},
    std::string_view engine = "ref");

// Runs until the guest ends or to the first input point at or past `cycle`.
machine::RunEnd RunTo(machine::Machine& machine, uint64_t cycle);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_GUESTS_GUEST_RUN_H_
