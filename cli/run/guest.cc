#include "cli/run/guest.h"

#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "cli/run/clock_advice.h"
#include "cli/run/guest_network.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "hostio/image_file.h"

namespace isochron::cli {
namespace {

constexpr uint64_t kMaxScriptBytes = uint64_t{1} << 20;

}  // namespace

absl::StatusOr<std::vector<ScriptCommand>> LoadScript(const RunOptions& options) {
  const std::string& path = options.script_path;
  if (path.empty()) return std::vector<ScriptCommand>();
  absl::StatusOr<std::string> text = hostio::ReadFileBytes(path, kMaxScriptBytes);
  if (!text.ok()) return text.status();
  return ParseScript(*text, path, options.config.clock_hz);
}

absl::StatusOr<machine::MachineConfig> ConfigOf(const RunOptions& options,
                                                const GuestImages& images) {
  machine::MachineConfig config = options.config;
  config.disks = images.disks.configs;
  if (!options.nvram_path.empty()) {
    absl::StatusOr<std::string> nvram = ReadNvram(options.nvram_path);
    if (!nvram.ok()) return nvram.status();
    config.nvram = *std::move(nvram);
  }
  if (absl::Status status = config.Validate(); !status.ok()) return status;
  return config;
}

namespace {

// PrepareGuest() of options that ValidateOptions() has accepted.
absl::StatusOr<Guest> MakeGuest(const RunOptions& options, GuestImages images, CommandFiles files,
                                std::unique_ptr<FrameLink> network) {
  absl::StatusOr<machine::MachineConfig> config = ConfigOf(options, images);
  if (!config.ok()) return config.status();
  absl::StatusOr<std::vector<ScriptCommand>> script = LoadScript(options);
  if (!script.ok()) return script.status();
  for (const replaylog::ImageFile& file : images.files) {
    const DiskImage* const disk =
        file.record.is_disk() ? images.disks.images[file.record.disk()].get() : nullptr;
    if (disk != nullptr && disk->has_overlay()) {
      files.AddInput(disk->name(), "the image under an overlay");
      files.AddOutput(disk->written_name(), "an overlay");
    } else {
      files.AddImage(file, disk != nullptr && disk->writable());
    }
  }
  files.AddInput(options.script_path, "the script");
  files.AddOutput(options.consoles[0].file(), "the console's output");
  files.AddOutput(options.consoles[1].file(), "the output of UART 1");
  files.AddOutput(options.nvram_path, "the NVRAM");
  files.AddOutput(options.report_path, "the report");
  files.AddOutput(options.junit_path, "the JUnit report");
  if (absl::Status status = files.Check(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine =
      machine::Machine::Create(*config, std::move(images.boot), EngineFactoryFor(options));
  if (!machine.ok()) return machine.status();
  absl::StatusOr<std::unique_ptr<Session>> session = Session::Create(options, *std::move(script));
  if (!session.ok()) return session.status();
  return Guest{
      std::move(network),      *std::move(machine), *std::move(session), std::move(images.files),
      std::move(images.disks), std::move(files),    std::nullopt};
}

}  // namespace

absl::StatusOr<Guest> PrepareGuest(const RunOptions& options, GuestImages images,
                                   CommandFiles files, std::unique_ptr<FrameLink> network) {
  if (absl::Status status = ValidateOptions(options); !status.ok()) return status;
  return MakeGuest(options, std::move(images), std::move(files), std::move(network));
}

absl::StatusOr<Guest> PrepareGuest(const RunOptions& options, CommandFiles files) {
  if (absl::Status status = ValidateOptions(options); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<FrameLink>> network = OpenNetwork(options);
  if (!network.ok()) return network.status();
  absl::StatusOr<GuestImages> images = LoadNamedImages(options);
  if (!images.ok()) return images.status();
  WarnOfClock(options, *images);
  absl::StatusOr<Guest> guest =
      MakeGuest(options, *std::move(images), std::move(files), *std::move(network));
  if (!guest.ok() || options.nvram_path.empty()) return guest;
  absl::StatusOr<NvramFile> nvram =
      NvramFile::Create(options.nvram_path, *guest->machine->config().nvram);
  if (!nvram.ok()) return nvram.status();
  guest->nvram = *std::move(nvram);
  return guest;
}

void WarnOfClock(const RunOptions& options, const GuestImages& images) {
  if (const auto advice = ClockAdvice(options.config, images.boot.kernel)) Say(*advice);
}

int RefuseInput(const absl::Status& status) {
  Say(std::string(status.message()));
  return ToInt(absl::IsInternal(status) ? ExitCode::kInternal : ExitCode::kUsage);
}

}  // namespace isochron::cli
