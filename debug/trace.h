// A run as a listing, a line an instruction.

#ifndef ISOCHRON_DEBUG_TRACE_H_
#define ISOCHRON_DEBUG_TRACE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "debug/stepper.h"
#include "debug/symbols.h"
#include "timeline/timeline.h"

namespace isochron::debug {

struct TraceOptions {
  uint64_t from = 0;  // cycles; what begins before `to` is shown
  uint64_t to = 0;
  std::vector<Level> levels;   // that are shown; none: all
  std::optional<uint8_t> asn;  // of what is shown
  std::optional<int> cpu;      // that has executed it; nothing: any
  bool json = false;
};

// Steps as lines of text, or as JSON objects (docs/query.md), without ends of lines.
class StepFormat {
 public:
  // `symbols` must outlive it.
  StepFormat(const Symbols& symbols, bool json) : symbols_(symbols), json_(json) {}

  // Names the columns of lines.
  static std::string Heading();
  std::string Format(const Step& step);

 private:
  struct Place {
    std::string name;
    std::string line;
  };

  const Place& PlaceOf(uint64_t pc);
  std::string Text(const Step& step);
  std::string Json(const Step& step);

  const Symbols& symbols_;
  const bool json_;
  std::unordered_map<uint64_t, Place> places_;  // that have been asked for, since lines take long
};

// Takes a line; false: that is enough.
using LineSink = std::function<bool(std::string_view line)>;

// Gives `sink` what happened in a range of cycles, in order, with a heading unless it is JSON.
// Errors are those of the timeline.
absl::Status Trace(timeline::Timeline& timeline, const Symbols& symbols,
                   const TraceOptions& options, const LineSink& sink);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_TRACE_H_
