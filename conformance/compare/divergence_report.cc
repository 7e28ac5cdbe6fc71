#include "conformance/compare/divergence_report.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"
#include "conformance/compare/guest_code.h"
#include "machine/events/cycle_text.h"
#include "replaylog/describe.h"
#include "replaylog/describe_diff.h"

namespace isochron::conformance {
namespace {

using replaylog::Event;

// Of an event below one of DiffText, which has a mark before it.
constexpr size_t kEventColumns = replaylog::kLineColumns - 2;

// The last cycle at which the record says that all state was equal: a checkpoint before `event`.
uint64_t LastEqualCheckpoint(const std::vector<Event>& events, uint64_t event) {
  uint64_t cycle = 0;
  for (const Event& e : events) {
    if (e.number >= event) break;
    if (std::holds_alternative<replaylog::CheckpointEvent>(e.body)) cycle = e.cycle;
  }
  return cycle;
}

// A cycle at which the machines differ, as far as the events can tell: when both events that
// should have been the same have happened.
uint64_t FirstSureDifference(const timeline::Divergence& divergence) {
  uint64_t cycle = divergence.actual.last_cycle();
  if (divergence.expected) cycle = std::max(cycle, divergence.expected->last_cycle());
  return cycle + 1;
}

void Examine(MachineTwins& twins, Narrowed found, DivergenceReport& report) {
  const TwinState after = twins.Capture(found.experiment, found.culprit.cpu);
  twins.Advance(StartOf(found).moment);
  const machine::Machine& before = twins.first().machine();
  const alpha::Cpu& cpu = before.cpu(static_cast<int>(found.culprit.cpu));
  const alpha::Cpu first = CpuOf(after.first_cpu, cpu);
  report.different_cycle = report.cpus == 1 ? found.different : first.cycle;
  report.changes = CompareCpus(cpu, first, CpuOf(after.second_cpu, cpu));
  for (const MemoryDifference& word : after.memory) {
    report.memory.push_back(
        {word.pa, before.memory().Load<uint64_t>(word.pa), word.first, word.second});
  }
  report.memory_words = after.memory_words;
  report.other = after.other;
  report.code = after.code;
  Settle(found, report.changes);
  report.certainty = found.certainty;
  report.culprit = found.culprit;
  if (found.trace.size() > 1) report.trace = std::move(found.trace);
  report.place = DescribePc(cpu, report.culprit.pc, before.kernel());
  report.instructions = InstructionLines(cpu, before.memory(), report.culprit.pc);
}

std::string EqualEventLines(const DivergenceReport& report) {
  std::string text;
  if (!report.equal_events.empty()) absl::StrAppend(&text, "equal events before it:\n");
  for (const Event& event : report.equal_events) {
    absl::StrAppend(&text, "  ", replaylog::DescribeEvent(event, report.clock_hz, kEventColumns),
                    "\n");
  }
  return text;
}

std::string Conclusion(const DivergenceReport& report) {
  const std::string cycles = DescribeCulprit(report);
  switch (report.certainty) {
    case Certainty::kNotReproduced:
      return "the difference did not come back when the run was repeated on both engines\n";
    case Certainty::kInstruction:
      return absl::StrCat("first visible difference: the instruction ", cycles, "\n");
    case Certainty::kRegion:
      return absl::StrCat(
          "first visible difference: one of the instructions executed at once before cycle ",
          machine::WithSeconds(report.different_cycle, report.clock_hz),
          ";\nby what differs most likely the one ", cycles, "\n");
  }
  return "";
}

}  // namespace

absl::StatusOr<DivergenceReport> InvestigateDivergence(
    const RecordedRun& run, const std::vector<engines::NamedEngine>& engines,
    const timeline::Divergence& divergence) {
  DivergenceReport report;
  report.engines = {engines[0].name, engines[1].name};
  report.clock_hz = run.config.clock_hz;
  report.cpus = run.config.cpus;
  report.expected = divergence.expected;
  report.actual =
      divergence.expected
          ? replaylog::JoinOutput(*divergence.expected, divergence.bytes_equal, divergence.actual)
          : divergence.actual;
  report.equal_events.assign(divergence.before.begin(), divergence.before.end());
  report.equal_cycle = LastEqualCheckpoint(run.events, divergence.actual.number);
  absl::StatusOr<std::unique_ptr<MachineTwins>> twins = MachineTwins::Create(run, engines);
  if (!twins.ok()) return twins.status();
  (*twins)->AdvanceToCycle(report.equal_cycle);
  const uint64_t sure = FirstSureDifference(divergence);
  Narrowed found = Narrow(**twins, (*twins)->first().machine().moment(),
                          report.cpus == 1 ? sure : (*twins)->MomentAt(sure));
  if (found.certainty != Certainty::kNotReproduced) Examine(**twins, std::move(found), report);
  return report;
}

std::string DescribeCulprit(const DivergenceReport& report) {
  const std::string of_cpu = report.cpus == 1
                                 ? "at cycle "
                                 : absl::StrCat("of CPU ", report.culprit.cpu, " at its cycle ");
  return absl::StrCat(of_cpu, machine::WithSeconds(report.culprit.cycle, report.clock_hz), ", PC ",
                      report.place);
}

std::string TraceLine(const DivergenceReport& report, const Boundary& at) {
  const std::string of_cpu = report.cpus == 1 ? "" : absl::StrCat("CPU ", at.cpu, " ");
  return absl::StrFormat("%s%12d  %s\n", of_cpu, at.cycle,
                         alpha::ListedInstruction(at.pc, at.word));
}

std::string DescribeFirstDifference(const DivergenceReport& report) {
  const replaylog::DiffText text(report.engines[0], report.engines[1], report.clock_hz,
                                 replaylog::kLineColumns);
  replaylog::EventPair pair;
  pair.left = report.expected;
  pair.right = report.actual;
  pair.one_ended = !report.expected.has_value();
  return absl::StrCat(text.Summary(pair), "\n", text.Heading(), text.Different(pair));
}

std::string ReportText(const DivergenceReport& report) {
  std::string text = absl::StrCat("engines ", report.engines[0], " and ", report.engines[1],
                                  " differ\n", Conclusion(report));
  if (report.certainty != Certainty::kNotReproduced) {
    absl::StrAppend(&text, report.instructions);
    if (!report.trace.empty()) {
      absl::StrAppend(&text, "executed at once:\n");
      for (const Boundary& at : report.trace) {
        absl::StrAppend(&text, "  ", TraceLine(report, at));
      }
    }
    absl::StrAppend(&text, "registers that change, and what differs (*):\n",
                    FormatChanges(report.changes, report.engines[0], report.engines[1]));
    for (const MemoryChange& word : report.memory) {
      absl::StrAppendFormat(&text, "* memory 0x%-11x 0x%016x 0x%016x 0x%016x\n", word.pa,
                            word.before, word.first, word.second);
    }
    if (report.memory_words > report.memory.size()) {
      absl::StrAppend(&text, "* ", report.memory_words - report.memory.size(),
                      " more words of memory differ\n");
    }
    absl::StrAppend(&text, report.other);
    if (!report.code.empty()) {
      absl::StrAppend(&text, "translated by ", report.engines[1], ":\n", report.code);
    }
  }
  absl::StrAppend(&text, "the first event that differs:\n", DescribeFirstDifference(report),
                  EqualEventLines(report));
  if (!report.origin.empty()) {
    absl::StrAppend(&text, "to come back to it:\n", TextRows(report.origin));
  }
  return text;
}

}  // namespace isochron::conformance
