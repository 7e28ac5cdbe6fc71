#include "cli/run/log_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "machine/events/digest.h"
#include "replaylog/describe.h"
#include "replaylog/event.h"
#include "replaylog/image_set.h"
#include "replaylog/output_file.h"
#include "timeline/snapshot.h"

namespace isochron::cli {
namespace {

// Whether bytes written to the log at `path` come out where standard output does.
bool IsStandardOutput(const std::string& path) {
  if (path == "-") return true;
  struct stat log;
  struct stat output;
  return stat(path.c_str(), &log) == 0 && fstat(STDOUT_FILENO, &output) == 0 &&
         log.st_dev == output.st_dev && log.st_ino == output.st_ino &&
         (!S_ISCHR(log.st_mode) || isatty(STDOUT_FILENO) != 0);
}

absl::Status CheckTarget(const std::string& path, const RunOptions& options) {
  if (!IsStandardOutput(path)) return absl::OkStatus();
  if (isatty(STDOUT_FILENO) != 0) {
    return absl::InvalidArgumentError("a log is not for a terminal; write it to a file or pipe");
  }
  for (const ConsoleTarget& console : options.consoles) {
    if (console.kind != ConsoleTarget::Kind::kStdio) continue;
    return absl::InvalidArgumentError(
        "the log and the console cannot both go to standard output; give --console null or "
        "--console file:PATH, or write the log to a file");
  }
  return absl::OkStatus();
}

// Until the log is complete, its sidecar serves the log that it will replace as well.
absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> PrepareSharedSidecar(
    const std::string& path, std::vector<replaylog::ImageFile> images) {
  absl::StatusOr<std::vector<replaylog::ImageFile>> former = replaylog::ReadSidecar(path);
  if (former.ok() && access(path.c_str(), F_OK) == 0) {
    for (replaylog::ImageFile& file : *former) {
      const bool known = std::any_of(images.begin(), images.end(), [&file](const auto& image) {
        return image.record == file.record;
      });
      if (!known) images.push_back(std::move(file));
    }
  }
  return replaylog::PrepareSidecar(path, images);
}

}  // namespace

replaylog::LogHeader HeaderOf(const machine::MachineConfig& config,
                              const std::vector<replaylog::ImageFile>& images) {
  replaylog::LogHeader header = timeline::HeaderOf(config);
  for (const replaylog::ImageFile& image : images) header.images.push_back(image.record);
  return header;
}

replaylog::LogHeader HeaderOf(const Guest& guest) {
  return HeaderOf(guest.machine->config(), guest.images);
}

absl::StatusOr<std::unique_ptr<LogOutput>> LogOutput::Create(
    const std::string& path, const RunOptions& options, const replaylog::LogHeader& header,
    std::vector<replaylog::ImageFile> images) {
  if (absl::Status status = CheckTarget(path, options); !status.ok()) return status;
  const bool is_file = !replaylog::IsSpecialFile(path);
  // Who has the log has what lies beside it, until it is closed: nobody else gets that far.
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> file = replaylog::OutputFile::Create(path);
  if (!file.ok()) return file.status();
  std::unique_ptr<replaylog::OutputFile> sidecar;
  if (is_file) {
    absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> prepared =
        PrepareSharedSidecar(path, images);
    if (!prepared.ok()) {
      (*file)->Discard();
      return prepared.status();
    }
    sidecar = *std::move(prepared);
  }
  absl::StatusOr<std::unique_ptr<replaylog::LogWriter>> writer =
      replaylog::LogWriter::Create(*std::move(file), header);
  // Whoever kills us between the two leaves a log without its images, so there is little in
  // between.
  absl::Status status = writer.status();
  if (sidecar != nullptr) status = sidecar->Finish(std::move(status));
  if (!status.ok()) {
    if (writer.ok()) (*writer)->Discard();
    return status;
  }
  return std::unique_ptr<LogOutput>(
      new LogOutput(path, is_file, std::move(images), *std::move(writer)));
}

void LogOutput::Discard() {
  writer_->Discard();
  // The sidecar of a log that is there already has become no worse.
  if (is_file_ && access(path_.c_str(), F_OK) != 0) {
    unlink(replaylog::SidecarPath(path_).c_str());
  }
}

absl::Status LogOutput::SaveCopy(const std::string& path, CommandFiles files) const {
  if (path.find('\0') != std::string::npos || replaylog::IsSpecialFile(path)) {
    return absl::InvalidArgumentError("a copy of the log needs the name of a file");
  }
  files.AddLog(path, "a copy of the log");
  if (absl::Status status = files.Check(); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<replaylog::OutputFile>> sidecar =
      replaylog::PrepareSidecar(path, images_);
  if (!sidecar.ok()) return sidecar.status();
  return (*sidecar)->Finish(writer_->SaveCopy(path));
}

void LogOutput::Append(const replaylog::Event& event) {
  if (std::holds_alternative<replaylog::UnknownEvent>(event.body)) return;
  writer_->Append(event);
}

std::function<bool()> LogOutput::Limit(const RunOptions& options) const {
  if (!options.max_log.has_value()) return nullptr;
  return [writer = writer_.get(), size = *options.max_log] { return writer->Reaches(size); };
}

std::string LogOutput::Json() const {
  if (!complete_) return "";
  return absl::StrCat("\"log\":{\"path\":", replaylog::JsonString(path_),
                      ",\"events\":", writer_->events(), ",\"bytes\":", writer_->file_bytes(),
                      ",\"identity\":\"", writer_->identity().ToString(), "\"}");
}

absl::Status LogOutput::Complete() {
  if (absl::Status status = writer_->Finish(); !status.ok()) return status;
  complete_ = true;
  if (!is_file_) return absl::OkStatus();
  const std::string snapshots = timeline::SnapshotPath(path_);
  if (!replaylog::IsSpecialFile(snapshots)) unlink(snapshots.c_str());
  return replaylog::WriteSidecar(path_, images_);
}

int LogOutput::Finish(const machine::RunEnd& end, int exit_code) {
  const bool stopped = end.kind == machine::RunEnd::Kind::kObserver;
  if (!stopped) {  // otherwise the reason has been reported
    const absl::Status status = Complete();
    if (status.ok()) {
      Say(absl::StrCat("log: ", path_ == "-" ? "standard output" : path_, ", ", writer_->events(),
                       " events, ", writer_->file_bytes(), " bytes, identity ",
                       writer_->identity().ToString()));
      return exit_code;
    }
    Say(std::string(status.message()));
    exit_code = ToInt(ExitCode::kInternal);
  }
  if (is_file_ && !complete_) {
    writer_.reset();
    Say(absl::StrCat("the log is incomplete; what was written is ", path_, ".partial"));
  }
  return exit_code;
}

}  // namespace isochron::cli
