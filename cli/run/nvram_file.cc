#include "cli/run/nvram_file.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "hostio/image_file.h"
#include "machine/events/config.h"

namespace isochron::cli {

absl::StatusOr<std::string> ReadNvram(const std::string& path) {
  if (replaylog::IsSpecialFile(path)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is no regular file, and NVRAM is to be there"));
  }
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) return std::string();
  absl::StatusOr<std::string> text = hostio::ReadFileBytes(path, machine::MachineConfig::kMaxNvram);
  if (!text.ok()) return text.status();
  const absl::Status status = machine::ConsoleEnvironment::Parse(*text).status();
  if (!status.ok()) return hostio::WithPath(status, path);
  return text;
}

absl::StatusOr<NvramFile> NvramFile::Create(const std::string& path, std::string before) {
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> output =
      replaylog::OutputFile::Create(path);
  if (!output.ok()) return output.status();
  return NvramFile(*std::move(output), std::move(before));
}

absl::Status NvramFile::Finish(const machine::ConsoleEnvironment& environment) {
  const absl::StatusOr<machine::ConsoleEnvironment> before =
      machine::ConsoleEnvironment::Parse(before_);
  if (before.ok() && *before == environment) {
    output_->Discard();
    return absl::OkStatus();
  }
  return output_->Finish(output_->Write(environment.Format()));
}

}  // namespace isochron::cli
