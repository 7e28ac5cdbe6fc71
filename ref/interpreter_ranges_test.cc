// Runs that stop behind references to memory: which count, and where the CPU then stands.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alpha/stop_ranges.h"
#include "gtest/gtest.h"
#include "ref/oracle.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::StopRange;

constexpr uint64_t kPhysical = TestMachine::kData + 0x100;
constexpr uint64_t kVirtual = TestMachine::kKseg + kPhysical;
constexpr uint64_t kIo = TestMachine::kIo;
// Registers of the programs.
constexpr uint32_t kVa = 16, kPa = 17, kIoVa = 18, kIoPa = 19;

enum class Refers : uint8_t { kNo, kReads, kWrites };

struct Case {
  const char* name;
  uint32_t word;
  Refers refers;
  bool translated = true;
  uint64_t pa = kPhysical;
  bool locked = true;  // whether the CPU has a lock on the block
};

const Case kCases[] = {
    {"ldbu", MemoryOp(Op::kLdbu, 1, 3, kVa), Refers::kReads, true, kPhysical + 3},
    {"ldq", MemoryOp(Op::kLdq, 1, 0, kVa), Refers::kReads},
    {"ldq_u", MemoryOp(Op::kLdqU, 1, 5, kVa), Refers::kReads},
    {"ldt", MemoryOp(Op::kLdt, 1, 0, kVa), Refers::kReads},
    {"ldl_l", MemoryOp(Op::kLdlL, 1, 4, kVa), Refers::kReads, true, kPhysical + 4},
    {"prefetch", MemoryOp(Op::kLdq, 31, 0, kVa), Refers::kNo},
    {"unaligned", MemoryOp(Op::kLdq, 1, 1, kVa), Refers::kNo},
    {"stw", MemoryOp(Op::kStw, 1, 2, kVa), Refers::kWrites, true, kPhysical + 2},
    {"stq", MemoryOp(Op::kStq, 1, 0, kVa), Refers::kWrites},
    {"stq_u", MemoryOp(Op::kStqU, 1, 7, kVa), Refers::kWrites},
    {"stt", MemoryOp(Op::kStt, 1, 0, kVa), Refers::kWrites},
    {"stq_c", MemoryOp(Op::kStqC, 1, 0, kVa), Refers::kWrites},
    {"stq_c without the lock", MemoryOp(Op::kStqC, 1, 0, kVa), Refers::kNo, true, kPhysical, false},
    {"hw_ld", HwLoad(HwLoadType::kPhysical, 1, 0, kPa), Refers::kReads, false},
    {"hw_ld/l", HwLoad(HwLoadType::kPhysicalLock, 1, 0, kPa), Refers::kReads, false},
    {"hw_ld virtual", HwLoad(HwLoadType::kVirtual, 1, 0, kVa), Refers::kReads},
    {"hw_ld/v", HwLoad(HwLoadType::kVirtualVpte, 1, 0, kVa), Refers::kReads},
    {"hw_st", HwStore(HwStoreType::kPhysical, 1, 0, kPa), Refers::kWrites, false},
    {"hw_st/c", HwStore(HwStoreType::kPhysicalConditional, 1, 0, kPa), Refers::kWrites, false},
    {"hw_st/c without the lock", HwStore(HwStoreType::kPhysicalConditional, 1, 0, kPa), Refers::kNo,
     false, kPhysical, false},
    {"hw_st virtual", HwStore(HwStoreType::kVirtual, 1, 0, kVa), Refers::kWrites},
    {"ldl from I/O", MemoryOp(Op::kLdl, 1, 0, kIoVa), Refers::kReads, true, kIo},
    {"hw_st to I/O", HwStore(HwStoreType::kPhysical, 1, 0, kIoPa), Refers::kWrites, false, kIo},
};

// The reference that stops a run of `engine` with these ranges. In PALmode it comes to the
// instruction of the case, and could go on behind it.
std::optional<alpha::MemoryReference> Run(TestMachine& machine, alpha::Engine& engine,
                                          const Case& c, const std::vector<StopRange>& ranges) {
  machine.cpu.r[kVa] = kVirtual;
  machine.cpu.r[kPa] = kPhysical;
  machine.cpu.r[kIoVa] = TestMachine::kKseg + kIo;
  machine.cpu.r[kIoPa] = kIo;
  machine.cpu.fp_enable = true;
  machine.cpu.pc = TestMachine::kCode | 1;
  machine.cpu.lock_flag = c.locked;
  machine.cpu.lock_address = kPhysical & ~(alpha::Cpu::kLockBlock - 1);
  alpha::StopRanges stop(ranges);
  alpha::Deadline deadline{machine.cpu.cycle + CostOf({Nop(), c.word, Nop()})};
  deadline.ranges = ranges.empty() ? nullptr : &stop;
  engine.Run(machine.cpu, deadline);
  return stop.hit();
}

void ExpectStops(TestMachine& machine, alpha::Engine& engine, const Case& c) {
  machine.Put(TestMachine::kCode, {Nop(), c.word, Nop(), c.word});
  for (int which = 0; which < 8; ++which) {
    StopRange range;
    range.space = (which & 1) != 0 ? StopRange::Space::kPhysical : StopRange::Space::kVirtual;
    ((which & 2) != 0 ? range.reads : range.writes) = true;
    range.begin = c.pa + ((which & 1) != 0 ? 0 : TestMachine::kKseg);
    range.size = 1;
    if ((which & 4) != 0) range.begin -= 8;  // beside it, in the same page
    Run(machine, engine, c, {});             // whatever is remembered of the page is there
    const auto hit = Run(machine, engine, c, {range});
    const bool counts = (which & 4) == 0 && (c.translated || (which & 1) != 0) &&
                        c.refers == ((which & 2) != 0 ? Refers::kReads : Refers::kWrites);
    EXPECT_EQ(hit.has_value(), counts) << c.name << ", " << which;
    if (!hit || !counts) continue;
    EXPECT_EQ(machine.cpu.pc, (TestMachine::kCode + 8) | 1) << c.name << ", " << which;
    EXPECT_EQ(hit->write, c.refers == Refers::kWrites);
    EXPECT_EQ(hit->pa & ~uint64_t{7}, c.pa & ~uint64_t{7}) << c.name;
    EXPECT_EQ(hit->va.has_value(), c.translated) << c.name;
    EXPECT_EQ(hit->pc, (TestMachine::kCode + 4) | 1) << c.name;
  }
}

TEST(InterpreterRanges, StopBehindEveryKindOfReference) {
  for (const Case& c : kCases) {
    TestMachine machine;
    ExpectStops(machine, machine.engine, c);
  }
}

TEST(InterpreterRanges, StopTheOracleThere) {
  for (const Case& c : kCases) {
    TestMachine machine;
    Oracle oracle(machine.memory, machine.io);
    ExpectStops(machine, oracle, c);
  }
}

// A loop that only waits is not skipped past what stops it, nor kept from being skipped by ranges
// that it leaves alone.
TEST(InterpreterRanges, LoopsThatWait) {
  TestMachine machine;
  machine.cpu.r[kVa] = kVirtual;
  machine.Program({MemoryOp(Op::kLdq, 1, 0, kVa), BranchOp(Op::kBeq, 1, -2)});
  alpha::StopRanges writes({{StopRange::Space::kPhysical, kPhysical, 8, false, true}});
  machine.deadline.ranges = &writes;
  machine.RunTo(1'000'000);
  EXPECT_FALSE(writes.hit());
  EXPECT_GE(machine.cpu.cycle, 1'000'000u);
  EXPECT_GT(machine.engine.stats().spin_cycles_skipped, 900'000u);
  for (int turn = 0; turn < 100; ++turn) {
    const uint64_t before = machine.cpu.instructions;
    alpha::StopRanges reads({{StopRange::Space::kVirtual, kVirtual, 8, true, false}});
    machine.deadline.ranges = &reads;
    machine.RunTo(2'000'000);
    ASSERT_TRUE(reads.hit());
    EXPECT_LE(machine.cpu.instructions, before + 2);
  }
}

}  // namespace
}  // namespace isochron::ref
