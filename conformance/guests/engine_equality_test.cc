// Every guest kernel on the interpreter, on the oracle and on the translating engine, however that
// is set up: the same events, state digests included, at the same cycles.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "hostio/sanitizers.h"
#include "machine/machine.h"
#include "replaylog/describe.h"
#include "replaylog/event_stream.h"
#include "timeline/recorder.h"

namespace isochron::conformance {
namespace {

// Some guests wait for seconds, and the sanitizers make a checkpoint ten times as long.
constexpr uint64_t kLimit = hostio::kAddressSanitizer ? 10'000'000 : 200'000'000;

class Lines final : public replaylog::EventSink {
 public:
  void Append(const replaylog::Event& event) override {
    lines.push_back(replaylog::EventToJson(event));
  }
  absl::Status status() const override { return absl::OkStatus(); }
  std::vector<std::string> lines;
};

std::vector<std::string> EventsOf(const std::string& guest, const std::string& engine,
                                  const machine::MachineConfig& config, uint64_t limit = kLimit) {
  auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", guest, ".elf"), config, engine);
  EXPECT_TRUE(machine.ok()) << machine.status();
  Lines log;
  timeline::Recorder recorder(log);
  (*machine)->SetObserver(&recorder);
  (*machine)->RunUntil(machine::StopCondition::AtCycle(limit));
  return std::move(log.lines);
}

class EngineEquality : public ::testing::TestWithParam<std::string> {};

machine::MachineConfig ConfigWith(uint32_t tlb_entries) {
  machine::MachineConfig config;
  config.memory_bytes = uint64_t{64} << 20;
  config.input_interval = 50'000;
  config.checkpoint_interval = 10'000;
  config.itb_entries = config.dtb_entries = tlb_entries;
  return config;
}

void ExpectSame(const std::vector<std::string>& actual, const std::vector<std::string>& expected,
                const std::string& engine) {
  for (size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    ASSERT_EQ(actual[i], expected[i]) << "event " << i << " of " << engine;
  }
  ASSERT_EQ(actual.size(), expected.size()) << engine;
}

TEST_P(EngineEquality, TheOracleAgrees) {
  // Guests that wait are executed turn by turn.
  constexpr uint64_t kShort = kLimit / 4;
  const machine::MachineConfig config = ConfigWith(128);
  const std::vector<std::string> expected = EventsOf(GetParam(), "ref", config, kShort);
  ASSERT_FALSE(expected.empty());
  ExpectSame(EventsOf(GetParam(), "oracle", config, kShort), expected, "oracle");
}

#ifdef ISOCHRON_JIT
TEST_P(EngineEquality, SameEvents) {
  for (const uint32_t entries : {128, 2048}) {
    const machine::MachineConfig config = ConfigWith(entries);
    const std::vector<std::string> expected = EventsOf(GetParam(), "ref", config);
    ASSERT_FALSE(expected.empty());
    for (const char* engine : {"jit", "jit:threshold=1:cache=1M", "jit:threshold=1:lookaside=2",
                               "jit:threshold=2:host=none"}) {
      ExpectSame(EventsOf(GetParam(), engine, config), expected, engine);
    }
  }
}
#endif

INSTANTIATE_TEST_SUITE_P(Guests, EngineEquality, ::testing::Values(ISOCHRON_GUEST_NAMES),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace isochron::conformance
