#include "cli/commands/demo.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/commands/run.h"
#include "cli/run/guest.h"
#include "cli/run/run_options.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"

namespace isochron::cli {
namespace {

int RunDemo(RunOptions options) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  absl::StatusOr<std::string> kernel = FindDemoKernel(program.string());
  if (!kernel.ok()) return RefuseInput(kernel.status());
  options.kernel_path = *std::move(kernel);
  Say(absl::StrCat("booting ", options.kernel_path,
                   ": it counts the keys of a line that is typed; docs/tutorial.md is about it"));
  return RunGuest(options);
}

}  // namespace

absl::StatusOr<std::string> FindDemoKernel(const std::string& program) {
  const std::filesystem::path folder = std::filesystem::path(program).parent_path();
  const std::filesystem::path installed =
      (folder / ISOCHRON_GUESTS_FROM_BIN / "keys.elf").lexically_normal();
  const std::filesystem::path built = (folder / "../guests/keys.elf").lexically_normal();
  for (const std::filesystem::path& place : {installed, built}) {
    std::error_code error;
    if (std::filesystem::is_regular_file(place, error)) return place.string();
  }
  return absl::NotFoundError(absl::StrCat("the guest of the demo is at neither ",
                                          installed.string(), " nor ", built.string()));
}

void AddDemoCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* demo = app.add_subcommand("demo", "Boot a small guest that comes with the program");
  auto options = std::make_shared<RunOptions>();
  AddEngineOption(*demo, *options);
  AddControlOptions(*demo, *options);
  AddConsoleOptions(*demo, *options);
  demo->footer("Type a line and Enter. At a terminal, Ctrl-A x quits and Ctrl-A h helps.\n\n" +
               ExitCodeHelp(ExitCodesOfRuns()));
  demo->callback([options, &command] { command = [options] { return RunDemo(*options); }; });
}

}  // namespace isochron::cli
