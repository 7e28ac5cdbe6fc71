// The differences of two logs.

#ifndef ISOCHRON_REPLAYLOG_LOG_DIFF_H_
#define ISOCHRON_REPLAYLOG_LOG_DIFF_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "replaylog/event.h"
#include "replaylog/log_reader.h"

namespace isochron::replaylog {

// Events of two logs that stand for each other. One of them is absent where the other log has
// nothing like it.
struct EventPair {
  std::optional<Event> left;
  std::optional<Event> right;
  bool equal = false;      // but for their numbers, which differ behind an event that one log lacks
  bool one_ended = false;  // the log whose event is absent
};

// Pairs the events of two logs in order. Where they differ it looks ahead on both sides, kWindow
// events at most, for the nearest place from which they are equal again; what is before that is
// different.
class LogComparison {
 public:
  static constexpr size_t kWindow = 64;

  // Reads on from where both readers stand; they must outlive the comparison.
  LogComparison(LogReader& left, LogReader& right) : left_{left, {}}, right_{right, {}} {}

  // The next pair. False at the end of both logs.
  absl::StatusOr<bool> Next(EventPair& pair);

 private:
  struct Side {
    LogReader& log;
    std::deque<Event> ahead;
    size_t different = 0;  // how many of `ahead` are

    absl::Status Fill();
    std::optional<Event> TakeDifferent();
  };

  void FindEqualAgain();

  Side left_;
  Side right_;
};

// What a run sent in place of an output of its log, of which the first `equal` bytes were equal:
// those and `rest`, what it sent then, as one event that can be held against the expected one.
// `rest` itself when there is nothing to join.
Event JoinOutput(const Event& expected, size_t equal, const Event& rest);

// What differs between two events, in a few words; empty when they are equal. Numbers count.
// `clock_hz`: cycles in a guest second.
std::string NameDifference(const Event& left, const Event& right, uint64_t clock_hz);

// The bytes of an input, an output or an unknown event; nothing of others.
std::optional<std::string_view> EventBytes(const Event& event);

// Where the bytes of two inputs, outputs or unknown events of one type begin to differ; nothing
// when they are equal or the events have none.
std::optional<size_t> FirstDifferentByte(const Event& left, const Event& right);

// A field of two headers that differs, its values as text.
struct HeaderDifference {
  std::string field;
  std::string left;
  std::string right;
};
std::vector<HeaderDifference> CompareHeaders(const LogHeader& left, const LogHeader& right);

}  // namespace isochron::replaylog

#endif  // ISOCHRON_REPLAYLOG_LOG_DIFF_H_
