// The smallest part of a list of switches that still fails.

#ifndef ISOCHRON_CLI_HUNT_SWITCH_SEARCH_H_
#define ISOCHRON_CLI_HUNT_SWITCH_SEARCH_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "machine/events/schedule_config.h"

namespace isochron::cli {

using Switches = std::vector<machine::TurnSwitch>;

// Whether a run with these switches fails. It must say the same whenever it is asked the same.
using SwitchTest = std::function<absl::StatusOr<bool>(const Switches& switches)>;

// Takes switches out of a list that fails as long as the rest fails: of what is left, each one is
// needed. Zeller and Hildebrandt, Simplifying and isolating failure-inducing input (2002): first
// large parts, then small ones, at last each alone. Errors are those of `fails`.
absl::StatusOr<Switches> MinimizeSwitches(Switches switches, const SwitchTest& fails);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HUNT_SWITCH_SEARCH_H_
