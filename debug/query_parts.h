// What one part of a search says to whoever joins them.

#ifndef ISOCHRON_DEBUG_QUERY_PARTS_H_
#define ISOCHRON_DEBUG_QUERY_PARTS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "debug/query.h"

namespace isochron::debug {

// A sighting as a line, without its end: decimal numbers, a blank between two: cycle, kind, values.
// Behind the cycle of another CPU than 0 is "@" and its number.
std::string SightingLine(const Sighting& sighting);
// InvalidArgument when it is none of that query's.
absl::StatusOr<Sighting> ParseSighting(std::string_view line, const Query& query);

// Searches one part of a run: gives `sink` lines of what is seen, in order; with `last`, of what is
// seen last alone. Errors are those of the timeline.
absl::Status SearchPart(timeline::Timeline& timeline, Query& query, const QueryRange& part,
                        bool last, const AnswerSink& sink);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_QUERY_PARTS_H_
