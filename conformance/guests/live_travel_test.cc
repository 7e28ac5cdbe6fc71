// Going back in a run that is being made: nothing of it shows in what is recorded.

#include "conformance/guests/live_travel.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_recording.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/machine.h"

namespace isochron::conformance {
namespace {

struct Case {
  std::string guest;
  std::string engine;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.guest << " on " << one.engine; }

class LiveTravel : public ::testing::TestWithParam<Case> {};

TEST_P(LiveTravel, LeavesNoTrace) {
  const auto make = [] {
    auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", GetParam().guest, ".elf"),
                               GuestRecording::Config(), GetParam().engine);
    EXPECT_TRUE(machine.ok()) << machine.status();
    return *std::move(machine);
  };
  ExpectTravelLeavesNoTrace(make, 9'000'000, 20261128);
  ExpectTravelLeavesNoTrace(make, 1'000'000, 5);
  // With the fewest snapshots that there can be.
  ExpectTravelLeavesNoTrace(make, 3'000'000, 6, uint64_t{1} << 20);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* guest : {"interrupts", "console", "smc", "llsc"}) {
    for (const std::string& engine : engines::EngineNames()) cases.push_back({guest, engine});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Guests, LiveTravel, ::testing::ValuesIn(Cases()), [](const auto& info) {
  return absl::StrCat(info.param.guest, "_", info.param.engine);
});

}  // namespace
}  // namespace isochron::conformance
