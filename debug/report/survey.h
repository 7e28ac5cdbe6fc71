// All that a report tells of a run, seen in one go.

#ifndef ISOCHRON_DEBUG_REPORT_SURVEY_H_
#define ISOCHRON_DEBUG_REPORT_SURVEY_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "debug/answers.h"
#include "debug/query.h"
#include "debug/report/series.h"
#include "debug/symbols.h"
#include "machine/stop_condition.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// The questions of which a report has the answers.
enum class Topic : uint8_t { kSystemCalls, kExceptions, kInterrupts, kSwitches };
inline constexpr int kTopics = 4;

// Takes what a survey finds. Of each kind in order of cycles, but system calls as they return.
class SurveyListener {
 public:
  virtual ~SurveyListener() = default;

  // A row of the answer to that question.
  virtual void OnRow(Topic topic, const Row& row) = 0;
  // From this cycle on a CPU is in user mode, or no longer.
  virtual void OnMode(int cpu, uint64_t cycle, bool user) = 0;
  // A CPU has stood still for so many cycles of the span in which this one is.
  virtual void OnWait(int cpu, uint64_t cycle, uint64_t cycles) = 0;
};

// A query that asks all questions at once, and also when the operating system is entered and left
// and how long each CPU stands still in each span.
class Survey final : public Query {
 public:
  // `symbols` and `listener` must outlive it. `listener` may be nullptr for one that only sees.
  Survey(const Symbols& symbols, const Spans& spans, SurveyListener* listener);

  // The place of a column in the rows of a topic.
  size_t ColumnOf(Topic topic, std::string_view name) const;

  std::vector<Column> columns() const override { return {}; }
  bool sees_time() const override { return true; }
  machine::StopCondition Condition(const timeline::Timeline& timeline) override;
  absl::Status Begin(timeline::Timeline& timeline) override;
  absl::Status See(timeline::Timeline& timeline, const machine::StopReasons& met,
                   std::vector<Sighting>& seen) override;
  // Tells the listener; `answers` gets nothing.
  void Tell(const Sighting& sighting, Answers& answers) override;
  // Tells what would have been completed by what has not come. To be called once, at the end.
  void TellRest();

 private:
  struct Part {
    std::unique_ptr<Query> query;
    std::unique_ptr<Answers> answers;
    machine::StopCondition condition;  // that it had last
  };

  void SeeMode(const machine::Machine& machine, std::vector<Sighting>& seen) const;
  void SeeWait(const machine::Machine& machine, std::vector<Sighting>& seen);

  const Spans spans_;
  SurveyListener* const listener_;
  std::array<Part, kTopics> parts_;
  std::vector<uint64_t> entries_;  // where the operating system is entered
  // For each CPU, where it was seen last, and how long it had stood still.
  struct Waited {
    uint64_t cycle;
    uint64_t total;
  };
  std::vector<Waited> waited_;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_SURVEY_H_
