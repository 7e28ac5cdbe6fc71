#include "cli/hunt/switch_search.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace isochron::cli {
namespace {

Switches Numbered(uint64_t count) {
  Switches switches;
  for (uint64_t i = 0; i < count; ++i) switches.push_back({i, 0, 1});
  return switches;
}

std::set<uint64_t> NumbersOf(const Switches& switches) {
  std::set<uint64_t> numbers;
  for (const machine::TurnSwitch& each : switches) numbers.insert(each.cycle);
  return numbers;
}

TEST(MinimizeSwitches, LeavesThoseThatAreNeeded) {
  for (const uint64_t count : {1, 2, 3, 7, 64, 1000}) {
    for (const std::set<uint64_t>& needed :
         {std::set<uint64_t>{}, {count - 1}, {0, count / 2}, {0, count / 3, count - 1}}) {
      uint64_t runs = 0;
      const auto left = MinimizeSwitches(Numbered(count), [&](const Switches& switches) {
        ++runs;
        return std::ranges::includes(NumbersOf(switches), needed);
      });
      ASSERT_TRUE(left.ok());
      EXPECT_EQ(NumbersOf(*left), needed) << "of " << count;
      EXPECT_LT(runs, 120u) << "of " << count;
    }
  }
}

// One that is needed only as long as another is there goes as well.
TEST(MinimizeSwitches, LeavesNoneThatIsNeededForAnotherOnly) {
  const auto left = MinimizeSwitches(Numbered(8), [](const Switches& switches) {
    const std::set<uint64_t> numbers = NumbersOf(switches);
    return numbers.contains(5) && (numbers.contains(7) || !numbers.contains(2));
  });
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(NumbersOf(*left), std::set<uint64_t>{5});
}

TEST(MinimizeSwitches, EndsWithTheFirstError) {
  EXPECT_TRUE(absl::IsInternal(MinimizeSwitches(Numbered(5), [](const Switches&) {
                                 return absl::StatusOr<bool>(absl::InternalError("no host"));
                               }).status()));
}

}  // namespace
}  // namespace isochron::cli
