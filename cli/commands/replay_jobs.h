// `isochron replay --jobs`: a log verified by several machines side by side.

#ifndef ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_
#define ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_

#include <string>

#include <CLI/App.hpp>

#include "cli/run/run_options.h"

namespace isochron::cli {

// Adds --jobs.
void AddReplayJobsOption(CLI::App& replay, int& jobs);

// Replays what lies between the snapshots beside the log at `path`, `jobs` at a time; reports go to
// standard error. Returns the exit code, which is that of a replay in one go. Of the options of
// `replay`, which has been parsed, images, engine and --max-memory alone go with it.
int ReplaySideBySide(const CLI::App& replay, const std::string& path, const RunOptions& options,
                     int jobs);

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_COMMANDS_REPLAY_JOBS_H_
