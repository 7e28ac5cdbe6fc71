#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/log.h"
#include "cli/run/guest.h"
#include "cli/text/exit_code.h"
#include "cli/text/text_output.h"
#include "replaylog/log_reader.h"

namespace isochron::cli {
namespace {

int Verify(const std::string& path) {
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> log = replaylog::LogReader::Open(path);
  if (!log.ok()) return RefuseInput(log.status());
  absl::StatusOr<replaylog::LogSummary> summary = (*log)->Verify();
  if (!summary.ok()) return RefuseInput(summary.status());
  TextOutput out;
  out.Line(absl::StrCat(
      path, ": ",
      (*log)->is_partial() ? "partial, sound up to its last whole frame" : "complete and sound"));
  out.Line(absl::StrCat("  ", (*log)->frames().size(), " frames, ", summary->events,
                        " events, identity ", summary->identity.ToString()));
  return out.Finish(ToInt(ExitCode::kOk));
}

}  // namespace

void AddLogVerifyCommand(CLI::App& log, std::function<int()>& command) {
  CLI::App* verify = log.add_subcommand("verify", "Check a log's structure and checksums");
  auto path = std::make_shared<std::string>();
  verify->add_option("log", *path, "the log, or a bundle")->type_name("LOG")->required();
  verify->footer(ExitCodeHelp(ExitCodesOfReaders()));
  verify->callback([path, &command] { command = [path] { return Verify(*path); }; });
}

}  // namespace isochron::cli
