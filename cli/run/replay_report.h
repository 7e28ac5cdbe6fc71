// What is told of a replay.

#ifndef ISOCHRON_CLI_RUN_REPLAY_REPORT_H_
#define ISOCHRON_CLI_RUN_REPLAY_REPORT_H_

#include <string>

#include "cli/run/replay_driver.h"
#include "machine/firmware/elf_image.h"
#include "machine/machine.h"
#include "timeline/replayer.h"

namespace isochron::cli {

// What ended a run, as a clause: "the guest powered off".
std::string DescribeEnd(const machine::RunEnd& end);

// Where and how a run left its log: event number, cycle, PC with symbol, both events decoded and
// those before. Several lines that end in "\n". `clock_hz`: cycles in a guest second.
std::string DivergenceReport(const std::string& log, const timeline::Divergence& divergence,
                             const ReplayDriver::Place& place, const machine::KernelImage& kernel,
                             uint64_t clock_hz);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_REPLAY_REPORT_H_
