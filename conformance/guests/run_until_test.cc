// Bounded runs: stopped wherever and however often, a guest does what it does in one run, and every
// engine stops at the same boundaries.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "alpha/state_visitor.h"
#include "conformance/guests/guest_recording.h"
#include "conformance/guests/guest_run.h"
#include "engines/engines.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "replaylog/describe.h"
#include "replaylog/event_stream.h"
#include "timeline/recorder.h"

namespace isochron::conformance {
namespace {

using machine::Machine;
using machine::RunEnd;
using machine::StopCondition;

constexpr uint64_t kLimit = 60'000'000;

class Lines final : public replaylog::EventSink {
 public:
  void Append(const replaylog::Event& event) override {
    if (const auto* checkpoint = std::get_if<replaylog::CheckpointEvent>(&event.body)) {
      last_checkpoint = checkpoint->state;
    }
    if (std::holds_alternative<replaylog::InterruptEvent>(event.body))
      interrupts.push_back(event.cycle);
    lines.push_back(replaylog::EventToJson(event));
  }
  absl::Status status() const override { return absl::OkStatus(); }

  std::vector<std::string> lines;
  std::vector<uint64_t> interrupts;  // their cycles
  machine::Digest last_checkpoint;
};

// Types now and then, and ends a guest that does not end by itself.
class Typist final : public machine::InputSource {
 public:
  void Poll(const machine::InputPoint& point, std::vector<machine::Input>& inputs) override {
    if (point.cycle >= kLimit)
      return inputs.push_back(machine::Input::Stop(machine::StopCause::kQuit));
    if (point.cycle % 3 == 0) inputs.push_back(machine::Input::Console("x"));
  }
};

std::vector<std::string> Engines() {
  std::vector<std::string> engines = {"ref", "oracle"};
#ifdef ISOCHRON_JIT
  engines.insert(engines.end(), {"jit", "jit:threshold=1:cache=1M"});
#endif
  return engines;
}

// A machine whose log is kept as lines.
struct Watched {
  Watched(const std::string& guest, const std::string& engine) : recorder(log) {
    auto made = MakeMachine(absl::StrCat(ISOCHRON_GUEST_DIR, "/", guest, ".elf"),
                            GuestRecording::Config(), engine);
    EXPECT_TRUE(made.ok()) << made.status();
    machine = *std::move(made);
    machine->SetObserver(&recorder);
    machine->SetInputSource(&typist);
  }

  std::string Place() const {
    const alpha::Cpu& cpu = machine->cpu();
    std::string place =
        absl::StrCat("cycle ", cpu.cycle, ", instruction ", cpu.instructions, ", PC ",
                     absl::Hex(cpu.pc), machine->waiting() ? ", waiting" : "");
    if (const auto& reference = machine->stopped_by().reference) {
      absl::StrAppend(&place, ", referred to ", absl::Hex(reference->va.value_or(0)), " at ",
                      absl::Hex(reference->pa), reference->write ? ", written" : ", read", " by ",
                      absl::Hex(reference->pc.value_or(0)));
    }
    return place;
  }

  Lines log;
  timeline::Recorder recorder;
  Typist typist;
  std::unique_ptr<Machine> machine;
};

// Conditions of all kinds, near and far.
class Conditions {
 public:
  StopCondition Next(const alpha::Cpu& cpu) {
    StopCondition condition;
    seen_.push_back(cpu.pc);
    const uint64_t kind = Random() % 56;
    const uint64_t distance = Random() % (Random() % 64 == 0 ? 500'000 : 3'000);
    if (kind < 20) condition.cycle = cpu.cycle + distance;
    if (kind >= 15 && kind < 36) condition.instructions = cpu.instructions + distance;
    if (kind >= 36 && kind < 40) condition.events = 1 + Random() % 15;
    if (kind < 40) return condition;
    if (kind >= 48) {
      condition = NextReference(cpu);
      condition.cycle = cpu.cycle + 20 * distance;
      return condition;
    }
    // Where it has been, most often not for ever.
    for (uint64_t count = 1 + Random() % 3; count != 0; --count) {
      condition.pcs.push_back(seen_[Random() % seen_.size()]);
    }
    if (kind != 47) condition.cycle = cpu.cycle + 20 * distance;
    return condition;
  }

  // At references to one of a few ranges.
  StopCondition NextReference(const alpha::Cpu& cpu) {
    StopCondition condition;
    for (uint64_t count = 1 + Random() % 3; count != 0; --count) {
      condition.ranges.push_back(NearARegister(cpu));
    }
    condition.cycle = cpu.cycle + 2'000;
    return condition;
  }

 private:
  // Bytes that the guest may be about to refer to, or has just referred to.
  alpha::StopRange NearARegister(const alpha::Cpu& cpu) {
    alpha::StopRange range;
    const uint64_t reg = Random() % 2 != 0 ? 30 : Random() % 30;  // the stack pointer is one
    range.begin = cpu.r[reg] + Random() % 64 - 16;
    if (Random() % 2 != 0) {
      range.space = alpha::StopRange::Space::kPhysical;
      range.begin &= (uint64_t{1} << 25) - 1;  // as in KSEG and PALmode
    }
    range.size = Random() % 4 == 0 ? 1 + Random() % 20'000 : 1 + Random() % 16;
    range.reads = Random() % 2 != 0;
    range.writes = !range.reads || Random() % 2 != 0;
    return range;
  }
  uint64_t Random() {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    return random_ >> 33;
  }
  std::vector<uint64_t> seen_;  // PCs
  uint64_t random_ = 1;
};

class RunUntil : public ::testing::TestWithParam<const char*> {};

TEST_P(RunUntil, InPiecesIsTheSameAsAtOnceOnEveryEngine) {
  Watched whole(GetParam(), "ref");
  const RunEnd end = whole.machine->Run();
  std::vector<std::string> expected_places;
  for (const std::string& engine : Engines()) {
    Watched pieces(GetParam(), engine);
    Conditions conditions;
    std::vector<std::string> places;
    std::optional<RunEnd> ended;
    // Toward the end in one go: many guests only wait there.
    while (!ended && places.size() < 2'000) {
      const StopCondition condition = conditions.Next(pieces.machine->cpu());
      ended = pieces.machine->RunUntil(condition);
      if (!ended && condition.instructions != machine::kNever) {
        EXPECT_LE(pieces.machine->cpu().instructions, condition.instructions);
      }
      places.push_back(pieces.Place());
    }
    if (!ended) ended = pieces.machine->Run();
    EXPECT_EQ(ended->kind, end.kind) << engine;
    EXPECT_EQ(pieces.log.lines, whole.log.lines) << engine;
    EXPECT_GT(places.size(), 20u);
    if (expected_places.empty()) expected_places = places;
    EXPECT_EQ(places, expected_places) << engine;
  }
}

INSTANTIATE_TEST_SUITE_P(Guests, RunUntil,
                         ::testing::Values("interrupts", "timers", "mmu", "smc", "uart",
                                           "integer"));

// Thousands of stops behind references, found by what registers hold at the stop before.
class RunUntilReference : public ::testing::TestWithParam<const char*> {};

TEST_P(RunUntilReference, StopsBehindTheSameReferencesOnEveryEngine) {
  std::vector<std::string> expected_places;
  for (const std::string& engine : Engines()) {
    Watched pieces(GetParam(), engine);
    Conditions conditions;
    std::vector<std::string> places;
    size_t referred = 0;
    // Where the guest is up and running, and translated.
    pieces.machine->RunUntil(StopCondition::AtCycle(1'000'000));
    while (places.size() < 4'000) {
      const StopCondition condition = conditions.NextReference(pieces.machine->cpu());
      if (pieces.machine->RunUntil(condition).has_value()) break;
      referred += pieces.machine->stopped_by().reference.has_value() ? 1 : 0;
      places.push_back(pieces.Place());
    }
    EXPECT_GT(referred, 100u);
    if (expected_places.empty()) expected_places = places;
    EXPECT_EQ(places, expected_places) << engine;
  }
}

INSTANTIATE_TEST_SUITE_P(Guests, RunUntilReference,
                         ::testing::Values("mmu", "integer", "llsc", "asn", "callpal", "byte",
                                           "vax"));

TEST(RunUntilCheckpoint, StandsInTheStateOfTheCheckpoint) {
  const StopCondition checkpoint = StopCondition::AtEvent<machine::CheckpointEvent>();
  for (const std::string& engine : engines::EngineNames()) {
    Watched watched("interrupts", engine);
    int stops = 0;
    for (; !watched.machine->RunUntil(checkpoint).has_value(); ++stops) {
      EXPECT_EQ(watched.machine->StateDigest(), watched.log.last_checkpoint) << watched.Place();
    }
    EXPECT_GT(stops, 5);
  }
}

// An interrupt that is about to be taken at a boundary is still to be taken by whoever stops there,
// or is restored from there.
TEST(RunUntilInterrupt, StandsBeforeItAndAStateSavedThereGoesOnTheSame) {
  Watched whole("interrupts", "ref");
  whole.machine->Run();
  const machine::Digest last = whole.machine->StateDigest();
  const std::vector<uint64_t>& cycles = whole.log.interrupts;
  ASSERT_GT(cycles.size(), 10u);
  for (const std::string& engine : Engines()) {
    Watched pieces("interrupts", engine);
    for (size_t i = 0; i < cycles.size(); i += cycles.size() / 4) {
      ASSERT_FALSE(pieces.machine->RunUntil(StopCondition::AtCycle(cycles[i])).has_value());
      EXPECT_EQ(pieces.machine->cpu().cycle, cycles[i]) << engine;
      EXPECT_TRUE(pieces.machine->cpu().InterruptDeliverable()) << engine;
      Watched restored("interrupts", engine);
      ASSERT_TRUE(
          alpha::RestoreFromBytes(alpha::StateBytes(*pieces.machine), *restored.machine).ok())
          << pieces.Place();
      restored.machine->Run();
      EXPECT_EQ(restored.machine->StateDigest(), last) << pieces.Place();
    }
  }
}

}  // namespace
}  // namespace isochron::conformance
