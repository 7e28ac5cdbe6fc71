#include "cli/run/snapshot_output.h"

#include "absl/strings/str_cat.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"
#include "replaylog/output_file.h"

namespace isochron::cli {

absl::Status SnapshotOutput::CheckLog(const std::string& log_path) {
  if (!replaylog::IsSpecialFile(log_path)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "--snapshot-every needs a log that is a file: the snapshots go beside it");
}

absl::StatusOr<std::unique_ptr<SnapshotOutput>> SnapshotOutput::Create(
    const std::string& log_path, const replaylog::LogHeader& header, machine::Machine& machine,
    uint64_t interval) {
  if (absl::Status status = CheckLog(log_path); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<timeline::SnapshotWriter>> writer =
      timeline::SnapshotWriter::Create(timeline::SnapshotPath(log_path), header);
  if (!writer.ok()) return writer.status();
  return std::unique_ptr<SnapshotOutput>(new SnapshotOutput(*std::move(writer), machine, interval));
}

int SnapshotOutput::FinishOr(int exit_code) {
  absl::Status status = taker_.error();
  if (status.ok()) status = writer_->Finish();
  if (status.ok()) return exit_code;
  Say(absl::StrCat("the snapshots are incomplete: ", status.message()));
  return ToInt(ExitCode::kInternal);
}

absl::Status TakeSnapshot(std::unique_ptr<SnapshotOutput>& snapshots, const std::string& log_path,
                          const replaylog::LogHeader& header, machine::Machine& machine,
                          timeline::ObserverList& observers) {
  if (snapshots == nullptr) {
    absl::StatusOr<std::unique_ptr<SnapshotOutput>> created =
        SnapshotOutput::Create(log_path, header, machine, SnapshotOutput::kNever);
    if (!created.ok()) return created.status();
    snapshots = *std::move(created);
    observers.Add(&snapshots->taker());
  }
  snapshots->TakeNext();
  return absl::OkStatus();
}

}  // namespace isochron::cli
