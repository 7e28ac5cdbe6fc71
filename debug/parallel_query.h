// One question, searched for in several parts of a run side by side.

#ifndef ISOCHRON_DEBUG_PARALLEL_QUERY_H_
#define ISOCHRON_DEBUG_PARALLEL_QUERY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "debug/query.h"
#include "timeline/timeline.h"

namespace isochron::debug {

// Who searches: a machine of its own and the same question.
struct Searcher {
  timeline::Timeline* timeline = nullptr;
  std::unique_ptr<Query> query;
};

// The parts of a range between the cycles at which it is cut, which are in ascending order.
std::vector<QueryRange> CutRange(const QueryRange& range, const std::vector<uint64_t>& cuts);

// Searches all parts of a range, by one searcher or several on threads of their own, each in a part
// that nobody has taken. Gives `take` what is seen, part by part, in order, until it says false.
// Errors are that of the first part that has one, whose searcher is `*failed` then, or Internal
// when the host refuses a thread.
absl::Status SearchInParts(std::vector<Searcher>& searchers, const std::vector<QueryRange>& parts,
                           const std::function<bool(const Sighting&)>& take,
                           const Searcher** failed);

// As RunQuery(), by several searchers in parts. The lines are those of RunQuery(). They come part
// by part, in order; a searcher does not go far ahead of what has been told. Errors as above.
absl::Status RunQueryInParts(std::vector<Searcher>& searchers, const std::vector<QueryRange>& parts,
                             const AnswerOptions& options, const AnswerSink& sink,
                             const Searcher** failed);

// As RunQueryBackwards(): what is seen last in the last part in which something is. Parts are
// searched from the last one on.
absl::Status RunQueryBackwardsInParts(std::vector<Searcher>& searchers,
                                      std::vector<QueryRange> parts, const AnswerOptions& options,
                                      const AnswerSink& sink, const Searcher** failed);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_PARALLEL_QUERY_H_
