// What tests of going through a run have in common.

#ifndef ISOCHRON_TIMELINE_ARRIVAL_TESTING_H_
#define ISOCHRON_TIMELINE_ARRIVAL_TESTING_H_

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "timeline/timeline.h"

namespace isochron::timeline {

// Fails the test unless the timeline has come to where it was told to go.
inline void ExpectThere(const absl::StatusOr<Arrival>& arrival) {
  ASSERT_TRUE(arrival.ok()) << arrival.status();
  EXPECT_EQ(*arrival, Arrival::kThere);
}

}  // namespace isochron::timeline

#endif  // ISOCHRON_TIMELINE_ARRIVAL_TESTING_H_
