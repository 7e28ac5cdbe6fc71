// What a report shows of a run, within bounds however long the run is.

#ifndef ISOCHRON_DEBUG_REPORT_REPORT_DATA_H_
#define ISOCHRON_DEBUG_REPORT_REPORT_DATA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "debug/profiler.h"
#include "debug/report/console_lines.h"
#include "debug/report/series.h"
#include "debug/report/survey.h"
#include "replaylog/event.h"

namespace isochron::debug {

// Something that happened at a cycle, in a few words.
struct Mark {
  uint64_t cycle = 0;
  uint64_t cycles = 0;  // that it took; 0 where it has no length
  std::string text;     // printable
};

// A lane of the time line: how much there was of what, and each for itself if there are few.
class Lane {
 public:
  // Marks are kept while there are at most so many.
  static constexpr size_t kMostMarks = 2500;
  // Parts that are shown; what is left makes up one more.
  static constexpr size_t kMostParts = 10;

  // `id`: for programs; `unit`: "" for a count, otherwise "cycles" or "bytes".
  Lane(std::string_view id, std::string_view name, std::string_view unit, const Spans& spans)
      : id_(id), name_(name), unit_(unit), spans_(spans) {}

  // The series of a part, printable and made if it is not there. When there are too many parts it
  // is that of the rest.
  Series& Part(const std::string& name);
  void AddMark(Mark mark);
  // Of those that have been added, whether they are kept or not.
  uint64_t marks() const { return marks_added_; }

  // Parts with a name of their own come in the order given, then the others, those with most first.
  std::string Json(const std::vector<std::string>& order = {}) const;

 private:
  static constexpr size_t kMostSeries = 600;

  const std::string id_;
  const std::string name_;
  const std::string unit_;
  const Spans spans_;
  std::map<std::string, Series> parts_;
  std::vector<Mark> marks_;
  uint64_t marks_added_ = 0;
};

// Collects what is told about a run, and writes it down. The order of what a survey tells does not
// matter between its kinds.
class ReportData final : public SurveyListener {
 public:
  // Of spans; lines at the beginning and at the end; calls that took longest.
  static constexpr size_t kMostSpans = 4096;
  static constexpr size_t kMostLines = 1000;
  static constexpr size_t kMostSlowCalls = 60;

  // The run has that many cycles and CPUs.
  ReportData(const Spans& spans, uint64_t cycles, int cpus);

  const Spans& spans() const { return spans_; }
  // Where the columns of a survey's rows are. To be called before anything is told.
  void LearnColumns(const Survey& survey);

  // An event of the log; all are to come, in order.
  void OnEvent(const replaylog::Event& event);
  void OnRow(Topic topic, const Row& row) override;
  void OnMode(int cpu, uint64_t cycle, bool user) override;
  void OnWait(int cpu, uint64_t cycle, uint64_t cycles) override;
  // What a profile says of a CPU, in the span in which the cycle is. If there is one it is shown
  // instead of modes and waits, since it knows PALmode, too.
  void OnProfile(int cpu, uint64_t cycle, const ModeCycles& cycles);

  // Fields of an object of JSON, without braces. To be called once, when all is told.
  std::string Fields();

 private:
  struct Call {
    uint64_t count = 0;
    uint64_t errors = 0;
    uint64_t cycles = 0;  // of those that returned
    uint64_t longest = 0;
  };
  struct SlowCall {
    Mark mark;
    uint64_t asn = 0;
    std::string arguments;
  };
  struct Processor {
    bool user = false;
    uint64_t since = 0;
    Series in_user;
    Series idle;
    std::optional<Lane> profiled;
    std::string process;  // the one that runs, and since when
    uint64_t process_since = 0;
  };
  struct Phase {
    uint64_t begin;
    uint64_t end;
    std::string text;
  };

  void OnLine(ConsoleLine line);
  void OnSystemCall(const Row& row);
  void OnException(const Row& row);
  void OnInterrupt(const Row& row);
  void OnSwitch(const Row& row);
  const Cell& At(Topic topic, const Row& row, std::string_view column) const;
  // "CPU 1: " of several.
  std::string WhoseIs(Topic topic, const Row& row) const;
  void KeepIfSlow(SlowCall call);
  Lane NewProcessorLane(size_t index) const;
  std::string ProcessorLane(size_t index);
  // The steps of a boot that took longest, and user mode.
  std::vector<Phase> Phases() const;
  std::string PhasesJson() const;
  std::string CallsJson() const;
  std::string ConsoleJson() const;

  const Spans spans_;
  const uint64_t cycles_;
  std::map<std::pair<Topic, std::string>, size_t, std::less<>> columns_;
  std::vector<Processor> processors_;
  Lane console_, inputs_, interrupts_, exceptions_, calls_, switches_, processes_, checkpoints_;
  LineCutter cutter_;
  LineList lines_{kMostLines, kMostLines};
  std::map<std::string, Call> call_names_;
  std::vector<SlowCall> slow_;  // the slowest first
  // Messages with a time stamp, up to user mode.
  std::vector<Mark> messages_;
  std::optional<uint64_t> first_user_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_REPORT_DATA_H_
