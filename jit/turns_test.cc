// What one CPU does to another, on both engines and turn by turn, against the oracle, which
// remembers nothing.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "jit/engine.h"
#include "ref/cpu_deeds.h"
#include "ref/engine.h"
#include "ref/turns_testing.h"

namespace isochron::jit {
namespace {

using ref::Deed;
using ref::kAllDeeds;
using ref::testing::FirstDifference;
using ref::testing::TurnsMachine;

TurnsMachine::Maker Translating(uint32_t threshold) {
  return [threshold](alpha::Memory& memory, alpha::IoBus& io) {
    Options options;
    options.threshold = threshold;
    options.code_bytes = Options::kMinCodeBytes;
    return *CreateEngine(memory, io, options);
  };
}

std::vector<std::pair<std::string, TurnsMachine::Maker>> TurnsEngines() {
  return {
      {"ref", ref::CreateEngine}, {"jit", Translating(1)}, {"jit, warming up", Translating(24)}};
}

// Expects all engines to do what the oracle does. Gives the last machine of the translating engine.
std::unique_ptr<TurnsMachine> ExpectLikeOracle(const TurnsMachine::Deeds& deeds, uint64_t seed,
                                               uint64_t cycles) {
  std::unique_ptr<TurnsMachine> last;
  for (const auto& [name, maker] : TurnsEngines()) {
    TurnsMachine oracle(ref::CreateOracle, deeds, seed);
    last = std::make_unique<TurnsMachine>(maker, deeds, seed);
    EXPECT_EQ(FirstDifference(oracle, *last, seed, cycles), 0u) << name << ", seed " << seed;
  }
  return last;
}

constexpr uint64_t kTurnsCycles = 30'000;

TEST(Turns, RandomProgramsOfThreeCpusRunAsWithoutAnythingRemembered) {
  const std::vector<Deed> all(kAllDeeds.begin(), kAllDeeds.end());
  // Maps that change make everything be looked up again: without them more is remembered.
  const std::vector<Deed> steady(all.begin(), all.end() - 2);
  for (uint64_t seed = 1; seed <= 16; ++seed) {
    const std::vector<Deed>& deeds = seed % 2 == 0 ? all : steady;
    ExpectLikeOracle({deeds, deeds, seed % 3 == 0 ? all : steady}, seed, kTurnsCycles / 2);
  }
}

TEST(Turns, CodeThatAnotherCpuWritesIsExecutedNext) {
  const std::vector<Deed> callers = {Deed::kCall, Deed::kBranch, Deed::kLoad};
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const auto machine =
        ExpectLikeOracle({callers, callers, {Deed::kWrite, Deed::kLoad}}, seed, kTurnsCycles);
    EXPECT_GT(machine->cpus[2].r[27], 100u);
    EXPECT_NE(machine->cpus[0].r[5], 0u);
  }
}

TEST(Turns, StoresOfAnotherCpuTakeALockWhateverWasRemembered) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    const auto machine = ExpectLikeOracle(
        {{{Deed::kCount}, {Deed::kStore, Deed::kLoad}, {Deed::kStore, Deed::kCount}}}, seed,
        kTurnsCycles);
    EXPECT_GT(machine->cpus[0].r[6], 100u);
    EXPECT_GT(machine->cpus[0].r[7], 10u);
  }
}

TEST(Turns, ATranslationThatOneCpuReplacesStaysAnothers) {
  const std::vector<Deed> changer = {Deed::kMapData, Deed::kMapCode, Deed::kLoadMapped,
                                     Deed::kStoreMapped, Deed::kCallMapped};
  const std::vector<Deed> other = {Deed::kLoadMapped, Deed::kStoreMapped, Deed::kCallMapped};
  for (uint64_t seed = 1; seed <= 4; ++seed)
    ExpectLikeOracle({changer, other, other}, seed, kTurnsCycles);
}

// A CPU that runs again finds its translations, and code is not translated for each.
TEST(Turns, WhatIsRememberedOutlastsTheTurnsOfOthers) {
  const std::vector<Deed> deeds = {Deed::kCall, Deed::kBranch, Deed::kLoad, Deed::kStore,
                                   Deed::kCallMapped};
  std::unique_ptr<alpha::Engine> made;
  alpha::Engine* engine = nullptr;
  TurnsMachine machine(
      [&](alpha::Memory& memory, alpha::IoBus& io) {
        std::unique_ptr<alpha::Engine> jit = Translating(1)(memory, io);
        engine = jit.get();
        return jit;
      },
      {deeds, deeds, deeds}, 1);
  const auto rounds = [&](int count) {
    for (int i = 0; i < 3 * count; ++i) machine.Turn(i % 3, 5000);
    return engine->probe()->translation_stats();
  };
  const alpha::TranslationStats warm = rounds(20);
  const alpha::TranslationStats later = rounds(100);
  // A turn begins and ends in the middle of a block, wherever that is, so that now and then there
  // is a new one.
  EXPECT_LT(later.unlinked_exits - warm.unlinked_exits, 300u * 4);
  EXPECT_LT(later.regions_translated - warm.regions_translated, 300u);
}

}  // namespace
}  // namespace isochron::jit
