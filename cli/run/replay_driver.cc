#include "cli/run/replay_driver.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hostio/image_file.h"
#include "hostio/memory_limit.h"
#include "machine/firmware/firmware.h"
#include "replaylog/output_file.h"

namespace isochron::cli {

namespace {

// A header of a few bytes must not make the host swap.
absl::Status CheckMemory(uint64_t memory_bytes, int machines, std::optional<uint64_t> allowed) {
  const uint64_t asked = memory_bytes * static_cast<uint64_t>(machines);
  const hostio::MemoryLimit host = hostio::HostMemoryLimit();
  const uint64_t limit = allowed.value_or(host.bytes);
  if (asked <= limit) return absl::OkStatus();
  const std::string who = machines == 1 ? "the log's machine has "
                                        : absl::StrCat(machines, " of the log's machines have ");
  const std::string what =
      absl::StrCat(who, asked >> 20, " MiB of memory, more than the ", limit >> 20, " MiB ");
  return absl::FailedPreconditionError(
      allowed.has_value()
          ? absl::StrCat(what, "that --max-memory allows")
          : absl::StrCat(what,
                         host.of_control_group ? "that the control group of this process has"
                                               : "of this host",
                         "; --max-memory ", asked >> 20, "M allows it"));
}

}  // namespace

absl::StatusOr<OpenedLog> OpenLogToRun(const std::string& path, const RunOptions& options,
                                       int machines) {
  absl::StatusOr<std::unique_ptr<replaylog::LogReader>> reader = replaylog::LogReader::Open(path);
  if (!reader.ok()) return reader.status();
  if (absl::Status status = replaylog::CheckModel((*reader)->header(), machine::PalcodeDigest(),
                                                  machine::DiskConsoleDigest());
      !status.ok()) {
    return hostio::WithPath(status, path);
  }
  if (absl::Status status =
          CheckMemory((*reader)->header().config.memory_bytes, machines, options.max_memory);
      !status.ok()) {
    return hostio::WithPath(status, path);
  }
  absl::StatusOr<replaylog::LogSummary> summary = (*reader)->Verify();
  if (!summary.ok()) return summary.status();
  return OpenedLog{*std::move(reader), summary->last_cycle, summary->identity,
                   summary->end.has_value()};
}

absl::Status CheckLogForJobs(const std::string& path) {
  if (path != "-" && !replaylog::IsSpecialFile(path)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": parts of a log are read side by side, and it must be a file then"));
}

void ReplayDriver::Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) {
  if (state_ != State::kReplaying) return;
  if (options_.until.has_value() && point.cycle >= *options_.until) {
    state_ = options_.live ? State::kLive : State::kReachedUntil;
    if (!options_.live) inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
    return;
  }
  replayer_.Poll(point, inputs);
}

uint64_t ReplayDriver::NextStop(uint64_t cycle, uint64_t until) {
  if (state_ != State::kReplaying) return until;
  if (!options_.live && options_.until.has_value()) {
    until = std::min(until, std::max(cycle, *options_.until));
  }
  return replayer_.NextStop(cycle, until);
}

std::optional<machine::Input> ReplayDriver::TakeStop(const machine::InputPoint& point,
                                                     Occasion occasion) {
  if (state_ != State::kReplaying) return std::nullopt;
  if (!options_.live && options_.until.has_value() && point.cycle >= *options_.until) {
    state_ = State::kReachedUntil;
    return machine::Input::Stop(machine::StopCause::kQuit);
  }
  return replayer_.TakeStop(point, occasion);
}

std::optional<machine::Input> ReplayDriver::TakeDebugged(const machine::InputPoint& point) {
  return state_ == State::kReplaying ? replayer_.TakeDebugged(point) : std::nullopt;
}

void ReplayDriver::On(const machine::Event& event) {
  if (state_ != State::kReplaying) return;
  replayer_.On(event);
  if (replayer_.divergence().has_value() && !place_.has_value()) {
    const uint32_t cpu = machine_.acting_cpu();
    place_ = Place::Of(machine_, cpu, machine_.cpu(static_cast<int>(cpu)).cycle);
  }
}

absl::Status ReplayDriver::status() const {
  return state_ == State::kReplaying ? replayer_.status() : absl::OkStatus();
}

}  // namespace isochron::cli
