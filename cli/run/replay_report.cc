#include "cli/run/replay_report.h"

#include <cstring>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/control/panic_watch.h"
#include "cli/text/report.h"
#include "hostio/printable.h"
#include "machine/events/cycle_text.h"
#include "replaylog/describe.h"
#include "replaylog/describe_diff.h"
#include "replaylog/event.h"
#include "replaylog/log_diff.h"

namespace isochron::cli {
namespace {

std::string DescribeStop(const machine::Input& stop) {
  switch (stop.cause) {
    case machine::StopCause::kQuit: return "it was stopped as asked";
    case machine::StopCause::kSignal:
      return absl::StrCat("it was stopped by signal ", stop.detail, " (",
                          strsignal(static_cast<int>(stop.detail)), ")");
    case machine::StopCause::kCycleLimit: return "--max-cycles was reached";
    case machine::StopCause::kLogLimit: return "--max-log was reached";
    case machine::StopCause::kExpectFailed:
      return absl::StrCat("the expect in line ", stop.detail, " of its script was not met");
    case machine::StopCause::kPanic:
      return stop.detail == PanicWatch::kDeadLoop ? "the guest was in a loop without end"
                                                  : "the guest panicked";
  }
  return "it was stopped";
}

std::string DescribePlace(const ReplayDriver::Place& place, const machine::KernelImage& kernel) {
  if ((place.pc & 1) != 0) return absl::StrFormat("0x%016x (PALmode)", place.pc & ~uint64_t{3});
  return DescribeAddress(place.pc, kernel);
}

}  // namespace

std::string DescribeEnd(const machine::RunEnd& end) {
  using Kind = machine::RunEnd::Kind;
  switch (end.kind) {
    case Kind::kPowerOff: return "the guest powered off";
    case Kind::kReset: return "the guest asked for a reset";
    case Kind::kFatal: return absl::StrCat("the guest could not go on: ", end.message);
    case Kind::kStopped: return DescribeStop(end.stop);
    case Kind::kObserver: return end.message;
    case Kind::kEndOfTime: return "machine time came to its end";
  }
  return "";
}

std::string DivergenceReport(const std::string& log, const timeline::Divergence& divergence,
                             const ReplayDriver::Place& place, const machine::KernelImage& kernel,
                             uint64_t clock_hz) {
  const replaylog::Event& actual = divergence.actual;
  std::string text =
      absl::StrCat("isochron: the run differs from ", hostio::Printable(log), " at event ",
                   actual.number, ", cycle ", machine::WithSeconds(actual.cycle, clock_hz), "\n");
  // One that is alone needs no number.
  const std::string whose = place.cpus > 1 ? absl::StrCat(" of CPU ", place.cpu) : "";
  absl::StrAppend(&text, "  PC", whose, " ", DescribePlace(place, kernel), "\n");
  if (divergence.expected.has_value()) {
    const std::string what = replaylog::NameDifference(*divergence.expected, actual, clock_hz);
    if (!what.empty()) absl::StrAppend(&text, "  what differs: ", what, "\n");
    const auto* output = std::get_if<replaylog::OutputRun>(&divergence.expected->body);
    if (output != nullptr && divergence.bytes_equal > 0) {
      absl::StrAppend(&text, "  of the expected output's ", output->bytes.size(), " bytes, ",
                      divergence.bytes_equal, " were equal\n");
    }
  }
  absl::StrAppend(&text, "expected, as the log has it:\n");
  absl::StrAppend(&text,
                  divergence.expected.has_value()
                      ? replaylog::DescribeEvent(*divergence.expected, clock_hz)
                      : std::string("  nothing more: the log ends here"),
                  "\n");
  absl::StrAppend(&text, "actual:\n", replaylog::DescribeEvent(actual, clock_hz), "\n");
  if (divergence.expected.has_value()) {
    const replaylog::DiffText diff("expected", "actual", clock_hz, replaylog::kLineColumns);
    text +=
        diff.Detail({divergence.expected,
                     replaylog::JoinOutput(*divergence.expected, divergence.bytes_equal, actual),
                     false, false});
  }
  absl::StrAppend(&text, "the last ", divergence.before.size(),
                  " events before, which are equal:\n", std::string(replaylog::EventTableHeading()),
                  "\n");
  for (const replaylog::Event& event : divergence.before) {
    absl::StrAppend(&text, replaylog::DescribeEvent(event, clock_hz), "\n");
  }
  return text;
}

}  // namespace isochron::cli
