// Exceptions in the middle of a block: what PALcode finds.

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::PalEntry;
using ::testing::HasSubstr;

constexpr uint64_t kStart = TestMachine::kKseg + TestMachine::kCode;

// Runs three instructions, the one that faults, and one that must not run.
class FaultTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kBad = 0x4000'0000;  // unmapped

  FaultTest() {
    cpu().r[10] = kBad;
    cpu().r[11] = TestMachine::kKseg + TestMachine::kData;
    cpu().r[12] = 0x0100'0000'0000'0000;  // not sign-extended
    cpu().va = cpu().mm_stat = cpu().exc_sum = 0x7777;
  }

  alpha::Cpu& cpu() { return machine_.cpu; }

  void Run(uint32_t faulting) {
    machine_.Program({OperateLiteral(Op::kAddq, 1, 1, 1), Operate(Op::kMulq, 1, 1, 2),
                      MemoryOp(Op::kStq, 1, 0, 11), faulting, OperateLiteral(Op::kAddq, 31, 99, 9),
                      CallPal(0xbf)});
    machine_.RunToPal();
    ASSERT_TRUE(machine_.stopped());
    EXPECT_EQ(cpu().r[1], 1u);
    EXPECT_EQ(cpu().r[9], 0u) << "ran past the fault";
    EXPECT_EQ(machine_.memory.Load<uint64_t>(TestMachine::kData), 1u);
  }
  uint64_t CostBefore() const {
    return CostOf({OperateLiteral(Op::kAddq, 1, 1, 1), Operate(Op::kMulq, 1, 1, 2),
                   MemoryOp(Op::kStq, 1, 0, 11)});
  }
  void ExpectFaulted(PalEntry entry) {
    EXPECT_TRUE(machine_.AtEntry(entry)) << std::hex << cpu().pc;
    EXPECT_EQ(cpu().exc_addr, kStart + 12);
    EXPECT_EQ(cpu().cycle, CostBefore() + PalEntryCost());
    EXPECT_EQ(cpu().instructions, 3u);
  }
  void ExpectData(uint64_t va, uint64_t mm_stat, uint64_t reg) {
    EXPECT_EQ(cpu().va, va);
    EXPECT_EQ(cpu().mm_stat, mm_stat);
    EXPECT_EQ(cpu().exc_sum, reg << 8);
  }

  TestMachine machine_;
};

TEST_F(FaultTest, DtbMissOnLoad) {
  Run(MemoryOp(Op::kLdq, 5, 16, 10));
  ExpectFaulted(PalEntry::kDtbmSingle);
  ExpectData(kBad + 16, 0x29 << 4, 5);
  EXPECT_EQ(cpu().counters.dtb_misses, 1u);
  EXPECT_EQ(cpu().counters.exceptions, 0u);
}

TEST_F(FaultTest, DtbMissOnStore) {
  Run(MemoryOp(Op::kStb, 6, -1, 10));
  ExpectFaulted(PalEntry::kDtbmSingle);
  ExpectData(kBad - 1, 0x0e << 4 | 1, 6);
}

TEST_F(FaultTest, DtbMissOnLoadLockedAndStoreConditional) {
  Run(MemoryOp(Op::kLdlL, 5, 4, 10));
  ExpectFaulted(PalEntry::kDtbmSingle);
  ExpectData(kBad + 4, 0x2a << 4, 5);
  EXPECT_FALSE(cpu().lock_flag);
}

TEST_F(FaultTest, StoreConditionalMissesWithoutTheLockToo) {
  Run(MemoryOp(Op::kStqC, 5, 8, 10));
  ExpectFaulted(PalEntry::kDtbmSingle);
  ExpectData(kBad + 8, 0x2f << 4 | 1, 5);
}

TEST_F(FaultTest, UnalignedLoadsTellTheQuadwordAddress) {
  Run(MemoryOp(Op::kLdqU, 5, 13, 10));
  ExpectFaulted(PalEntry::kDtbmSingle);
  ExpectData(kBad + 8, 0x0b << 4, 5);
}

TEST_F(FaultTest, AccessViolation) {
  machine_.MapData(kBad, TestMachine::kData, kAllRead | (kAllWrite & ~kKernelWrite));
  Run(MemoryOp(Op::kStl, 5, 4, 10));
  ExpectFaulted(PalEntry::kDfault);
  ExpectData(kBad + 4, 0x2c << 4 | 2 | 1, 5);
  EXPECT_EQ(cpu().counters.exceptions, 1u);
}

TEST_F(FaultTest, AddressThatIsNotSignExtended) {
  Run(MemoryOp(Op::kLdl, 5, 4, 12));
  ExpectFaulted(PalEntry::kDfault);
  ExpectData(cpu().r[12] + 4, 0x28 << 4 | 2, 5);
}

TEST_F(FaultTest, FaultOnRead) {
  machine_.MapData(kBad, TestMachine::kData, kAllRead | kAllWrite | alpha::pte::kFor);
  Run(MemoryOp(Op::kLdq, 5, 0, 10));
  ExpectFaulted(PalEntry::kDfault);
  ExpectData(kBad, 0x29 << 4 | 4, 5);
}

TEST_F(FaultTest, FaultOnWriteAfterReadsOfThePage) {
  machine_.MapData(kBad, TestMachine::kData + alpha::kPageSize,
                   kAllRead | kAllWrite | alpha::pte::kFow);
  machine_.Put(TestMachine::kCode - 4, {MemoryOp(Op::kLdq, 5, 0, 10)});
  cpu().pc -= 4;
  machine_.Step();
  cpu().cycle = 0;
  cpu().instructions = 0;
  Run(MemoryOp(Op::kStq, 5, 0, 10));
  ExpectFaulted(PalEntry::kDfault);
  ExpectData(kBad, 0x2d << 4 | 8 | 1, 5);
}

TEST_F(FaultTest, PrefetchesFaultForPalcodeToDismiss) {
  Run(MemoryOp(Op::kLdq, 31, 3, 10));
  ExpectFaulted(PalEntry::kDtbmSingle);
  ExpectData(kBad + 3, 0x29 << 4, 31);
}

TEST_F(FaultTest, Unaligned) {
  const struct {
    Op op;
    int displacement;
    uint64_t mm_stat;
  } cases[] = {
      {Op::kLdq, 4, 0x29 << 4},     {Op::kLdl, 2, 0x28 << 4},      {Op::kLdwu, 1, 0x0c << 4},
      {Op::kStq, 1, 0x2d << 4 | 1}, {Op::kStl, 6, 0x2c << 4 | 1},  {Op::kStw, 3, 0x0d << 4 | 1},
      {Op::kLdqL, 4, 0x2b << 4},    {Op::kStqC, 4, 0x2f << 4 | 1}, {Op::kLdt, 4, 0x23 << 4},
      {Op::kStt, 4, 0x27 << 4 | 1}, {Op::kLds, 2, 0x22 << 4},      {Op::kStlC, 1, 0x2e << 4 | 1}};
  for (const auto& c : cases) {
    SCOPED_TRACE(alpha::ToString(c.op));
    TestMachine machine;
    machine.Program({Nop(), MemoryOp(c.op, 5, c.displacement, 11), CallPal(0xbf)});
    machine.cpu.r[11] = TestMachine::kKseg + TestMachine::kData;
    machine.RunToPal();
    EXPECT_TRUE(machine.AtEntry(PalEntry::kUnalign));
    EXPECT_EQ(machine.cpu.exc_addr, kStart + 4);
    EXPECT_EQ(machine.cpu.va, machine.cpu.r[11] + static_cast<uint64_t>(c.displacement));
    EXPECT_EQ(machine.cpu.mm_stat, c.mm_stat);
    EXPECT_EQ(machine.cpu.exc_sum, 5u << 8);
    EXPECT_EQ(machine.cpu.instructions, 1u);
    EXPECT_EQ(machine.cpu.cycle, 1 + PalEntryCost());
  }
}

TEST_F(FaultTest, FloatingPointDisabled) {
  for (const uint32_t word :
       {Operate(Op::kAddt, 1, 2, 3), MemoryOp(Op::kLdt, 1, 0, 10), MemoryOp(Op::kSts, 1, 0, 10),
        MemoryOp(Op::kLdt, 31, 0, 10), Operate(Op::kItoft, 1, 31, 3), Operate(Op::kFtoit, 1, 31, 3),
        Operate(Op::kMfFpcr, 1, 1, 1), Operate(Op::kMtFpcr, 1, 1, 1),
        Operate(Op::kFcmoveq, 1, 2, 3), Operate(Op::kCpys, 31, 31, 31),
        BranchOp(Op::kFbeq, 31, 1)}) {
    SCOPED_TRACE(::testing::Message() << std::hex << word);
    TestMachine machine;
    machine.cpu.fp_enable = false;
    machine.cpu.r[10] = kBad;
    machine.Program({Nop(), word, CallPal(0xbf)});
    machine.RunToPal();
    EXPECT_TRUE(machine.AtEntry(PalEntry::kFen));
    EXPECT_EQ(machine.cpu.exc_addr, kStart + 4);
    EXPECT_EQ(machine.cpu.instructions, 1u);
  }
}

TEST_F(FaultTest, IllegalInstructions) {
  for (const uint32_t word :
       {0x0400'0000u, 0x7000'0fe0u, Mfpr(1, Ipr::kVa), Mtpr(1, Ipr::kDtbIa), HwRet(1),
        HwLoad(HwLoadType::kPhysical, 1, 0, 31), HwStore(HwStoreType::kPhysical, 1, 0, 31),
        CallPal(0x40), CallPal(0xc0), CallPal(0x1000)}) {
    SCOPED_TRACE(::testing::Message() << std::hex << word);
    TestMachine machine;
    machine.Program({Nop(), word, Nop()});
    machine.RunToPal();
    EXPECT_TRUE(machine.AtEntry(PalEntry::kOpcdec));
    EXPECT_EQ(machine.cpu.exc_addr, kStart + 4);
    EXPECT_EQ(machine.cpu.instructions, 1u);
    EXPECT_EQ(machine.cpu.cycle, 1 + PalEntryCost());
  }
}

TEST_F(FaultTest, PrivilegedCallPalInUserMode) {
  machine_.MapCode(0, TestMachine::kCode, kAllRead);
  machine_.Program({CallPal(0x00)});
  cpu().mode = alpha::Mode::kUser;
  cpu().pc = 0;
  machine_.RunToPal();
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kOpcdec));
}

// The instruction completes, then traps.
TEST_F(FaultTest, IntegerOverflow) {
  cpu().r[3] = 0x7fff'ffff'ffff'ffff;
  const uint32_t word = OperateLiteral(Op::kAddqV, 3, 1, 4);
  Run(word);
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kArith));
  EXPECT_EQ(cpu().exc_addr, kStart + 12);
  EXPECT_EQ(cpu().r[4], uint64_t{1} << 63);
  EXPECT_EQ(cpu().exc_sum, 0xc0u | 4u << 8);
  EXPECT_EQ(cpu().cycle, CostBefore() + CostOf(word) + PalEntryCost());
  EXPECT_EQ(cpu().instructions, 4u);
  EXPECT_EQ(cpu().counters.exceptions, 1u);
}

TEST_F(FaultTest, FloatingTrap) {
  cpu().f[2] = uint64_t{0x3ff} << 52;
  cpu().f[3] = 0;
  cpu().f[7] = 123;
  const uint32_t word = Operate(Op::kDivt, 2, 3, 7);
  Run(word);
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kArith));
  EXPECT_EQ(cpu().exc_addr, kStart + 12);
  EXPECT_EQ(cpu().exc_sum, alpha::fp_exception::kDivideByZero | 7u << 8);
  EXPECT_EQ(cpu().f[7], 123u);
  EXPECT_EQ(cpu().fpcr & alpha::fpcr::kDivideByZero, alpha::fpcr::kDivideByZero);
  EXPECT_EQ(cpu().cycle, CostBefore() + CostOf(word) + PalEntryCost());
  EXPECT_EQ(cpu().instructions, 4u);
}

// The access completes; the machine check is taken behind it (HRM table 6-8).
TEST_F(FaultTest, MachineCheck) {
  machine_.on_io = [](alpha::Cpu&, const FakeIo::Access&) {
    return alpha::IoResult{.cycles = 40, .nonexistent = true};
  };
  cpu().r[10] = TestMachine::kKseg + TestMachine::kIo;
  cpu().r[5] = 77;
  const uint32_t load = MemoryOp(Op::kLdq, 5, 0, 10);
  Run(load);
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kMchk));
  EXPECT_EQ(cpu().exc_addr, kStart + 16);
  EXPECT_EQ(cpu().r[5], 0u);
  EXPECT_EQ(cpu().cycle, CostBefore() + CostOf(load) + 40 + PalEntryCost());
  EXPECT_EQ(cpu().instructions, 4u);
  EXPECT_EQ(cpu().counters.exceptions, 1u);
}

TEST_F(FaultTest, AStoreConditionalThatNothingAnswersCompletes) {
  machine_.on_io = [](alpha::Cpu&, const FakeIo::Access&) {
    return alpha::IoResult{.nonexistent = true};
  };
  cpu().r[10] = TestMachine::kKseg + TestMachine::kIo;
  cpu().lock_flag = true;
  cpu().lock_address = TestMachine::kIo;
  cpu().r[5] = 77;
  Run(MemoryOp(Op::kStqC, 5, 0, 10));
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kMchk));
  EXPECT_FALSE(cpu().lock_flag);
  EXPECT_EQ(cpu().r[5], 1u);
}

// Fetches fault at the target, after the jump has completed.
TEST_F(FaultTest, FetchesFault) {
  const struct {
    uint64_t target;
    PalEntry entry;
  } cases[] = {{0x4000'0000, PalEntry::kItbMiss},
               {0x0100'0000'0000'0000, PalEntry::kIacv},
               {TestMachine::kKseg + TestMachine::kMemorySize, PalEntry::kMchk}};
  for (const auto& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.entry));
    TestMachine machine;
    const uint32_t jump = JumpOp(Op::kJmp, 26, 10);
    machine.Program({Nop(), jump});
    machine.cpu.r[10] = c.target | 3;  // low bits take no part
    machine.RunToPal();
    EXPECT_TRUE(machine.AtEntry(c.entry));
    EXPECT_EQ(machine.cpu.exc_addr, c.target);
    EXPECT_EQ(machine.cpu.r[26], kStart + 8);
    EXPECT_EQ(machine.cpu.cycle, 1 + CostOf(jump) + PalEntryCost());
    EXPECT_EQ(machine.cpu.instructions, 2u);
  }
}

TEST_F(FaultTest, FallingOffAPageMissesAtTheNext) {
  machine_.MapCode(0x4000, TestMachine::kCode, kAllRead);
  machine_.Put(TestMachine::kCode + alpha::kPageSize - 8, {Nop(), Nop()});
  machine_.Put(TestMachine::kCode + alpha::kPageSize, {CallPal(0xbf)});
  cpu().pc = 0x4000 + alpha::kPageSize - 8;
  machine_.RunToPal();
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kItbMiss));
  EXPECT_EQ(cpu().exc_addr, 0x4000 + alpha::kPageSize);
  EXPECT_EQ(cpu().instructions, 2u);
  EXPECT_EQ(cpu().counters.itb_misses, 1u);
}

TEST_F(FaultTest, PageTableReferencesMissDouble) {
  machine_.Put(TestMachine::kCode, {Nop(), HwLoad(HwLoadType::kVirtualVpte, 4, 8, 10)});
  cpu().pc = TestMachine::kCode | 1;
  machine_.RunToPal();
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kDtbmDouble3));
  EXPECT_EQ(cpu().exc_addr, (TestMachine::kCode + 4) | 1);
  EXPECT_EQ(cpu().va, 0x7777u);
}

TEST_F(FaultTest, HwLoadsAndStoresUseTheirMode) {
  // User mode may read and not write, executive may not read.
  machine_.MapData(kBad, TestMachine::kData, 0x0800 | kKernelRead);
  const struct {
    uint32_t word;
    alpha::Mode mode;
    alpha::Mode alternate;
    uint64_t mm_stat;  // 0: no fault
  } cases[] = {
      {HwLoad(HwLoadType::kVirtual, 4, 0, 10), alpha::Mode::kUser, alpha::Mode::kExecutive, 0},
      {HwLoad(HwLoadType::kVirtual, 4, 0, 10), alpha::Mode::kExecutive, alpha::Mode::kUser, 0x32},
      {HwLoad(HwLoadType::kVirtualAlt, 4, 0, 10), alpha::Mode::kExecutive, alpha::Mode::kUser, 0},
      {HwLoad(HwLoadType::kVirtualWriteCheck, 4, 0, 10), alpha::Mode::kUser,
       alpha::Mode::kExecutive, 0x32},
      {HwLoad(HwLoadType::kVirtualVpte, 4, 0, 10), alpha::Mode::kExecutive, alpha::Mode::kExecutive,
       0},
      {HwStore(HwStoreType::kVirtual, 4, 0, 10), alpha::Mode::kUser, alpha::Mode::kUser, 0x73},
      {HwStore(HwStoreType::kVirtualAlt, 4, 0, 10), alpha::Mode::kKernel, alpha::Mode::kUser, 0x73},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    SCOPED_TRACE(i);
    machine_.Put(TestMachine::kCode, {cases[i].word, HwStore(HwStoreType::kPhysical, 31, -8, 31)});
    cpu().pc = TestMachine::kCode | 1;
    cpu().mode = cases[i].mode;
    cpu().alt_mode = cases[i].alternate;
    cpu().mm_stat = 0;
    machine_.RunToPal();
    EXPECT_EQ(machine_.AtEntry(PalEntry::kDfault), cases[i].mm_stat != 0);
    EXPECT_EQ(cpu().mm_stat, cases[i].mm_stat);
  }
}

TEST_F(FaultTest, MachineCheckInPalmodeIsFatal) {
  machine_.Put(TestMachine::kCode, {Nop(), HwLoad(HwLoadType::kPhysical, 4, 16, 10), Nop()});
  machine_.on_io = [](alpha::Cpu&, const FakeIo::Access&) {
    return alpha::IoResult{.nonexistent = true};
  };
  cpu().r[10] = TestMachine::kIo;
  cpu().pc = TestMachine::kCode | 1;
  const alpha::RunResult result = machine_.RunTo(1000);
  EXPECT_EQ(result.reason, alpha::StopReason::kFatal);
  EXPECT_THAT(result.message, HasSubstr("0x10000010"));
  EXPECT_THAT(result.message, HasSubstr("PC 0x10008"));
  EXPECT_EQ(cpu().pc, (TestMachine::kCode + 8) | 1);
  EXPECT_EQ(cpu().instructions, 2u);
}

TEST_F(FaultTest, PalcodeOutsideMemoryIsFatal) {
  cpu().pc = TestMachine::kMemorySize | 1;
  const alpha::RunResult result = machine_.RunTo(1000);
  EXPECT_EQ(result.reason, alpha::StopReason::kFatal);
  EXPECT_THAT(result.message, HasSubstr("fetch"));
  machine_.engine.Invalidate();
  cpu().pc = kStart;
  machine_.Program({CallPal(0x83)});
  machine_.RunToPal();
  EXPECT_TRUE(machine_.stopped()) << "a reset engine runs again";
}

}  // namespace
}  // namespace isochron::ref
