#include "ref/oracle.h"

#include <vector>

#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using alpha::Op;
using testing::MemoryOp;
using testing::OperateLiteral;
using testing::TestMachine;

constexpr uint32_t kR1IsOne = OperateLiteral(Op::kBis, 31, 1, 1);
constexpr uint32_t kR1IsTwo = OperateLiteral(Op::kBis, 31, 2, 1);

// Runs R2's store of R3 over the instruction after it, which has been executed once already; what
// that leaves in R1.
uint64_t RunChangedCode(TestMachine& machine, alpha::Engine& engine) {
  const uint64_t code = TestMachine::kKseg + TestMachine::kCode;
  machine.Program({MemoryOp(Op::kStl, 3, 4, 2), kR1IsOne, testing::CallPal(0x80)});
  machine.cpu.r[2] = code;
  for (const uint32_t word : {kR1IsOne, kR1IsTwo}) {
    machine.cpu.pc = code;
    machine.cpu.r[3] = word;
    machine.deadline.cycle = machine.cpu.cycle + 1'000'000;
    engine.Run(machine.cpu, machine.deadline);
  }
  return machine.cpu.r[1];
}

TEST(Oracle, SeesWhatAnInterpreterThatKeepsAStaleBlockDoesNot) {
  TestMachine machine;
  EXPECT_EQ(RunChangedCode(machine, machine.engine), 2u);
  // Nobody tells the interpreter that code has changed: a fault of its cache.
  TestMachine faulty;
  faulty.memory.RemoveAllListeners();
  EXPECT_EQ(RunChangedCode(faulty, faulty.engine), 1u);
  TestMachine plain;
  plain.memory.RemoveAllListeners();
  Oracle oracle(plain.memory, plain.io);
  EXPECT_EQ(RunChangedCode(plain, oracle), 2u);
  EXPECT_EQ(plain.CpuState(), machine.CpuState());
}

TEST(Oracle, TranslatesEveryReferenceAnew) {
  constexpr uint64_t kVa = 0x4000'0000;
  const std::vector<uint32_t> loads = {MemoryOp(Op::kLdq, 1, 0, 2), MemoryOp(Op::kLdq, 1, 0, 2)};
  for (const bool plain : {false, true}) {
    TestMachine machine;
    Oracle oracle(machine.memory, machine.io);
    alpha::Engine& engine = plain ? static_cast<alpha::Engine&>(oracle) : machine.engine;
    machine.MapData(kVa, TestMachine::kData, testing::kAllRead);
    machine.memory.Store(TestMachine::kData, uint64_t{5});
    machine.Program(loads);
    machine.cpu.r[2] = kVa;
    machine.deadline.cycle = machine.cpu.cycle + 1;
    engine.Run(machine.cpu, machine.deadline);
    EXPECT_EQ(machine.cpu.r[1], 5u);
    // Behind the engine's back: an interpreter with a fault in its lookaside does the same.
    machine.cpu.dtb.InvalidateAll();
    machine.deadline.cycle = machine.cpu.cycle + 1;
    engine.Run(machine.cpu, machine.deadline);
    EXPECT_EQ(machine.AtEntry(alpha::PalEntry::kDtbmSingle), plain);
  }
}

TEST(Oracle, StopsForGoodAtAMachineCheckInPalmode) {
  TestMachine machine;
  Oracle oracle(machine.memory, machine.io);
  machine.cpu.pc = TestMachine::kMemorySize | 1;
  machine.deadline.cycle = machine.cpu.cycle + 100;
  for (int i = 0; i < 2; ++i) {
    const alpha::RunResult result = oracle.Run(machine.cpu, machine.deadline);
    EXPECT_EQ(result.reason, alpha::StopReason::kFatal);
    EXPECT_EQ(result.message,
              "machine check in PALmode: an instruction fetch outside memory at physical address "
              "0x80000, PC 0x80000");
  }
  oracle.Invalidate();
  machine.cpu.pc = TestMachine::kPalBase | 1;
  EXPECT_EQ(oracle.Run(machine.cpu, machine.deadline).reason, alpha::StopReason::kBoundary);
}

}  // namespace
}  // namespace isochron::ref
