// `isochron replay --jobs` and `--dask`: a log verified by several machines side by side.

#ifndef ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_
#define ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_

#include <string>

#include <CLI/App.hpp>

#include "cli/run/parts.h"
#include "cli/run/run_options.h"

namespace isochron::cli {

struct SideBySideOptions {
  int jobs = 0;        // machines at a time; 0: that is not asked for
  PartsOptions parts;  // of a cluster

  bool any() const { return jobs != 0 || parts.any(); }
};

// Adds --jobs, --dask and --part.
void AddSideBySideOptions(CLI::App& replay, SideBySideOptions& options);

// Replays what lies between the snapshots beside the log at `path` as `side_by_side` has it;
// reports go to standard error. Returns the exit code, which is that of a replay in one go. Of the
// options of `replay`, which has been parsed, images, engine and --max-memory alone go with it.
int ReplaySideBySide(const CLI::App& replay, const std::string& path, const RunOptions& options,
                     const SideBySideOptions& side_by_side);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_
