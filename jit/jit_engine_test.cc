// Programs on the translating engine and on the interpreter, side by side.

#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "alpha/call_pal.h"
#include "alpha/cpu.h"
#include "alpha/ipr.h"
#include "alpha/stop_ranges.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "jit/engine.h"
#include "jit/testing.h"
#include "ref/engine.h"
#include "ref/testing.h"

namespace isochron::jit {
namespace {

using alpha::Op;
using ref::testing::BranchOp;
using ref::testing::FakeIo;
using ref::testing::HwStore;
using ref::testing::MemoryOp;
using ref::testing::Operate;
using ref::testing::OperateLiteral;

using testing::Computer;
using testing::Counts;
using testing::Eager;
using testing::ExpectSame;
using testing::Jit;
using testing::kCode;
using testing::kData;
using testing::kIo;
using testing::kKseg;
using testing::Ref;

constexpr uint32_t kSwitch = 1;  // CALL_PAL of PutSwitch()

// Runs `program` on both to random boundaries and compares everything there. Gives the
// translating computer's counts. `prepare` has what there is beside the program.
Counts ExpectEqual(
    const std::vector<uint32_t>& program, uint64_t cycles, const Options& options = Eager(),
    const std::function<void(Computer&)>& prepare = [](Computer&) {}) {
  Computer ref(Ref);
  Computer jit(Jit(options));
  prepare(ref);
  prepare(jit);
  ref.Put(kCode, program);
  jit.Put(kCode, program);
  ExpectSame(ref, jit, cycles);
  return Counts(*jit.engine);
}

// Where both stand after a run to the deadline, with ranges at which to stop.
struct Stand {
  uint64_t pc, cycle;
  bool stopped;
  friend bool operator==(const Stand&, const Stand&) = default;
};
Stand RunWith(Computer& computer, const std::vector<alpha::StopRange>& ranges, uint64_t cycle) {
  alpha::StopRanges stop(ranges);
  alpha::Deadline deadline{cycle};
  deadline.ranges = &stop;
  computer.engine->Run(computer.cpu, deadline);
  return {computer.cpu.pc, computer.cpu.cycle, stop.hit().has_value()};
}

// R1 := kKseg, without the constant: KSEG is where the program runs.
const std::vector<uint32_t> kPrologue = {
    OperateLiteral(Op::kSubq, 31, 1, 1),     // R1 := -1
    OperateLiteral(Op::kSll, 1, 42, 1),      // R1 := kKseg
    MemoryOp(Op::kLdah, 2, kData >> 16, 1),  // R2 := data
};

std::vector<uint32_t> Program(const std::vector<uint32_t>& body) {
  std::vector<uint32_t> program = kPrologue;
  program.insert(program.end(), body.begin(), body.end());
  return program;
}

TEST(JitEngine, LoopsOverMemory) {
  const Counts stats = ExpectEqual(Program({
                                       OperateLiteral(Op::kAnd, 3, 0xf8, 4),
                                       Operate(Op::kAddq, 2, 4, 4),
                                       MemoryOp(Op::kLdq, 5, 0, 4),
                                       Operate(Op::kAddq, 5, 3, 5),
                                       MemoryOp(Op::kStq, 5, 0, 4),
                                       OperateLiteral(Op::kAddq, 3, 3, 3),
                                       BranchOp(Op::kBr, 31, -7),
                                   }),
                                   100'000);
  EXPECT_GT(stats.regions_translated, 0u);
  EXPECT_GT(stats.entries, 0u);
}

TEST(JitEngine, CallsAndReturns) {
  ExpectEqual(Program({
                  BranchOp(Op::kBsr, 26, 3),
                  OperateLiteral(Op::kAddq, 3, 1, 3),
                  BranchOp(Op::kBsr, 27, 1),
                  BranchOp(Op::kBr, 31, -4),
                  // The function returns through the register that its caller linked last.
                  OperateLiteral(Op::kXor, 6, 1, 6),
                  Operate(Op::kCmovlbs, 6, 26, 28),
                  Operate(Op::kCmovlbc, 6, 27, 28),
                  ref::testing::JumpOp(Op::kRet, 31, 28),
              }),
              100'000);
}

// Changes the address space and an entry of the ITB, as the switch to another process does.
void PutSwitch(Computer& computer) {
  constexpr auto kPctxAsn = static_cast<alpha::Ipr>(static_cast<int>(alpha::Ipr::kPctx) | 1);
  computer.cpu.i_ctl |= alpha::i_ctl::kShadowEnable;
  computer.Put(0x8000 + (alpha::CallPalEntry(kSwitch) & ~1u),
               {OperateLiteral(Op::kAddq, 4, 1, 4), OperateLiteral(Op::kSll, 4, 56, 5),
                ref::testing::Mtpr(5, alpha::Ipr::kDtbAsn0), OperateLiteral(Op::kSrl, 5, 17, 5),
                ref::testing::Mtpr(5, kPctxAsn), OperateLiteral(Op::kSll, 4, 13, 5),
                ref::testing::Mtpr(5, alpha::Ipr::kItbTag),
                ref::testing::Mtpr(5, alpha::Ipr::kItbPte), ref::testing::HwRet(23)});
}

TEST(JitEngine, KernelCodeAndDataOutlastAddressSpaces) {
  const std::vector<uint32_t> program =
      Program({MemoryOp(Op::kLdq, 5, 0, 2), OperateLiteral(Op::kAddq, 5, 1, 5),
               MemoryOp(Op::kStq, 5, 0, 2), kSwitch, BranchOp(Op::kBr, 31, -5)});
  ExpectEqual(program, 50'000, Eager(), PutSwitch);

  Computer jit(Jit(Eager()));
  PutSwitch(jit);
  jit.Put(kCode, program);
  jit.RunTo(1'000'000);
  const Counts counts(*jit.engine);
  const uint64_t switches = jit.cpu.r[5];
  EXPECT_GT(switches, 20'000u);
  EXPECT_LT(counts.entries, 100u);
  // Three registers are written by golden functions; no access to memory is.
  EXPECT_NEAR(static_cast<double>(counts.golden_calls), 3.0 * switches, 100);
}

TEST(JitEngine, SeesCodeThatItsOwnStoresChange) {
  // Adds 1 to the literal of the first instruction of the loop, in every turn.
  const Counts stats =
      ExpectEqual(Program({
                      MemoryOp(Op::kLdah, 7, 1, 1),        // R7 := code
                      OperateLiteral(Op::kAddq, 3, 1, 3),  // the one that changes, 16 bytes in
                      MemoryOp(Op::kLdl, 5, 16, 7),
                      MemoryOp(Op::kLda, 5, 1 << 13, 5),  // its literal, and more when that is full
                      MemoryOp(Op::kStl, 5, 16, 7),
                      BranchOp(Op::kBr, 31, -5),
                  }),
                  200'000);
  EXPECT_GT(stats.blocks_invalidated, 10u);
}

TEST(JitEngine, StaysBoundedWhileCodeIsOverwrittenAndRun) {
  Options options = Eager();
  options.code_bytes = Options::kMinCodeBytes;
  Computer jit(Jit(options));
  jit.Put(kCode,
          Program({
              MemoryOp(Op::kLdah, 7, 1, 1),
              OperateLiteral(Op::kAddq, 3, 1, 3),
              MemoryOp(Op::kLdl, 5, 16, 7),
              MemoryOp(Op::kLda, 5, 1 << 13, 5),  // its literal, and more when that is full
              MemoryOp(Op::kStl, 5, 16, 7),
              OperateLiteral(Op::kSubq, 31, 40, 8),  // runs the loop below 40 times: it gets hot
              OperateLiteral(Op::kAddq, 8, 1, 8),
              BranchOp(Op::kBlt, 8, -2),
              BranchOp(Op::kBr, 31, -8),
          }));
  for (uint64_t cycle = 1'000'000; cycle <= 20'000'000; cycle += 1'000'000) jit.RunTo(cycle);
  const Counts stats(*jit.engine);
  EXPECT_LE(stats.code_bytes, options.code_bytes);
  EXPECT_GT(stats.cache_flushes, 0u);
}

TEST(JitEngine, ObeysADeadlineThatAnAccessMovesNearer) {
  // A device that stops the run in the middle of a loop, at every 100th access.
  for (const bool translated : {false, true}) {
    Computer computer(translated ? Jit(Eager()) : Computer::Maker(Ref));
    computer.Put(kCode, Program({
                            MemoryOp(Op::kLdah, 7, kIo >> 16, 1),
                            MemoryOp(Op::kLdq, 5, 0, 7),
                            OperateLiteral(Op::kAddq, 3, 1, 3),
                            BranchOp(Op::kBr, 31, -3),
                        }));
    alpha::Deadline deadline;
    std::vector<uint64_t> stops;
    computer.io.handler = [&](alpha::Cpu& cpu, const FakeIo::Access&) {
      if (computer.io.accesses.size() % 100 == 0) deadline.MoveNearer(cpu.cycle);
      return alpha::IoResult{computer.io.accesses.size(), 7, false};
    };
    for (int i = 0; i < 20; ++i) {
      deadline.cycle = computer.cpu.cycle + 1'000'000;
      computer.engine->Run(computer.cpu, deadline);
      stops.push_back(computer.cpu.cycle);
      EXPECT_EQ(computer.cpu.r[5], 100u * (i + 1));
      EXPECT_EQ(computer.cpu.pc & 0xfff, 4 * kPrologue.size() + 8);
    }
    // 3 instructions and the access a turn: 2 + 1 + 1 + 7.
    for (size_t i = 1; i < stops.size(); ++i) EXPECT_EQ(stops[i] - stops[i - 1], 1100u);
  }
}

// The permissions of this process's mappings, such as "r-xs".
std::vector<std::string> Mappings() {
  std::ifstream maps("/proc/self/maps");
  std::vector<std::string> permissions;
  for (std::string line; std::getline(maps, line);) {
    permissions.push_back(line.substr(line.find(' ') + 1, 4));
  }
  return permissions;
}

TEST(JitEngine, NoMappingIsWritableAndExecutableWhileCodeRuns) {
  Computer jit(Jit(Eager()));
  jit.Put(kCode, Program({
                     MemoryOp(Op::kLdah, 7, kIo >> 16, 1),
                     OperateLiteral(Op::kAddq, 3, 1, 3),
                     OperateLiteral(Op::kAnd, 3, 0xff, 4),
                     BranchOp(Op::kBne, 4, -3),
                     MemoryOp(Op::kLdq, 5, 0, 7),
                     BranchOp(Op::kBr, 31, -5),
                 }));
  int looks = 0;
  jit.io.handler = [&](alpha::Cpu&, const FakeIo::Access&) {
    ++looks;
    const std::vector<std::string> mappings = Mappings();
    EXPECT_THAT(mappings, ::testing::Not(::testing::Contains(::testing::MatchesRegex(".wx."))));
    EXPECT_THAT(mappings, ::testing::Contains("r-xs"));
    return alpha::IoResult{};
  };
  jit.RunTo(100'000);
  EXPECT_GT(looks, 10);
  EXPECT_GT(Counts(*jit.engine).entries, 0u);
}

TEST(JitEngine, TranslatesTheSameInEveryRun) {
  const std::vector<uint32_t> program = Program({
      OperateLiteral(Op::kAddq, 3, 3, 3),
      OperateLiteral(Op::kAnd, 3, 7, 4),
      BranchOp(Op::kBeq, 4, 1),
      OperateLiteral(Op::kAddq, 5, 1, 5),
      BranchOp(Op::kBr, 31, -5),
  });
  const Counts first = ExpectEqual(program, 50'000);
  const Counts second = ExpectEqual(program, 50'000);
  EXPECT_EQ(first.code_bytes, second.code_bytes);
  EXPECT_EQ(first.entries, second.entries);
  EXPECT_EQ(first.links, second.links);
}

TEST(JitEngine, SkipsLoopsThatOnlyWait) {
  Computer jit(Jit(Eager()));
  jit.Put(kCode, {BranchOp(Op::kBr, 31, -1)});
  for (uint64_t cycle = 10'000'000; cycle <= 100'000'000; cycle += 10'000'000) jit.RunTo(cycle);
  EXPECT_EQ(jit.cpu.instructions, jit.cpu.cycle);
  EXPECT_GT(jit.engine->stats().spin_cycles_skipped, 99'000'000u);
}

// An interrupt comes between turns, so that its entry is always where one begins.
TEST(JitEngine, TranslatesWhereTurnsBeginUnlessTheyGoOnThere) {
  Options options;
  options.threshold = 24;
  Computer jit(Jit(options));
  constexpr uint64_t kFar = kCode + alpha::kPageSize;
  jit.Put(kCode, {MemoryOp(Op::kLda, 1, 1, 1), BranchOp(Op::kBr, 31, 2046)});
  jit.Put(kFar, {MemoryOp(Op::kLda, 2, 1, 2), BranchOp(Op::kBr, 31, -2)});
  alpha::Cpu other = jit.cpu;
  other.index = 1;
  alpha::Deadline soon{1};
  jit.engine->Run(other, soon);
  for (int turn = 0; turn < 100; ++turn) {
    jit.cpu.pc = kKseg + kCode;
    jit.RunTo(jit.cpu.cycle + 100);
  }
  EXPECT_EQ(jit.cpu.r[1], 100u);
  EXPECT_EQ(Counts(*jit.engine).regions_translated, 2u);
}

// As they mostly do when CPUs have turns.
TEST(JitEngine, SkipsLoopsThatOnlyWaitInRunsThatBeginInsideThem) {
  Computer jit(Jit(Eager()));
  const uint32_t nothing = MemoryOp(Op::kLda, 31, 0, 31);
  jit.Put(kCode, {nothing, nothing, nothing, nothing, BranchOp(Op::kBr, 31, -5)});
  for (uint64_t cycle = 50'001; cycle <= 5'000'000; cycle += 50'001) jit.RunTo(cycle);
  EXPECT_GT(jit.engine->stats().spin_cycles_skipped, jit.cpu.cycle * 9 / 10);
}

TEST(Options, AreRead) {
  const auto options = ParseOptions(":cache=2M:lookaside=16:threshold=3:host=none:perf-map=/a:");
  EXPECT_FALSE(options.ok()) << "an empty setting";
  const auto good = ParseOptions(":cache=2M:lookaside=16:threshold=3:host=none:perf-map=/a");
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ(good->code_bytes, size_t{2} << 20);
  EXPECT_EQ(good->lookaside_entries, 16u);
  EXPECT_EQ(good->threshold, 3u);
  EXPECT_FALSE(good->features.bmi2);
  EXPECT_EQ(good->perf_map, "/a");
}

TEST(Options, NonsenseIsRefused) {
  for (const char* text :
       {"x", ":", ":cache", ":cache=", ":cache=1", ":cache=99999M", ":lookaside=3", ":lookaside=1",
        ":lookaside=8192", ":threshold=0", ":host=all", ":perf-map=", ":speed=9",
        ":threshold=3:threshold=3", ":cache=18446744073709551615M"}) {
    EXPECT_FALSE(ParseOptions(text).ok()) << text;
  }
}

TEST(PerfMap, FileThatCannotBeWrittenIsAnError) {
  std::vector<uint8_t> bytes(3 * alpha::kPageSize);
  auto* base = reinterpret_cast<uint8_t*>(
      (reinterpret_cast<uintptr_t>(bytes.data()) + alpha::kPageMask) & ~alpha::kPageMask);
  alpha::Memory memory(base, alpha::kPageSize);
  FakeIo io;
  Options options;
  options.perf_map = "/nonexistent/map";
  EXPECT_FALSE(CreateEngine(memory, io, options).ok());
}

// PALcode that goes round by all ways to memory, while ranges in its pages come and go.
TEST(JitEngine, StopsBehindReferencesWhereTheInterpreterDoes) {
  using alpha::HwLoadType;
  using alpha::HwStoreType;
  constexpr uint32_t kVa = 16, kPa = 17;
  const std::vector<uint32_t> program = {
      MemoryOp(Op::kLdq, 1, 0, kVa),
      MemoryOp(Op::kStb, 2, 9, kVa),
      ref::testing::HwLoad(HwLoadType::kPhysical, 3, 16, kPa),
      HwStore(HwStoreType::kPhysical, 2, 24, kPa),
      MemoryOp(Op::kLdqL, 4, 32, kVa),
      OperateLiteral(Op::kAddq, 2, 1, 2),
      MemoryOp(Op::kStqC, 4, 32, kVa),
      ref::testing::HwLoad(HwLoadType::kVirtualVpte, 5, 40, kVa),
      MemoryOp(Op::kLdt, 1, 48, kVa),
      MemoryOp(Op::kStqU, 2, 59, kVa),
      BranchOp(Op::kBr, 31, -11),
  };
  Computer ref(Ref);
  Computer jit(Jit(Eager()));
  for (Computer* computer : {&ref, &jit}) {
    computer->Put(kCode, program);
    computer->cpu.pc = kCode | 1;
    computer->cpu.r[kVa] = kKseg + kData;
    computer->cpu.r[kPa] = kData;
    computer->cpu.fp_enable = true;
    computer->RunTo(20'000);  // everything is translated
  }
  std::mt19937_64 random(1);
  int stops = 0;
  for (int i = 0; i < 500; ++i) {
    const uint64_t cycle = ref.cpu.cycle + 1 + random() % 300;
    std::vector<alpha::StopRange> ranges;
    for (uint64_t count = random() % 3; count != 0; --count) {
      alpha::StopRange range;
      range.space = static_cast<alpha::StopRange::Space>(random() & 1);
      range.begin = kData + random() % 96;  // part of it is never referred to
      if (range.space == alpha::StopRange::Space::kVirtual) range.begin += kKseg;
      range.size = 1 + random() % 4;
      range.reads = random() % 2 != 0;
      range.writes = random() % 2 != 0;
      ranges.push_back(range);
    }
    const Stand expected = RunWith(ref, ranges, cycle);
    ASSERT_EQ(RunWith(jit, ranges, cycle), expected) << i;
    ASSERT_EQ(ref.State(), jit.State()) << i;
    stops += expected.stopped ? 1 : 0;
  }
  EXPECT_GT(stops, 100);
  EXPECT_GT(Counts(*jit.engine).golden_exits, 100u);
}

}  // namespace
}  // namespace isochron::jit
