// Questions about a whole run, or a part of it.

#ifndef ISOCHRON_DEBUG_QUERY_H_
#define ISOCHRON_DEBUG_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "debug/answers.h"
#include "machine/stop_condition.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// What was seen at one stop of a run, as far as a question is about it.
struct Sighting {
  uint64_t cycle = 0;  // at which it began, of the CPU's
  int kind = 0;        // one of the question's own
  std::vector<uint64_t> values;
  int cpu = 0;
};

// A question: where a run has to be stopped for it, what is to be seen there, and what row that
// makes. Seeing depends on nothing but the run, as a rule, so that parts of a run may be searched
// apart, each with a question of its own; rows are made of all that was seen, in order.
class Query {
 public:
  virtual ~Query() = default;

  virtual std::vector<Column> columns() const = 0;

  // Where to stop next, from where the machine stands.
  virtual machine::StopCondition Condition(const timeline::Timeline& timeline) = 0;
  // The machine stands where a search begins.
  virtual absl::Status Begin(timeline::Timeline& timeline) = 0;
  // The machine has stopped because of `met`. Adds what is seen to `seen`.
  virtual absl::Status See(timeline::Timeline& timeline, const machine::StopReasons& met,
                           std::vector<Sighting>& seen) = 0;

  // Whether it is also to see where a run stops for a cycle alone, and where a search ends.
  virtual bool sees_time() const { return false; }

  // Whether parts of a run can be searched apart. Otherwise what is to be seen depends on what was.
  virtual bool cuttable() const { return true; }

  // How many values a sighting of each kind has, by kind. None: what it sees is not to be told by
  // others.
  virtual std::vector<size_t> shapes() const { return {}; }

  // Takes what was seen, in order. Shares nothing with what sees, which may go on meanwhile.
  virtual void Tell(const Sighting& sighting, Answers& answers) = 0;
};

// How rows are told.
struct AnswerOptions {
  bool json = false;
  std::optional<int> cpu;  // those about it alone
};

// Takes a line; false: that is enough.
using AnswerSink = std::function<bool(std::string_view line)>;

struct QueryRange {
  uint64_t from = 0;  // cycles; what began at or behind it
  uint64_t to = 0;    // and before this
  // It begins where the timeline stands, and not at `from`.
  bool from_here = false;
};

// Searches a range of the run, which of several CPUs begins and ends between rounds: gives `take`
// what is seen, in order, until it says false or somebody interrupts the timeline. Errors are those
// of the timeline.
absl::Status SearchRange(timeline::Timeline& timeline, Query& query, const QueryRange& range,
                         const std::function<bool(const Sighting&)>& take);

// Gives `sink` a heading unless it is JSON, then the rows that `tell` makes. Returns what that
// does.
absl::Status TellAnswers(const Query& query, const AnswerOptions& options, const AnswerSink& sink,
                         const std::function<absl::Status(Answers&)>& tell);

// Answers by `query` about the run of `timeline`, line by line, in order, with a heading unless it
// is JSON. Errors are those of the timeline.
absl::Status RunQuery(timeline::Timeline& timeline, Query& query, const QueryRange& range,
                      const AnswerOptions& options, const AnswerSink& sink);

// The last that a query of PCs or references sees before a cycle, searched backwards.
absl::Status RunQueryBackwards(timeline::Timeline& timeline, Query& query, uint64_t before,
                               const AnswerOptions& options, const AnswerSink& sink);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_QUERY_H_
