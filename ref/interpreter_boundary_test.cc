// Where the interpreter stops, what time it is there, and that looking changes nothing.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using alpha::HwLoadType;
using alpha::Ipr;

using Machine = std::unique_ptr<TestMachine>;
using Prepare = Machine (*)();

// State at every boundary of a run in single steps, by cycle.
std::map<uint64_t, std::string> Boundaries(Prepare prepare, uint64_t end) {
  std::map<uint64_t, std::string> states;
  Machine machine = prepare();
  states[machine->cpu.cycle] = machine->CpuState();
  while (machine->cpu.cycle < end) {
    machine->Step();
    states[machine->cpu.cycle] = machine->CpuState();
  }
  return states;
}

void ExpectStopsAt(Prepare prepare, uint64_t deadline,
                   const std::map<uint64_t, std::string>& states) {
  Machine machine = prepare();
  machine->RunTo(deadline);
  const auto first = states.lower_bound(deadline);
  ASSERT_NE(first, states.end());
  ASSERT_EQ(machine->cpu.cycle, first->first) << "deadline " << deadline;
  ASSERT_TRUE(machine->CpuState() == first->second) << "deadline " << deadline;
}

// Costs from 1 to 33, two blocks, a loop, memory, a call and a counter.
Machine MixedProgram() {
  auto machine = std::make_unique<TestMachine>();
  machine->Program({
      Operate(Op::kMulq, 1, 1, 2),
      MemoryOp(Op::kLdq, 3, 0, 10),
      Operate(Op::kAddq, 3, 2, 3),
      MemoryOp(Op::kStq, 3, 0, 10),
      Operate(Op::kAddt, 1, 2, 1),
      Operate(Op::kSqrtt, 31, 1, 2),
      Misc(Op::kRpcc, 4),
      BranchOp(Op::kBsr, 26, 3),
      OperateLiteral(Op::kSubq, 5, 1, 5),
      BranchOp(Op::kBne, 5, -10),
      CallPal(0x83),
      Misc(Op::kMb),
      MemoryOp(Op::kLda, 6, 3, 6),
      JumpOp(Op::kRet, 31, 26),
  });
  alpha::Cpu& cpu = machine->cpu;
  cpu.r[1] = 3;
  cpu.r[5] = 100;
  cpu.r[10] = TestMachine::kKseg + TestMachine::kData;
  cpu.f[1] = cpu.f[2] = uint64_t{0x400} << 52;
  return machine;
}

// Instructions whose result the next one in the block need not read from the register, behind each
// of which one uses it as either operand, as both and not at all.
std::vector<uint32_t> ResultsAndUses() {
  const std::vector<uint32_t> results = {Operate(Op::kAddq, 1, 2, 5),
                                         OperateLiteral(Op::kZapnot, 1, 3, 5),
                                         Operate(Op::kCmoveq, 31, 1, 5),
                                         Operate(Op::kCmovne, 31, 1, 5),
                                         Operate(Op::kAddlV, 2, 2, 5),
                                         Operate(Op::kSextb, 31, 1, 5),
                                         MemoryOp(Op::kLda, 5, 16, 10),
                                         MemoryOp(Op::kLdah, 5, 0, 10),
                                         MemoryOp(Op::kLdl, 5, 0, 10),
                                         MemoryOp(Op::kLdqU, 5, 3, 10),
                                         MemoryOp(Op::kLdqL, 5, 0, 10),
                                         Operate(Op::kFtoit, 1, 31, 5),
                                         Misc(Op::kRpcc, 5),
                                         MemoryOp(Op::kStq, 5, 0, 10)};
  const std::vector<uint32_t> uses = {
      Operate(Op::kSubq, 5, 1, 6),        Operate(Op::kSubq, 1, 5, 6),
      Operate(Op::kAddq, 5, 5, 6),        OperateLiteral(Op::kExtbl, 5, 5, 6),
      OperateLiteral(Op::kSubq, 1, 5, 6), Operate(Op::kCmovlbs, 5, 1, 6),
      Operate(Op::kCmovlbs, 1, 5, 6),     Operate(Op::kCmovlbs, 1, 2, 5),
      Operate(Op::kSubqV, 31, 5, 6),      MemoryOp(Op::kLda, 6, 5, 5),
      MemoryOp(Op::kStq, 5, 8, 10),       MemoryOp(Op::kStqU, 5, 17, 10),
      MemoryOp(Op::kStb, 5, 24, 10),      BranchOp(Op::kBlt, 5, 0),
      BranchOp(Op::kBlbs, 5, 0)};
  std::vector<uint32_t> words;
  for (const uint32_t result : results) {
    for (const uint32_t use : uses) {
      words.insert(words.end(), {result, use, Operate(Op::kXor, 7, 6, 7),
                                 OperateLiteral(Op::kMulq, 7, 5, 7), Operate(Op::kXor, 7, 5, 7)});
    }
  }
  words.insert(words.end(), {Operate(Op::kBis, 31, 10, 5), MemoryOp(Op::kLdq, 6, 0, 5),
                             Operate(Op::kBis, 31, 10, 5), MemoryOp(Op::kStq, 7, 0, 5),
                             Operate(Op::kBis, 31, 10, 5), MemoryOp(Op::kLdqU, 6, 9, 5),
                             Operate(Op::kBis, 31, 10, 5), MemoryOp(Op::kStqU, 1, 33, 5)});
  return words;
}

TEST(InterpreterBoundary, ResultsThatArePassedOnAreThoseInRegisters) {
  const std::vector<uint32_t> words = ResultsAndUses();
  TestMachine stepped;
  TestMachine whole;
  for (TestMachine* machine : {&stepped, &whole}) {
    machine->Program(words);
    machine->cpu.r[1] = 0x1234'5678'9abc'def1;
    machine->cpu.r[2] = 3;
    machine->cpu.r[10] = TestMachine::kKseg + TestMachine::kData;
  }
  stepped.Steps(static_cast<int>(words.size()));
  whole.RunTo(stepped.cpu.cycle);
  EXPECT_EQ(stepped.cpu.pc, TestMachine::kKseg + TestMachine::kCode + 4 * words.size());
  EXPECT_EQ(whole.cpu.r[7], stepped.cpu.r[7]);
  EXPECT_TRUE(whole.CpuState() == stepped.CpuState());
  EXPECT_TRUE(whole.MemoryState() == stepped.MemoryState());
}

TEST(InterpreterBoundary, EveryDeadlineStopsAtTheFirstBoundary) {
  constexpr uint64_t kEnd = 500;
  const auto states = Boundaries(MixedProgram, kEnd);
  EXPECT_GT(states.size(), 50u);
  for (uint64_t deadline = 0; deadline <= kEnd - 40; ++deadline) {
    ASSERT_NO_FATAL_FAILURE(ExpectStopsAt(MixedProgram, deadline, states));
  }
}

TEST(InterpreterBoundary, BoundariesAreTheSumsOfTheCosts) {
  const std::vector<uint32_t> words = {Operate(Op::kMulq, 1, 1, 2),  MemoryOp(Op::kLdq, 3, 0, 10),
                                       Operate(Op::kAddt, 1, 2, 1),  Misc(Op::kMb),
                                       MemoryOp(Op::kStq, 3, 8, 10), Nop()};
  TestMachine machine;
  machine.Program(words);
  machine.cpu.r[10] = TestMachine::kKseg + TestMachine::kData;
  uint64_t cycle = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    machine.Step();
    cycle += CostOf(words[i]);
    EXPECT_EQ(machine.cpu.cycle, cycle);
    EXPECT_EQ(machine.cpu.instructions, i + 1);
    EXPECT_EQ(machine.cpu.pc, TestMachine::kKseg + TestMachine::kCode + 4 * (i + 1));
  }
}

TEST(InterpreterBoundary, ADeadlineThatHasPassedRunsNothing) {
  Machine machine = MixedProgram();
  machine->cpu.cycle = 50;
  const std::string before = machine->CpuState();
  machine->RunTo(50);
  machine->RunTo(0);
  EXPECT_EQ(machine->CpuState(), before);
}

TEST(InterpreterBoundary, ADeliverableInterruptRunsNothing) {
  Machine machine = MixedProgram();
  machine->cpu.irq_pins = 1;
  machine->cpu.ier = alpha::interrupt::kExternalMask;
  const std::string before = machine->CpuState();
  const alpha::RunResult result = machine->RunTo(100);
  EXPECT_EQ(result.reason, alpha::StopReason::kBoundary);
  EXPECT_EQ(machine->CpuState(), before);
}

TEST(InterpreterBoundary, CountersAreExactWithinABlock) {
  TestMachine machine;
  const uint32_t slow = Operate(Op::kMulq, 8, 8, 8);
  machine.Program({Misc(Op::kRpcc, 1), slow, Nop(), Misc(Op::kRpcc, 2), Nop(), Misc(Op::kRpcc, 3),
                   CallPal(0x83)});
  machine.cpu.cycle = 1000;
  machine.cpu.cc_start = 900;
  machine.RunToPal();
  const uint64_t rpcc = CostOf(Misc(Op::kRpcc, 1));
  EXPECT_EQ(machine.cpu.r[1], 100u) << "read at the start of the instruction";
  EXPECT_EQ(machine.cpu.r[2], 100 + rpcc + CostOf(slow) + 1);
  EXPECT_EQ(machine.cpu.r[3], 100 + 2 * rpcc + CostOf(slow) + 2);
}

TEST(InterpreterBoundary, PalcodeReadsAndWritesTheExactCounter) {
  TestMachine machine;
  machine.Program({Nop(), Mtpr(2, Ipr::kCcCtl), Nop(), Mfpr(1, Ipr::kCc),
                   HwStore(alpha::HwStoreType::kPhysical, 31, -8, 31)});
  machine.cpu.pc = TestMachine::kCode | 1;
  machine.cpu.r[2] = uint64_t{1} << 32 | 0x500;
  machine.RunToPal();
  EXPECT_EQ(machine.cpu.r[1], 0x500 + CostOf({Mtpr(2, Ipr::kCcCtl), Nop()}));
}

// A store to I/O space in the middle of a block.
class IoTest : public ::testing::Test {
 protected:
  IoTest() {
    machine_.Program({Operate(Op::kMulq, 8, 8, 8), Nop(), MemoryOp(Op::kStl, 2, 4, 10), Nop(),
                      MemoryOp(Op::kLdl, 3, 8, 10), Nop(), CallPal(0x83)});
    machine_.cpu.r[2] = 0xffff'ffff'8765'4321;
    machine_.cpu.r[10] = TestMachine::kKseg + TestMachine::kIo;
  }
  uint64_t CycleOfStore() const { return CostOf({Operate(Op::kMulq, 8, 8, 8), Nop()}); }
  uint64_t AfterStore() const { return CycleOfStore() + CostOf(MemoryOp(Op::kStl, 2, 4, 10)); }

  TestMachine machine_;
};

TEST_F(IoTest, AccessesHappenAtTheirCycle) {
  machine_.on_io = [](alpha::Cpu&, const FakeIo::Access& access) {
    return alpha::IoResult{.data = access.write ? 0 : 0xfedc'ba98u, .cycles = 123};
  };
  machine_.RunTo(10'000);
  machine_.RunTo(10'000);
  ASSERT_GE(machine_.io.accesses.size(), 2u);
  const FakeIo::Access& store = machine_.io.accesses[0];
  EXPECT_TRUE(store.write);
  EXPECT_EQ(store.pa, TestMachine::kIo + 4);
  EXPECT_EQ(store.size, 4);
  EXPECT_EQ(store.data, 0x8765'4321u);
  EXPECT_EQ(store.cycle, CycleOfStore());
  const FakeIo::Access& load = machine_.io.accesses[1];
  EXPECT_FALSE(load.write);
  EXPECT_EQ(load.cycle, AfterStore() + 123 + 1);
  EXPECT_EQ(machine_.cpu.r[3], 0xffff'ffff'fedc'ba98u);
}

TEST_F(IoTest, ANearerDeadlineStopsRightAfterTheAccess) {
  machine_.on_io = [this](alpha::Cpu&, const FakeIo::Access&) {
    machine_.deadline.MoveNearer(0);
    return alpha::IoResult{.cycles = 7};
  };
  machine_.RunTo(10'000);
  EXPECT_EQ(machine_.cpu.cycle, AfterStore() + 7);
  EXPECT_EQ(machine_.cpu.instructions, 3u);
  EXPECT_EQ(machine_.cpu.pc, TestMachine::kKseg + TestMachine::kCode + 12);
}

TEST_F(IoTest, ANearerDeadlineThatIsNotYetDueIsKeptToo) {
  machine_.on_io = [this](alpha::Cpu&, const FakeIo::Access& access) {
    if (access.write) machine_.deadline.MoveNearer(AfterStore() + 1);
    return alpha::IoResult{};
  };
  machine_.RunTo(10'000);
  EXPECT_EQ(machine_.cpu.cycle, AfterStore() + 1);
}

TEST_F(IoTest, AnInterruptStopsRightAfterTheAccess) {
  machine_.cpu.ier = alpha::interrupt::kExternalMask;
  machine_.on_io = [](alpha::Cpu& cpu, const FakeIo::Access&) {
    cpu.irq_pins = 2;
    return alpha::IoResult{};
  };
  machine_.RunTo(10'000);
  EXPECT_EQ(machine_.cpu.cycle, AfterStore());
  EXPECT_TRUE(machine_.cpu.InterruptDeliverable());
}

TEST_F(IoTest, AnInterruptThatIsNotEnabledDoesNotStop) {
  machine_.on_io = [](alpha::Cpu& cpu, const FakeIo::Access&) {
    cpu.irq_pins = 2;
    return alpha::IoResult{};
  };
  machine_.RunToPal();
  EXPECT_TRUE(machine_.stopped());
}

TEST_F(IoTest, BytesAndWordsReachTheBusAtTheirSize) {
  machine_.Program({MemoryOp(Op::kStb, 2, 1, 10), MemoryOp(Op::kStw, 2, 2, 10),
                    MemoryOp(Op::kStq, 2, 8, 10), MemoryOp(Op::kLdbu, 3, 3, 10),
                    MemoryOp(Op::kLdwu, 3, 4, 10), CallPal(0x83)});
  machine_.RunToPal();
  const auto& a = machine_.io.accesses;
  ASSERT_EQ(a.size(), 6u);
  EXPECT_EQ(a[0].size, 1);
  EXPECT_EQ(a[0].data, 0x21u);
  EXPECT_EQ(a[1].size, 2);
  EXPECT_EQ(a[1].data, 0x4321u);
  EXPECT_EQ(a[2].size, 8);
  EXPECT_EQ(a[3].size, 1);
  EXPECT_EQ(a[4].size, 2);
}

// PALmode lets interrupts in only by leaving it.
TEST(InterpreterBoundary, HwRetStopsForAnInterrupt) {
  TestMachine machine;
  machine.Program({Nop(), Mtpr(2, Ipr::kIer), Nop(), HwRet(3), Nop()});
  machine.cpu.pc = TestMachine::kCode | 1;
  machine.cpu.irq_pins = 1;
  machine.cpu.r[2] = alpha::interrupt::kExternalMask;
  machine.cpu.r[3] = TestMachine::kKseg + TestMachine::kCode + 16;
  machine.RunTo(10'000);
  EXPECT_EQ(machine.cpu.instructions, 4u);
  EXPECT_EQ(machine.cpu.pc, machine.cpu.r[3]);
  EXPECT_TRUE(machine.cpu.InterruptDeliverable());
}

TEST(InterpreterBoundary, HwRetIntoPalmodeGoesOn) {
  TestMachine machine;
  machine.Program({HwRet(3), Nop(), Nop(), HwStore(alpha::HwStoreType::kPhysical, 31, -8, 31)});
  machine.cpu.pc = TestMachine::kCode | 1;
  machine.cpu.irq_pins = 1;
  machine.cpu.ier = alpha::interrupt::kExternalMask;
  machine.cpu.r[3] = (TestMachine::kCode + 8) | 3;
  machine.RunToPal();
  EXPECT_TRUE(machine.stopped());
  EXPECT_EQ(machine.cpu.pc, (TestMachine::kCode + 12) | 1) << "bit 1 of the target is ignored";
}

TEST(InterpreterBoundary, HwMtprInKernelModeStopsForAnInterrupt) {
  TestMachine machine;
  machine.Program({Nop(), Mtpr(2, Ipr::kIer), Nop(), Nop()});
  machine.cpu.i_ctl |= alpha::i_ctl::kHwe;
  machine.cpu.irq_pins = 1;
  machine.cpu.r[2] = alpha::interrupt::kExternalMask;
  machine.RunTo(10'000);
  EXPECT_EQ(machine.cpu.instructions, 2u);
}

// A kernel that waits for memory to change: three blocks with a call in them.
Machine WaitingProgram() {
  auto machine = std::make_unique<TestMachine>();
  machine->Program({
      MemoryOp(Op::kLdq, 1, 0, 10),
      BranchOp(Op::kBsr, 26, 3),
      Misc(Op::kMb),
      BranchOp(Op::kBeq, 1, -4),
      CallPal(0x83),
      Operate(Op::kMulq, 1, 1, 2),
      JumpOp(Op::kRet, 31, 26),
  });
  machine->cpu.r[10] = TestMachine::kKseg + TestMachine::kData;
  return machine;
}

TEST(InterpreterSpin, SkippingEqualsPlainExecutionAtEveryBoundary) {
  constexpr uint64_t kTo = 40'000;
  const auto states = Boundaries(WaitingProgram, kTo + 100);
  for (uint64_t deadline = kTo - 60; deadline <= kTo; ++deadline) {
    ASSERT_NO_FATAL_FAILURE(ExpectStopsAt(WaitingProgram, deadline, states));
  }
  Machine machine = WaitingProgram();
  machine->RunTo(kTo);
  EXPECT_GT(machine->engine.stats().spin_cycles_skipped, kTo / 2);
}

TEST(InterpreterSpin, ASkippedLoopEndsWhenItsMemoryChanges) {
  Machine machine = WaitingProgram();
  machine->RunTo(1'000'000);
  machine->memory.Store<uint64_t>(TestMachine::kData, 6);
  machine->RunToPal();
  EXPECT_TRUE(machine->stopped());
  EXPECT_EQ(machine->cpu.r[2], 36u);
  EXPECT_LT(machine->cpu.cycle, 1'000'100u);
}

TEST(InterpreterSpin, LoopsThatDoSomethingAreNotSkipped) {
  const std::vector<std::vector<uint32_t>> loops = {
      {OperateLiteral(Op::kAddq, 1, 1, 1), BranchOp(Op::kBr, 31, -2)},
      {MemoryOp(Op::kStq, 31, 0, 10), BranchOp(Op::kBr, 31, -2)},
      {Misc(Op::kRpcc, 31), BranchOp(Op::kBr, 31, -2)},
      {Misc(Op::kRs, 31), BranchOp(Op::kBr, 31, -2)},
      {Operate(Op::kAddt, 1, 1, 1), BranchOp(Op::kBr, 31, -2)},
      {MemoryOp(Op::kLdqL, 1, 0, 10), BranchOp(Op::kBr, 31, -2)},
      // Work in the second of three blocks, which may be chained.
      {BranchOp(Op::kBr, 31, 0), MemoryOp(Op::kStq, 31, 0, 10), BranchOp(Op::kBr, 31, 0),
       BranchOp(Op::kBr, 31, -4)},
  };
  for (size_t i = 0; i < loops.size(); ++i) {
    TestMachine machine;
    machine.Program(loops[i]);
    machine.cpu.r[10] = TestMachine::kKseg + TestMachine::kData;
    machine.RunTo(30'000);
    EXPECT_EQ(machine.engine.stats().spin_cycles_skipped, 0u) << "loop " << i;
  }
}

TEST(InterpreterSpin, PollingADeviceIsNotSkipped) {
  TestMachine machine;
  machine.Program({MemoryOp(Op::kLdq, 1, 0, 10), BranchOp(Op::kBeq, 1, -2), CallPal(0x83)});
  machine.cpu.r[10] = TestMachine::kKseg + TestMachine::kIo;
  int reads = 0;
  machine.on_io = [&](alpha::Cpu&, const FakeIo::Access&) {
    return alpha::IoResult{.data = ++reads == 5000 ? 1u : 0u, .cycles = 10};
  };
  machine.RunToPal();
  EXPECT_TRUE(machine.stopped());
  EXPECT_EQ(reads, 5000);
}

// Exceptions are counted, and PALcode may loop through them.
Machine FaultingLoop() {
  auto machine = std::make_unique<TestMachine>();
  // The handler of DTBM_SINGLE: the same load again, in PALmode, for ever.
  machine->Put(TestMachine::kPalBase + 0x300,
               {MemoryOp(Op::kLdq, 1, 0, 31), BranchOp(Op::kBr, 31, -2)});
  machine->cpu.pc = (TestMachine::kPalBase + 0x300) | 1;
  return machine;
}

TEST(InterpreterSpin, ExceptionsInALoopAreCounted) {
  Machine stepped = FaultingLoop();
  while (stepped->cpu.cycle < 40'000) stepped->Step();
  Machine whole = FaultingLoop();
  whole->RunTo(40'000);
  EXPECT_EQ(whole->cpu.cycle, stepped->cpu.cycle);
  EXPECT_EQ(whole->cpu.counters.dtb_misses, stepped->cpu.counters.dtb_misses);
  EXPECT_TRUE(whole->CpuState() == stepped->CpuState());
}

}  // namespace
}  // namespace isochron::ref
