// The file of --nvram: the console's environment between runs.

#ifndef ISOCHRON_CLI_RUN_NVRAM_FILE_H_
#define ISOCHRON_CLI_RUN_NVRAM_FILE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/firmware/console_environment.h"
#include "machine/machine.h"
#include "replaylog/output_file.h"

namespace isochron::cli {

// The text in the file at `path`, which has been found to be an environment; empty when there is no
// file yet. Errors name the file.
absl::StatusOr<std::string> ReadNvram(const std::string& path);

// Where what NVRAM holds at the end is written to, opened before the guest runs. Nobody else can
// have the file meanwhile.
class NvramFile {
 public:
  // `before`: what ReadNvram() has found there.
  static absl::StatusOr<NvramFile> Create(const std::string& path, std::string before);

  // Behind a run that has come to an end in order: puts what NVRAM holds in place of the file, if
  // it holds something else now. The file is the old one or the new one, never half of one.
  absl::Status Finish(const machine::ConsoleEnvironment& environment);
  // Behind any other: leaves the file as it is.
  void Discard() { output_->Discard(); }

 private:
  NvramFile(std::unique_ptr<replaylog::OutputFile> output, std::string before)
      : output_(std::move(output)), before_(std::move(before)) {}

  std::unique_ptr<replaylog::OutputFile> output_;
  std::string before_;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_NVRAM_FILE_H_
