#include "alpha/engine.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

TEST(BoundedDeadline, IsNoFartherAwayWhileItLives) {
  Deadline deadline{100};
  {
    const BoundedDeadline bounded(deadline, 10);
    EXPECT_EQ(deadline.cycle, 10u);
  }
  EXPECT_EQ(deadline.cycle, 100u);
  {
    const BoundedDeadline bounded(deadline, 1'000);
    EXPECT_EQ(deadline.cycle, 100u);
  }
  EXPECT_EQ(deadline.cycle, 100u);
}

// Nearer than the bound or not: it is where it was asked to be.
TEST(BoundedDeadline, KeepsWhatIsAskedForMeanwhile) {
  for (const uint64_t to : {5, 50}) {
    Deadline deadline{100};
    {
      const BoundedDeadline bounded(deadline, 10);
      deadline.MoveNearer(to);
      EXPECT_EQ(deadline.cycle, std::min<uint64_t>(10, to));
    }
    EXPECT_EQ(deadline.cycle, to);
  }
}

TEST(BoundedDeadline, MayStandInAnother) {
  Deadline deadline{100};
  {
    const BoundedDeadline outer(deadline, 20);
    {
      const BoundedDeadline inner(deadline, 10);
      deadline.MoveNearer(60);
    }
    EXPECT_EQ(deadline.cycle, 20u);
  }
  EXPECT_EQ(deadline.cycle, 60u);
}

}  // namespace
}  // namespace isochron::alpha
