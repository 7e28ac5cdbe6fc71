// Every guest kernel on the interpreter and on the translating engine, however that is set up:
// the same events, state digests included, at the same cycles.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/engines.h"
#include "conformance/guest_run.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "replaylog/describe.h"
#include "replaylog/event_stream.h"
#include "replaylog/recorder.h"

namespace isochron::conformance {
namespace {

// Some guests wait for seconds, and the sanitizers make a checkpoint ten times as long.
#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t kLimit = 10'000'000;
#else
constexpr uint64_t kLimit = 200'000'000;
#endif

class Lines final : public replaylog::EventSink {
 public:
  void Append(replaylog::Event event) override {
    lines.push_back(replaylog::EventToJson(event));
  }
  absl::Status status() const override { return absl::OkStatus(); }
  std::vector<std::string> lines;
};

std::vector<std::string> EventsOf(const std::string& guest, const std::string& engine,
                                  const machine::MachineConfig& config) {
  auto machine = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", guest, ".elf"), config, engine);
  EXPECT_TRUE(machine.ok()) << machine.status();
  Lines log;
  replaylog::Recorder recorder(log);
  (*machine)->SetObserver(&recorder);
  RunTo(**machine, kLimit);
  return std::move(log.lines);
}

class EngineEquality : public ::testing::TestWithParam<std::string> {};

TEST_P(EngineEquality, SameEvents) {
  machine::MachineConfig config;
  config.memory_bytes = uint64_t{64} << 20;
  config.input_interval = 50'000;
  config.checkpoint_interval = 10'000;
  for (const uint32_t entries : {128, 2048}) {
    config.itb_entries = config.dtb_entries = entries;
    const std::vector<std::string> expected = EventsOf(GetParam(), "ref", config);
    ASSERT_FALSE(expected.empty());
    for (const char* settings : {"", ":threshold=1:cache=1M", ":threshold=1:lookaside=2",
                                 ":threshold=2:host=none"}) {
      const std::vector<std::string> actual =
          EventsOf(GetParam(), absl::StrCat("jit", settings), config);
      for (size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
        ASSERT_EQ(actual[i], expected[i]) << "event " << i << " of jit" << settings;
      }
      ASSERT_EQ(actual.size(), expected.size()) << "jit" << settings;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Guests, EngineEquality, ::testing::Values(ISOCHRON_GUEST_NAMES),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace isochron::conformance
