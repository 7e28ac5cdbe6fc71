// The first difference of two logs.

#ifndef ISOCHRON_REPLAYLOG_LOG_DIFF_H_
#define ISOCHRON_REPLAYLOG_LOG_DIFF_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "replaylog/event.h"
#include "replaylog/event_history.h"
#include "replaylog/log_reader.h"

namespace isochron::replaylog {

struct EventDifference {
  std::vector<Event> before;   // the last equal events, oldest first
  std::optional<Event> left;   // absent where that log has ended
  std::optional<Event> right;

  // Says what differs ("cycle", "console bytes", ...), then both events and those before, a line
  // each, with these names for the two sides.
  std::string Describe(std::string_view left_name, std::string_view right_name) const;
};

// The first event that differs, nullopt for equal streams. Reads on from where both readers stand.
absl::StatusOr<std::optional<EventDifference>> FindFirstDifference(LogReader& left,
                                                                   LogReader& right,
                                                                   size_t context = 16);

// What differs between two events, in a few words; empty when they are equal. Numbers count.
std::string NameDifference(const Event& left, const Event& right);

// One line for each field in which two headers differ: "memory_bytes: 1 and 2".
std::vector<std::string> CompareHeaders(const LogHeader& left, const LogHeader& right);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_LOG_DIFF_H_
