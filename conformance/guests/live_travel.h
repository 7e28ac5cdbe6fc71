// What a run that goes back while it is made must be like, for tests of several guests.

#ifndef ISOCHRON_CONFORMANCE_GUESTS_LIVE_TRAVEL_H_
#define ISOCHRON_CONFORMANCE_GUESTS_LIVE_TRAVEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "machine/machine.h"

namespace isochron::conformance {

// Makes the same run twice, to `end` cycles or until the guest ends it, with somebody who types and
// a debugger that writes now and then: once straight on, and once on a timeline that goes to places
// in its past between and is looked at there. Expects of the second that each place is as it was
// the first time, that the console is told of each byte once, and that logs are the same bytes.
// `snapshot_bytes`: what there is to go back with.
void ExpectTravelLeavesNoTrace(const std::function<std::unique_ptr<machine::Machine>()>& make,
                               uint64_t end, uint64_t seed,
                               uint64_t snapshot_bytes = uint64_t{1} << 30);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_GUESTS_LIVE_TRAVEL_H_
