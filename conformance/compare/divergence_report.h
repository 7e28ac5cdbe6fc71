// What is told about the first difference between two engines.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_DIVERGENCE_REPORT_H_
#define ISOCHRON_CONFORMANCE_COMPARE_DIVERGENCE_REPORT_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "conformance/compare/cpu_fields.h"
#include "conformance/compare/machine_twins.h"
#include "conformance/compare/narrowing.h"
#include "conformance/compare/report_page.h"
#include "engines/engines.h"
#include "timeline/replayer.h"

namespace isochron::conformance {

// A word of RAM before the difference and on both engines after it.
struct MemoryChange {
  uint64_t pa = 0;
  uint64_t before = 0;
  uint64_t first = 0;
  uint64_t second = 0;
};

struct DivergenceReport {
  std::array<std::string, 2> engines;
  // The first event that differs: what the first engine recorded, if anything, and what the second
  // did instead. The last equal events.
  std::optional<replaylog::Event> expected;
  replaylog::Event actual;
  std::vector<replaylog::Event> equal_events;
  uint64_t clock_hz = 0;  // cycles in a guest second
  uint32_t cpus = 1;
  // What it takes to come back to it: command line, versions, digests. The caller's.
  std::vector<ReportRow> origin;
  // The last checkpoint at which both were equal; 0 is power-on.
  uint64_t equal_cycle = 0;

  Certainty certainty = Certainty::kNotReproduced;
  Boundary culprit;
  uint64_t different_cycle = 0;  // of the culprit's CPU
  std::string place;             // the culprit's PC with symbol, or ASN
  std::string instructions;      // it and its neighbours
  std::vector<Boundary> trace;   // what was executed at once, when more than the culprit
  std::vector<FieldChange> changes;
  std::vector<MemoryChange> memory;
  uint64_t memory_words = 0;  // how many differ; `memory` has the first of them
  std::string other;
  std::string code;
};

// Repeats `run` on both engines and narrows the difference down. `divergence` is what the replay
// on the second engine found. Errors are those of making the machines.
absl::StatusOr<DivergenceReport> InvestigateDivergence(
    const RecordedRun& run, const std::vector<engines::NamedEngine>& engines,
    const timeline::Divergence& divergence);

// Where the culprit is: "at cycle 10 (0.000000 s), PC 0x8400 (PALmode)", of several CPUs with the
// number of its own.
std::string DescribeCulprit(const DivergenceReport& report);

// An instruction that was executed, with its cycle, of several CPUs with the number of its own.
std::string TraceLine(const DivergenceReport& report, const Boundary& at);

// The first event that differs on both engines, with the bytes around the first one that does;
// lines of at most 80 columns.
std::string DescribeFirstDifference(const DivergenceReport& report);

// For the terminal: lines of at most 100 columns.
std::string ReportText(const DivergenceReport& report);

// The same as one HTML page that needs no other file, with the events of both runs along a line of
// time.
std::string ReportHtml(const DivergenceReport& report);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_DIVERGENCE_REPORT_H_
