#include "cli/command_run.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/script.h"
#include "cli/session.h"
#include "machine/elf_image.h"
#include "machine/image_file.h"
#include "machine/machine.h"

namespace isochron::cli {
namespace {

constexpr uint64_t kMaxScriptBytes = uint64_t{1} << 20;

absl::StatusOr<std::vector<ScriptCommand>> LoadScript(const std::string& path) {
  if (path.empty()) return std::vector<ScriptCommand>();
  absl::StatusOr<std::string> text = machine::ReadFileBytes(path, kMaxScriptBytes);
  if (!text.ok()) return text.status();
  return ParseScript(*text, path);
}

absl::StatusOr<machine::BootImages> LoadImages(const RunOptions& options) {
  machine::BootImages images;
  absl::StatusOr<std::string> kernel = machine::ReadImageFile(options.kernel_path);
  if (!kernel.ok()) return kernel.status();
  absl::StatusOr<machine::KernelImage> image = machine::ParseKernel(*kernel);
  if (!image.ok()) {
    return absl::Status(image.status().code(),
                        absl::StrCat(options.kernel_path, ": ", image.status().message()));
  }
  images.kernel = *std::move(image);
  if (!options.initrd_path.empty()) {
    absl::StatusOr<std::string> initrd = machine::ReadFileBytes(options.initrd_path);
    if (!initrd.ok()) return initrd.status();
    images.initrd = *std::move(initrd);
  }
  return images;
}

struct Guest {
  std::unique_ptr<machine::Machine> machine;
  std::unique_ptr<Session> session;
};

// Everything that can be wrong with what the user gave is found here, before anything runs.
absl::StatusOr<Guest> Prepare(const RunOptions& options) {
  if (absl::Status status = ValidateOptions(options); !status.ok()) return status;
  absl::StatusOr<std::vector<ScriptCommand>> script = LoadScript(options.script_path);
  if (!script.ok()) return script.status();
  absl::StatusOr<machine::BootImages> images = LoadImages(options);
  if (!images.ok()) return images.status();
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine = machine::Machine::Create(
      options.config, *std::move(images), EngineFactoryFor(options.engine));
  if (!machine.ok()) return machine.status();
  absl::StatusOr<std::unique_ptr<Session>> session =
      Session::Create(options, *std::move(script));
  if (!session.ok()) return session.status();
  return Guest{*std::move(machine), *std::move(session)};
}

}  // namespace

void AddRunCommand(CLI::App& app, std::function<int()>& command) {
  CLI::App* run = app.add_subcommand("run", "Boot a kernel and run it to its end");
  auto options = std::make_shared<RunOptions>();
  AddMachineOptions(*run, *options);
  AddEngineOption(*run, *options);
  AddControlOptions(*run, *options);
  AddConsoleOptions(*run, *options);
  run->footer("At a terminal, Ctrl-A x quits and Ctrl-A h helps.\n\n" + ExitCodeHelp());
  run->callback([options, &command] {
    command = [options] { return RunGuest(*options); };
  });
}

int RunGuest(const RunOptions& options) {
  absl::StatusOr<Guest> guest = Prepare(options);
  if (!guest.ok()) {
    fprintf(stderr, "isochron: %s\n", std::string(guest.status().message()).c_str());
    return ToInt(ExitCode::kUsage);
  }
  return guest->session->Run(*guest->machine);
}

}  // namespace isochron::cli
