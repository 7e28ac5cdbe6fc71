// The log that a command writes.

#ifndef ISOCHRON_CLI_RUN_LOG_OUTPUT_H_
#define ISOCHRON_CLI_RUN_LOG_OUTPUT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/run/command_files.h"
#include "cli/run/guest.h"
#include "cli/run/run_options.h"
#include "machine/events/digest.h"
#include "machine/events/observer.h"
#include "machine/machine.h"
#include "replaylog/event.h"
#include "replaylog/image_set.h"
#include "replaylog/log_writer.h"
#include "timeline/recorder.h"

namespace isochron::cli {

// The header of a log of a machine with these images.
replaylog::LogHeader HeaderOf(const machine::MachineConfig& config,
                              const std::vector<replaylog::ImageFile>& images);

// The same of this guest.
replaylog::LogHeader HeaderOf(const Guest& guest);

// Records a guest to a file, to a pipe or to standard output, from power-on to its end.
class LogOutput {
 public:
  // Starts the log at `path` ("-": standard output) of a guest of that header, which `images` went
  // into, and writes its sidecar, where it can have one.
  // Nothing runs yet. From here to the end of this object no other recorder begins the same log, or
  // touches what lies beside it. Errors, after which no file is left: a console that goes where the
  // log goes, a terminal, another recorder at the same log, a file that cannot be written.
  static absl::StatusOr<std::unique_ptr<LogOutput>> Create(
      const std::string& path, const RunOptions& options, const replaylog::LogHeader& header,
      std::vector<replaylog::ImageFile> images);

  // What is to observe the machine.
  machine::Observer& recorder() { return recorder_; }

  // Before the run: an event of what came before the state in which the machine begins, as another
  // log has it. Witnesses of unknown types are left out: no run of this machine has them.
  void Append(const replaylog::Event& event);

  // After the run and its report: completes the log and says on standard error what it is. Returns
  // `exit_code`, what the run itself ended with, or the code of an error of the log. A run that
  // an observer stopped leaves its log where it breaks off, and says so.
  int Finish(const machine::RunEnd& end, int exit_code);

  // Nothing was run: removes what Create() made.
  void Discard();
  // Tells, while this is there, whether the log has as many bytes as the options allow; nullptr
  // when they set no limit.
  std::function<bool()> Limit(const RunOptions& options) const;

  // Without words: completes the log. An older log at its place, with its snapshots, is gone then.
  absl::Status Complete();

  // Writes what is recorded so far as a partial log of its own at `path`, with its sidecar. Errors,
  // after which nothing is there: a log that is no file, a file that cannot be written or is one of
  // the command's `files`.
  absl::Status SaveCopy(const std::string& path, CommandFiles files) const;

  const replaylog::LogWriter& writer() const { return *writer_; }

  bool is_complete() const { return complete_; }
  // The identity of the complete log; empty when it is not complete.
  std::string Identity() const { return complete_ ? writer_->identity().ToString() : ""; }
  // What Finish() said about the complete log, as JSON: "log":{...}. Empty when it is not complete.
  std::string Json() const;

 private:
  LogOutput(std::string path, bool is_file, std::vector<replaylog::ImageFile> images,
            std::unique_ptr<replaylog::LogWriter> writer)
      : path_(std::move(path)),
        is_file_(is_file),
        images_(std::move(images)),
        writer_(std::move(writer)),
        recorder_(*writer_) {}

  const std::string path_;
  const bool is_file_;  // it has a .partial until it is complete
  const std::vector<replaylog::ImageFile> images_;
  std::unique_ptr<replaylog::LogWriter> writer_;
  timeline::Recorder recorder_;
  bool complete_ = false;
};

}  // namespace isochron::cli

#endif  // ISOCHRON_CLI_RUN_LOG_OUTPUT_H_
