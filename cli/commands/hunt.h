// `isochron hunt`: looks for a schedule with which a guest fails.

#ifndef ISOCHRON_CLI_COMMANDS_HUNT_H_
#define ISOCHRON_CLI_COMMANDS_HUNT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "cli/run/parts.h"
#include "machine/events/guest_time.h"

namespace isochron::cli {

struct HuntOptions {
  std::pair<uint64_t, uint64_t> seeds = {1, 1000};  // first and last
  std::string schedule;                             // without a seed
  std::string failure;                              // an `expect` of the control language
  std::optional<machine::GuestTime> within;
  bool all = false;  // not only the first that fails
  bool explain = true;
  int jobs = 0;  // 0: as many as the host has processors
  PartsOptions parts;
  std::string directory;
  std::vector<std::string> record;  // the options of `record`
};

void AddHuntCommand(CLI::App& app, std::function<int()>& command);

// What stands on the command line. Returns the exit code: that of a difference when a schedule
// fails.
int HuntSchedules(const HuntOptions& options);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_HUNT_H_
