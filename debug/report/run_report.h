// A report made of a recording.

#ifndef ISOCHRON_DEBUG_REPORT_RUN_REPORT_H_
#define ISOCHRON_DEBUG_REPORT_RUN_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "debug/symbols.h"
#include "timeline/timeline.h"

namespace isochron::debug {

struct ReportSubject {
  std::string log;          // as a shell takes its name
  std::string identity;     // of the log
  uint64_t last_cycle = 0;  // of its last event
  // Whether the page is to have a profile of the whole run, for which that is run once more.
  bool profile = false;
  // Where the run is cut for several machines, in ascending order.
  std::vector<uint64_t> cuts;
};

// The page about the whole run, which is run once, by one machine or several side by side; it is
// the same whatever their number and engine. Errors are those of the timeline that is `*failed`
// then.
absl::StatusOr<std::string> MakeReport(const std::vector<timeline::Timeline*>& timelines,
                                       const Symbols& symbols, const ReportSubject& subject,
                                       const timeline::Timeline** failed);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_REPORT_RUN_REPORT_H_
