// Why a run fails: the turns that matter.

#ifndef ISOCHRON_CLI_HUNT_EXPLANATION_H_
#define ISOCHRON_CLI_HUNT_EXPLANATION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/hunt/hunted_guest.h"
#include "machine/events/schedule_config.h"

namespace isochron::cli {

// A turn that went elsewhere than by the order of before.
struct Preemption {
  uint64_t cycle = 0;  // of the CPU that did not go on
  uint32_t from = 0;
  uint64_t from_pc = 0;
  uint32_t to = 0;
  uint64_t to_pc = 0;
};

struct Explanation {
  // "switches" with nothing that could be left out, or the fixed schedule when that fails, too.
  machine::ScheduleConfig schedule;
  std::vector<Preemption> preemptions;  // those of a run by it
  size_t all = 0;                       // of the run that is explained
  size_t runs = 0;                      // that were made to find it
  HuntVerdict verdict;                  // of the run by it
};

// Told after each run that is made: the least number of switches known to fail, and of runs.
using ExplanationProgress = std::function<void(size_t switches, size_t runs)>;

// Finds the smallest list of switches with which the guest still fails, of those of a run by
// `schedule`, which fails. FailedPrecondition when the run has more of them than a list can have
// and those before its end are not enough.
absl::StatusOr<Explanation> Explain(const HuntedGuest& guest,
                                    const machine::ScheduleConfig& schedule,
                                    const ExplanationProgress& progress);

// The preemptions as a table, a line each, with the kernel's symbols; lines end in "\n".
std::string PreemptionTable(const std::vector<Preemption>& preemptions,
                            const machine::KernelImage& kernel);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_HUNT_EXPLANATION_H_
