#include "cli/hunt/hunting_party.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "cli/hunt/verdict_file.h"
#include "gtest/gtest.h"
#include "hostio/temporary_directory.h"

namespace isochron::cli {
namespace {

struct Outcome {
  std::string status;
  std::string file;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// A hunt in which the runs with some seeds fail, those with others end in an error, and seed 1
// takes longer than all others that are begun before it ends.
Outcome HuntWith(int jobs, bool all, const std::set<uint64_t>& failures,
                 const std::set<uint64_t>& errors) {
  const hostio::TemporaryDirectory directory;
  auto verdicts = VerdictFile::Open(directory.Path("verdicts"), "what", 1);
  EXPECT_TRUE(verdicts.ok()) << verdicts.status();
  if (!verdicts.ok()) return {};
  std::atomic<bool> is_alone = true;
  const auto run = [&](uint64_t seed) -> absl::StatusOr<VerdictFile::Line> {
    if (seed > 1) is_alone = false;
    if (seed == 1 && jobs > 1) {
      while (is_alone) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (errors.contains(seed)) return absl::UnavailableError("no host");
    return VerdictFile::Line{seed, failures.contains(seed), 10 * seed, seed};
  };
  HuntingParty party(run, {.first = 1, .last = 6, .all = all, .jobs = jobs}, *verdicts,
                     [](const VerdictFile::Line&) {});
  const absl::Status status = party.Hunt();
  std::ostringstream text;
  text << std::ifstream(directory.Path("verdicts")).rdbuf();
  return {std::string(status.message()), text.str()};
}

class HuntingPartyTest : public ::testing::TestWithParam<int> {};

TEST_P(HuntingPartyTest, EndsAtTheFirstFailure) {
  EXPECT_EQ(HuntWith(GetParam(), false, {3, 5}, {}),
            Outcome({"", "what\n1 passes 10 1\n2 passes 20 2\n3 fails 30 3\n"}));
}

TEST_P(HuntingPartyTest, EndsAtTheFirstErrorAndNamesItsSeed) {
  for (const bool all : {false, true}) {
    EXPECT_EQ(HuntWith(GetParam(), all, {5}, {3, 4}),
              Outcome({"seed 3: no host", "what\n1 passes 10 1\n2 passes 20 2\n"}));
  }
  EXPECT_EQ(HuntWith(GetParam(), false, {}, {1, 2}), Outcome({"seed 1: no host", "what\n"}));
}

TEST_P(HuntingPartyTest, DoesNotMindAnErrorBehindTheFirstFailure) {
  EXPECT_EQ(HuntWith(GetParam(), false, {1}, {2, 3}), Outcome({"", "what\n1 fails 10 1\n"}));
}

TEST_P(HuntingPartyTest, WithAllSeedsMindsAnErrorBehindAFailure) {
  EXPECT_EQ(HuntWith(GetParam(), true, {1}, {2, 3}),
            Outcome({"seed 2: no host", "what\n1 fails 10 1\n"}));
}

INSTANTIATE_TEST_SUITE_P(Jobs, HuntingPartyTest, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace isochron::cli
