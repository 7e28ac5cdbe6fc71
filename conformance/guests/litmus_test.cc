// Litmus tests under random schedules: memory is sequentially consistent, and the schedules are
// varied enough to show all that it allows (docs/smp.md).

#include "conformance/guests/litmus_testing.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hostio/sanitizers.h"

namespace isochron::conformance {
namespace {

using testing::Allowed;
using testing::LitmusRun;
using testing::OutcomesIn;
using testing::RunLitmus;

// How many schedules; ISOCHRON_LITMUS_SCHEDULES has more of them run.
uint64_t Schedules() {
  const char* const text = std::getenv("ISOCHRON_LITMUS_SCHEDULES");
  if (text != nullptr) return std::strtoull(text, nullptr, 10);
  return hostio::kAddressSanitizer ? 8 : 24;
}

TEST(Litmus, RandomSchedulesShowAllThatIsSequentiallyConsistentAndNothingElse) {
  std::map<std::string, std::set<int>> seen;
  for (uint64_t seed = 1; seed <= Schedules(); ++seed) {
    const std::string schedule = absl::StrCat("random:", seed, ":1-40");
    const LitmusRun ref = RunLitmus("ref", schedule, "100");
    const auto outcomes = OutcomesIn(ref.transcript);
    ASSERT_EQ(outcomes.size(), Allowed().size()) << ref.transcript;
    for (const auto& [name, counts] : outcomes) {
      uint64_t sum = 0;
      for (const auto& [outcome, count] : counts) {
        EXPECT_TRUE(Allowed().at(name).contains(outcome))
            << name << " came out as " << outcome << " under " << schedule;
        seen[name].insert(outcome);
        sum += count;
      }
      EXPECT_EQ(sum, 100u) << name;
    }
#ifdef ISOCHRON_JIT
    const LitmusRun jit = RunLitmus("jit:threshold=1", schedule, "100");
    ASSERT_EQ(jit.transcript, ref.transcript) << schedule;
    ASSERT_EQ(jit.state, ref.state) << schedule;
#endif
  }
  EXPECT_EQ(seen, Allowed());
}

// That they show so much is the schedules' doing.
TEST(Litmus, TheFixedScheduleShowsLittle) {
  const auto outcomes = OutcomesIn(RunLitmus("ref", "fixed", "20").transcript);
  ASSERT_EQ(outcomes.size(), Allowed().size());
  for (const auto& [name, counts] : outcomes) {
    EXPECT_LT(counts.size(), Allowed().at(name).size()) << name;
  }
}

}  // namespace
}  // namespace isochron::conformance
