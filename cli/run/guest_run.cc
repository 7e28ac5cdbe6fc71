#include "cli/run/guest_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/run/report_file.h"
#include "cli/text/exit_code.h"
#include "cli/text/report.h"

namespace isochron::cli {

GuestRun::GuestRun(Guest guest, SandboxMode sandbox) : guest_(std::move(guest)) {
  plan_.sandbox = sandbox;
  plan_.network = guest_.network.get();
}

absl::Status GuestRun::AddLog(const std::string& path, const RunOptions& options) {
  keeps_log_ = !path.empty();
  absl::StatusOr<std::unique_ptr<LogOutput>> log =
      LogOutput::Create(keeps_log_ ? path : "/dev/null", options, HeaderOf(guest_), guest_.images);
  if (!log.ok()) {
    keeps_log_ = false;
    return log.status();
  }
  log_ = *std::move(log);
  plan_.log_limit = log_->Limit(options);
  if (keeps_log_) {
    plan_.services.save = [this](const std::string& copy) {
      return log_->SaveCopy(copy, guest_.files);
    };
  }
  observers_.Add(&log_->recorder());
  return absl::OkStatus();
}

absl::Status GuestRun::AddSnapshots(const std::string& log_path, const replaylog::LogHeader& header,
                                    const std::optional<machine::GuestTime>& interval) {
  if (interval.has_value()) {
    absl::StatusOr<std::unique_ptr<SnapshotOutput>> created = SnapshotOutput::Create(
        log_path, header, machine(), interval->Cycles(machine().config().clock_hz));
    if (!created.ok()) return created.status();
    snapshots_ = *std::move(created);
    observers_.Add(&snapshots_->taker());
  }
  plan_.services.snapshot = [this, log_path, header] {
    return TakeSnapshot(snapshots_, log_path, header, machine(), observers_);
  };
  return absl::OkStatus();
}

void GuestRun::RefuseSnapshots(const std::string& why) {
  plan_.services.snapshot = [why] { return absl::FailedPreconditionError(why); };
}

void GuestRun::Follow(ReplayDriver& driver, uint64_t last_cycle) {
  plan_.replay = &driver;
  plan_.last_cycle = last_cycle;
  observers_.Add(&driver);
}

absl::StatusOr<machine::RunEnd> GuestRun::Run() {
  machine().SetObserver(&observers_);
  absl::StatusOr<machine::RunEnd> end = session().Run(machine(), plan_);
  machine().SetObserver(nullptr);
  if (!end.ok()) Discard();
  return end;
}

void GuestRun::Discard() {
  if (snapshots_ != nullptr) snapshots_->Discard();
  if (log_ != nullptr) log_->Discard();
  if (guest_.nvram.has_value()) guest_.nvram->Discard();
}

int GuestRun::Finish(const machine::RunEnd& end, int exit_code) {
  if (log_ != nullptr) exit_code = log_->Finish(end, exit_code);
  if (snapshots_ != nullptr) exit_code = snapshots_->FinishOr(exit_code);
  const bool log_is_lost = keeps_log_ && !log_->is_complete();
  exit_code = FinishDisks(guest_.disks, machine(), end, log_is_lost, exit_code);
  return FinishNvram(end, exit_code);
}

int GuestRun::FinishNvram(const machine::RunEnd& end, int exit_code) {
  if (!guest_.nvram.has_value()) return exit_code;
  if (!EndsInOrder(end)) {
    guest_.nvram->Discard();
    return exit_code;
  }
  const absl::Status status = guest_.nvram->Finish(*machine().nvram());
  if (status.ok()) return exit_code;
  Say(std::string(status.message()));
  return ToInt(ExitCode::kInternal);
}

void GuestRun::Conclude(const machine::RunEnd& end, int exit_code, const std::string& fields) {
  const std::string log = LogJson();
  keeps_log_ = false;
  log_.reset();
  session().EndControl(end, machine(), exit_code,
                       absl::StrCat(fields, !fields.empty() && !log.empty() ? "," : "", log));
}

int GuestRun::RunToEnd(const RunOptions& options) {
  const absl::StatusOr<machine::RunEnd> end = Run();
  if (!end.ok()) return RefuseInput(end.status());
  int exit_code = Finish(*end, session().Report(*end, machine()));
  if (plan_.driver != nullptr) exit_code = plan_.driver->CodeAfter(exit_code);
  exit_code = WriteRunReport(options, *end, exit_code, guest_, LogIdentity());
  Conclude(*end, exit_code);
  return exit_code;
}

}  // namespace isochron::cli
