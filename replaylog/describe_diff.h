// The differences of two logs, for people and for programs.

#ifndef ISOCHRON_REPLAYLOG_DESCRIBE_DIFF_H_
#define ISOCHRON_REPLAYLOG_DESCRIBE_DIFF_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "replaylog/describe.h"
#include "replaylog/log_diff.h"

namespace isochron::replaylog {

// Text about pairs of events, in lines of at most `columns` columns that end in "\n".
class DiffText {
 public:
  // From how many columns on the logs stand side by side, rather than one below the other with "-"
  // and "+".
  static constexpr size_t kSideBySide = 2 * kLineColumns;

  // `clock_hz`: cycles in a guest second.
  DiffText(std::string_view left_name, std::string_view right_name, uint64_t clock_hz,
           size_t columns);

  // Which log is where, and the heading of the table.
  std::string Heading() const;
  // A pair that is equal.
  std::string Equal(const EventPair& pair) const;
  // One that is not: both events, and what differs in them with what is around it.
  std::string Different(const EventPair& pair) const;
  // The latter alone; empty when the events say it all.
  std::string Detail(const EventPair& pair) const;
  // What differs, in a few words: "event 12, cycle 1054576 (0.001758 s): byte 27 of the output".
  std::string Summary(const EventPair& pair) const;

 private:
  std::string Pair(std::string_view mark, const EventPair& pair) const;
  std::string Describe(const Event& event) const;
  std::string Lines(std::string_view left, std::string_view right) const;
  std::string Beside(std::string_view left, char mark, std::string_view right) const;
  std::string BytesAround(size_t at, std::string_view left, std::string_view right) const;

  std::string left_name_;
  std::string right_name_;
  uint64_t clock_hz_;
  bool side_by_side_;
  size_t columns_;  // of one event
};

// A pair that is not equal as an object on a line: {"type":"difference",...}. An absent event is
// null.
std::string DifferenceToJson(const EventPair& pair, uint64_t clock_hz);
// {"type":"header","field":...}
std::string DifferenceToJson(const HeaderDifference& difference);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_DESCRIBE_DIFF_H_
