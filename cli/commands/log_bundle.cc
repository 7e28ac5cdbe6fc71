#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/log.h"
#include "cli/run/command_files.h"
#include "cli/run/guest.h"
#include "cli/run/guest_images.h"
#include "cli/run/run_options.h"
#include "cli/text/exit_code.h"
#include "replaylog/bundle_writer.h"
#include "replaylog/image_set.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {
namespace {

struct BundleOptions {
  std::string log_path;
  std::string bundle_path;
  RunOptions images;  // --kernel, --initrd, --disk
};

absl::Status WriteBundle(const BundleOptions& options) {
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log =
      replaylog::LogReader::Open(options.log_path);
  if (!log.ok()) return log.status();
  if ((*log)->is_bundle()) {
    return absl::InvalidArgumentError(absl::StrCat(options.log_path, " is a bundle already"));
  }
  // A damaged log is no good for keeping.
  if (absl::StatusOr<replaylog::LogSummary> summary = (*log)->Verify(); !summary.ok()) {
    return summary.status();
  }
  absl::StatusOr<std::vector<replaylog::ImageFile>> images =
      FindLogImages(**log, options.log_path, options.images);
  if (!images.ok()) return images.status();
  CommandFiles files;
  files.AddInput(options.log_path, "the log");
  files.AddImages(*images);
  files.AddOutput(options.bundle_path, "the bundle");
  if (absl::Status status = files.Check(); !status.ok()) return status;
  return replaylog::WriteBundle((*log)->source(), *images, options.bundle_path);
}

}  // namespace

void AddLogBundleCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* bundle =
      log.add_subcommand("bundle", "Pack a log and its images into one file that replays");
  auto options = std::make_shared<BundleOptions>();
  bundle->add_option("log", options->log_path, "the log")->type_name("LOG")->required();
  bundle->add_option("-o,--output", options->bundle_path, "the bundle to write")
      ->type_name("FILE")
      ->required();
  AddImageOptions(*bundle, options->images);
  bundle->footer(ExitCodeHelp({ExitCode::kOk, ExitCode::kUsage}));
  bundle->callback([options, &command] {
    command = [options] {
      const absl::Status status = WriteBundle(*options);
      return status.ok() ? ToInt(ExitCode::kOk) : RefuseInput(status);
    };
  });
}

}  // namespace isochron::cli
