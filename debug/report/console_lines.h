// What a guest has written, as lines with the time at which each began.

#ifndef ISOCHRON_DEBUG_REPORT_CONSOLE_LINES_H_
#define ISOCHRON_DEBUG_REPORT_CONSOLE_LINES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/events/input.h"
#include "replaylog/event.h"

namespace isochron::debug {

struct ConsoleLine {
  uint64_t cycle = 0;  // of its first byte
  int uart = 0;
  std::string text;  // printable, without what only moves a cursor or sets colours
};

// The time stamp that Linux puts in front of a message ("[    0.062500] text"), in microseconds,
// and where the text begins; nothing where there is none.
struct PrintkTime {
  uint64_t microseconds = 0;
  size_t text = 0;
};
std::optional<PrintkTime> FindPrintkTime(std::string_view line);

// Cuts the output of both UARTs into lines.
class LineCutter {
 public:
  using Take = std::function<void(ConsoleLine)>;
  explicit LineCutter(Take take) : take_(std::move(take)) {}

  void Add(uint64_t cycle, const replaylog::OutputRun& run);
  // Gives what has no end of line.
  void Finish();

 private:
  // A line has at most so many bytes; what comes then is left out.
  static constexpr size_t kMostBytes = 400;
  struct Open {
    bool begun = false;
    uint64_t cycle = 0;
    std::string bytes;
    bool cut = false;
  };

  void End(int uart);

  const Take take_;
  std::array<Open, machine::Port::kUartStreams> open_;
};

// The first and the last of many lines.
class LineList {
 public:
  // At most so many of the first, and of the last.
  LineList(size_t first, size_t last) : most_first_(first), most_last_(last) {}

  void Add(ConsoleLine line);

  const std::vector<ConsoleLine>& first() const { return first_; }
  const std::deque<ConsoleLine>& last() const { return last_; }
  // Lines between them that were not kept.
  uint64_t left_out() const { return left_out_; }

 private:
  const size_t most_first_;
  const size_t most_last_;
  std::vector<ConsoleLine> first_;
  std::deque<ConsoleLine> last_;
  uint64_t left_out_ = 0;
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_CONSOLE_LINES_H_
