// The search by itself, with machines that are only said to differ.

#include "conformance/compare/narrowing.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "alpha/encode.h"
#include "gtest/gtest.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using alpha::words::BranchOp;
using alpha::words::OperateLiteral;

constexpr uint64_t kCyclesEach = 3;
constexpr size_t kBlock = 8;  // instructions; the last is a branch

// A run of instructions in blocks, each at its cycle.
class FakeTwins final : public Twins {
 public:
  using Rule = std::function<bool(const Experiment&)>;
  FakeTwins(uint64_t start, size_t instructions, Rule differ) : differ_(std::move(differ)) {
    for (size_t i = 0; i < instructions; ++i) {
      const bool last = i % kBlock == kBlock - 1;
      const auto target = static_cast<uint32_t>(i % 8);
      run_.push_back(
          {start + kCyclesEach * i, 0x1000 + 4 * i,
           last ? BranchOp(Op::kBr, 31, 0) : OperateLiteral(Op::kAddq, target, 1, target),
           start + kCyclesEach * i});
    }
  }

  bool Differ(const Experiment& experiment) override {
    ++experiments;
    EXPECT_GE(experiment.end, base);
    return differ_(experiment);
  }
  void Advance(uint64_t cycle) override { base = cycle; }
  std::vector<Boundary> Step(uint64_t from, uint64_t to) override {
    std::vector<Boundary> steps;
    for (const Boundary& at : run_) {
      if (at.cycle >= from) steps.push_back(at);
      if (at.cycle >= to) break;
    }
    return steps;
  }

  const Boundary& at(size_t i) const { return run_[i]; }
  uint64_t base = 0;
  int experiments = 0;

 private:
  std::vector<Boundary> run_;
  Rule differ_;
};

TEST(Narrowing, MachinesThatNeverDifferAreNotReproduced) {
  FakeTwins twins(100, 200, [](const Experiment&) { return false; });
  EXPECT_EQ(Narrow(twins, 100, 700).certainty, Certainty::kNotReproduced);
}

TEST(Narrowing, AnInstructionThatIsAlwaysWrongIsFound) {
  constexpr size_t kWrong = 83;
  FakeTwins twins(100, 200, [&](const Experiment& e) { return e.end > twins.at(kWrong).cycle; });
  const Narrowed found = Narrow(twins, 100, 700);
  EXPECT_EQ(found.certainty, Certainty::kInstruction);
  EXPECT_EQ(found.culprit.cycle, twins.at(kWrong).cycle);
  EXPECT_EQ(found.culprit.pc, twins.at(kWrong).pc);
  EXPECT_GT(found.different, twins.at(kWrong).cycle);
  EXPECT_LE(found.different, twins.at(kWrong + 1).cycle);
  EXPECT_LT(twins.experiments, 40);
}

// Of a run that is longer than what is probed at once the base moves along.
TEST(Narrowing, TheBaseAdvancesWhileTheRunIsLong) {
  constexpr uint64_t kWrong = uint64_t{1} << 26;
  FakeTwins twins(kWrong - 300, 200, [](const Experiment& e) { return e.end > kWrong; });
  const Narrowed found = Narrow(twins, 0, uint64_t{1} << 30);
  EXPECT_EQ(found.certainty, Certainty::kInstruction);
  EXPECT_EQ(found.culprit.cycle, kWrong);
  EXPECT_GT(twins.base, kWrong - (uint64_t{1} << 21));
  EXPECT_LE(twins.base, kWrong);
}

// An engine that runs a region of three blocks at once, and does it wrong only when nothing stops
// it in between. Right in `translated` instructions of the faulty block translated anew, and more.
FakeTwins RegionTwins(size_t region, size_t wrong, bool shows_anew) {
  const auto cycle = [](size_t i) { return 100 + kCyclesEach * i; };
  return FakeTwins(100, 200, [=](const Experiment& e) {
    if (e.translate != 0) {
      const size_t begun = (e.stop - 100) / kCyclesEach;
      return shows_anew && begun <= wrong && begun / kBlock == wrong / kBlock &&
             begun + e.translate > wrong && e.end > cycle(wrong);
    }
    const bool left_alone = e.stop == 0 || e.stop <= cycle(region);
    return left_alone && e.end >= cycle(region + 3 * kBlock);
  });
}

TEST(Narrowing, TheInstructionOfARegionIsTheShortestTranslationThatIsWrong) {
  constexpr size_t kRegion = 5 * kBlock;
  constexpr size_t kWrong = kRegion + kBlock + 3;
  FakeTwins twins = RegionTwins(kRegion, kWrong, true);
  const Narrowed found = Narrow(twins, 100, 700);
  EXPECT_EQ(found.certainty, Certainty::kInstruction);
  EXPECT_EQ(found.region.pc, twins.at(kRegion).pc);
  EXPECT_EQ(found.culprit.pc, twins.at(kWrong).pc);
  EXPECT_EQ(found.different, twins.at(kWrong + 1).cycle);
  EXPECT_EQ(found.experiment.stop, twins.at(kRegion + kBlock).cycle);
  EXPECT_EQ(found.experiment.translate, 4u);
  EXPECT_EQ(StartOf(found).pc, twins.at(kRegion + kBlock).pc);
}

TEST(Narrowing, ARegionIsAllThatIsKnownWhenANewTranslationIsRight) {
  constexpr size_t kRegion = 5 * kBlock;
  FakeTwins twins = RegionTwins(kRegion, kRegion + 3, false);
  Narrowed found = Narrow(twins, 100, 700);
  EXPECT_EQ(found.certainty, Certainty::kRegion);
  EXPECT_EQ(found.region.pc, twins.at(kRegion).pc);
  ASSERT_EQ(found.trace.size(), 3 * kBlock);
  EXPECT_EQ(found.culprit.pc, twins.at(kRegion + 3 * kBlock - 1).pc);
  EXPECT_EQ(found.different, twins.at(kRegion + 3 * kBlock).cycle);
}

// What differed and was equal again, when the region that is found begins while it differs, is what
// is looked for.
TEST(Narrowing, ADifferenceThatGoesAgainIsFoundWhereItFirstWas) {
  constexpr size_t kRegion = 5 * kBlock;
  constexpr size_t kFirst = kRegion - 2;
  FakeTwins twins(100, 200, [&](const Experiment& e) {
    const bool passing = e.end > twins.at(kFirst).cycle && e.end <= twins.at(kRegion + 2).cycle;
    const bool left_alone = e.stop == 0 || e.stop <= twins.at(kRegion).cycle;
    return passing || (left_alone && e.end >= twins.at(kRegion + 3 * kBlock).cycle);
  });
  const Narrowed found = Narrow(twins, 100, twins.at(kRegion + 3 * kBlock).cycle);
  EXPECT_EQ(found.certainty, Certainty::kInstruction);
  EXPECT_EQ(found.culprit.pc, twins.at(kFirst).pc);
}

}  // namespace
}  // namespace isochron::conformance
