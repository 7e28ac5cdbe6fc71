// `isochron replay --jobs`: a log verified by several machines side by side.

#ifndef ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_
#define ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_

#include <string>

#include <CLI/App.hpp>

#include "cli/run/run_options.h"

namespace isochron::cli {

// Adds --jobs, which goes with images, engine and --max-memory and with nothing else that `replay`
// has already.
void AddReplayJobsOption(CLI::App& replay, int& jobs);

// Replays what lies between the snapshots beside the log at `path`, `jobs` at a time; reports go to
// standard error. Returns the exit code, which is that of a replay in one go.
int ReplaySideBySide(const std::string& path, const RunOptions& options, int jobs);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_
