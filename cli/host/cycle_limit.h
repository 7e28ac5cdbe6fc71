// --max-cycles.

#ifndef ISOCHRON_CLI_HOST_CYCLE_LIMIT_H_
#define ISOCHRON_CLI_HOST_CYCLE_LIMIT_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "machine/events/input.h"

namespace isochron::cli {

// Ends the run at the first input point or stop point at or past `limit` cycles.
class CycleLimit final : public machine::InputSource {
 public:
  explicit CycleLimit(uint64_t limit) : limit_(limit) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (std::optional<machine::Input> stop = TakeStop(point, Occasion::kStopPoint)) {
      inputs.push_back(*std::move(stop));
    }
  }
  uint64_t NextStop(uint64_t cycle, uint64_t until) override {
    return machine::NextStopOfLimit(limit_, cycle, until);
  }
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point, Occasion) override {
    if (point.cycle < limit_) return std::nullopt;
    return machine::Input::Stop(machine::StopCause::kCycleLimit);
  }

 private:
  uint64_t limit_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_CYCLE_LIMIT_H_
