#include "cli/hunt/hunted_guest.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/control/script_runner.h"
#include "cli/run/guest.h"
#include "cli/run/log_output.h"
#include "machine/bus/console.h"
#include "machine/events/input.h"

namespace isochron::cli {
namespace {

// Drives a guest by its script and looks out for the failure.
class Lookout final : public machine::InputSource, public machine::ConsoleSink {
 public:
  Lookout(std::vector<ScriptCommand> script, const ScriptCommand& failure, uint64_t clock_hz)
      : script_(std::move(script), clock_hz), failure_({failure, ScriptCommand()}, clock_hz) {}

  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    failure_.Poll(point, inputs);
    if (inputs.empty()) script_.Poll(point, inputs);
  }
  uint64_t NextStop(uint64_t cycle, uint64_t until) override {
    return failure_.NextStop(cycle, script_.NextStop(cycle, until));
  }
  std::optional<machine::Input> TakeStop(const machine::InputPoint& point,
                                         Occasion occasion) override {
    std::optional<machine::Input> stop = failure_.TakeStop(point, occasion);
    return stop.has_value() ? std::move(stop) : script_.TakeStop(point, occasion);
  }
  void OnConsoleByte(int uart, uint64_t cycle, uint8_t byte) override {
    failure_.OnConsoleByte(uart, cycle, byte);
    script_.OnConsoleByte(uart, cycle, byte);
  }

  // After the run.
  bool HasSeenFailure(uint64_t cycle) {
    failure_.NoteGuestEnd(cycle);
    const ScriptCommand* const current = failure_.current();
    return failure_.failure().empty() &&
           (current == nullptr || current->kind == ScriptCommand::Kind::kStop);
  }

 private:
  ScriptRunner script_;
  ScriptRunner failure_;  // an `expect` and a `stop`
};

std::string Describe(const HuntVerdict& verdict) {
  return absl::StrCat(verdict.fails ? "fails" : "passes", " and ends at cycle ", verdict.cycle,
                      " with ", verdict.instructions, " instructions");
}

}  // namespace

absl::StatusOr<HuntedGuest> HuntedGuest::Create(const RunOptions& options, ScriptCommand failure) {
  if (absl::Status status = ValidateOptions(options); !status.ok()) return status;
  if (options.config.cpus < 2) {
    return absl::InvalidArgumentError(
        "one CPU has its turn always: a hunt needs --cpus of 2 or more");
  }
  absl::StatusOr<std::vector<ScriptCommand>> script = LoadScript(options);
  if (!script.ok()) return script.status();
  absl::StatusOr<GuestImages> images = LoadNamedImages(options);
  if (!images.ok()) return images.status();
  absl::StatusOr<machine::MachineConfig> config = ConfigOf(options, *images);
  if (!config.ok()) return config.status();
  WarnOfClock(options, *images);
  return HuntedGuest(options, *std::move(config), *std::move(images), *std::move(script),
                     std::move(failure));
}

absl::StatusOr<HuntVerdict> HuntedGuest::Run(const machine::ScheduleConfig& schedule,
                                             const Preparation& prepare) const {
  machine::MachineConfig config = config_;
  config.schedule = schedule;
  absl::StatusOr<std::unique_ptr<machine::Machine>> machine =
      machine::Machine::Create(config, images_.boot, EngineFactoryFor(options_));
  if (!machine.ok()) return machine.status();
  Lookout lookout(script_, failure_, config.clock_hz);
  (*machine)->SetInputSource(&lookout);
  (*machine)->SetConsoleSink(&lookout);
  if (prepare) prepare(**machine);
  HuntVerdict verdict;
  verdict.end = (*machine)->Run();
  if (verdict.end.kind == machine::RunEnd::Kind::kObserver) {
    return absl::InternalError(verdict.end.message);
  }
  verdict.cycle = (*machine)->now();
  verdict.instructions = (*machine)->Instructions();
  verdict.fails = lookout.HasSeenFailure(verdict.cycle);
  return verdict;
}

replaylog::LogHeader HuntedGuest::Header(const machine::ScheduleConfig& schedule) const {
  replaylog::LogHeader header = HeaderOf(config_, images_.files);
  header.config.schedule = schedule;
  return header;
}

std::string HuntedGuest::ScriptText() const {
  std::string text;
  for (const ScriptCommand& command : script_) {
    absl::StrAppend(&text, DescribeCommand(command), " ", command.cycles, "\n");
  }
  return text;
}

absl::Status HuntedGuest::Record(const machine::ScheduleConfig& schedule,
                                 const HuntVerdict& expected, const std::string& path) const {
  absl::StatusOr<std::unique_ptr<LogOutput>> log =
      LogOutput::Create(path, options_, Header(schedule), images_.files);
  if (!log.ok()) return log.status();
  const absl::StatusOr<HuntVerdict> verdict =
      Run(schedule, [&](machine::Machine& machine) { machine.SetObserver(&(*log)->recorder()); });
  if (!verdict.ok()) {
    (*log)->Discard();
    return verdict.status();
  }
  if (Describe(*verdict) != Describe(expected)) {
    (*log)->Discard();
    return absl::InternalError(absl::StrCat(path, ": is not written: the run by schedule ",
                                            schedule.Text(), " ", Describe(*verdict), " now, and ",
                                            Describe(expected), " before"));
  }
  return (*log)->Complete();
}

}  // namespace isochron::cli
