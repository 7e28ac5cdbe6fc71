// --max-cycles.

#ifndef ISOCHRON_CLI_HOST_CYCLE_LIMIT_H_
#define ISOCHRON_CLI_HOST_CYCLE_LIMIT_H_

#include <cstdint>
#include <vector>

#include "machine/events/input.h"

namespace isochron::cli {

// Ends the run at the first input point at or past `limit` cycles.
class CycleLimit final : public machine::InputSource {
 public:
  explicit CycleLimit(uint64_t limit) : limit_(limit) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle >= limit_) {
      inputs.push_back(machine::Input::Stop(machine::StopCause::kCycleLimit));
    }
  }

 private:
  uint64_t limit_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HOST_CYCLE_LIMIT_H_
