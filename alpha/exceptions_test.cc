#include "alpha/exceptions.h"

#include <cstdint>

#include "alpha/cost.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

constexpr uint64_t kPalBase = 0x18000;
constexpr uint64_t kPc = 0x1234;

class ExceptionsTest : public ::testing::Test {
 protected:
  ExceptionsTest() : cpu_(0, 4, 4) {
    cpu_.pal_base = kPalBase;
    cpu_.pc = kPc;
    cpu_.cycle = 100;
    cpu_.instructions = 10;
    cpu_.exc_addr = cpu_.va = cpu_.mm_stat = cpu_.exc_sum = cpu_.iva = kOld;
  }

  // Entered from kPc, at the cost of an entry, without an instruction retired.
  void ExpectEntered(uint64_t offset) {
    EXPECT_EQ(cpu_.pc, kPalBase + offset + 1);
    EXPECT_EQ(cpu_.exc_addr, kPc);
    EXPECT_EQ(cpu_.cycle, 100 + InstructionCost(CostClass::kPalEntry));
    EXPECT_EQ(cpu_.instructions, 10u);
  }
  void ExpectCounted(uint64_t itb, uint64_t dtb, uint64_t exceptions, uint64_t interrupts) {
    EXPECT_EQ(cpu_.counters.itb_misses, itb);
    EXPECT_EQ(cpu_.counters.dtb_misses, dtb);
    EXPECT_EQ(cpu_.counters.exceptions, exceptions);
    EXPECT_EQ(cpu_.counters.interrupts, interrupts);
  }

  static constexpr uint64_t kOld = 0x5555'5555;
  static constexpr DataFault kFault = {
      .va = 0xabcd'ef01, .write = true, .vpte = false, .opcode = 0x2d, .reg = 17};
  Cpu cpu_;
};

TEST_F(ExceptionsTest, DtbMissLatchesTheReference) {
  EnterDtbMiss(cpu_, kFault);
  ExpectEntered(0x300);
  ExpectCounted(0, 1, 0, 0);
  EXPECT_EQ(cpu_.va, 0xabcd'ef01u);
  EXPECT_EQ(cpu_.mm_stat, 0x2d << 4 | 1);
  EXPECT_EQ(cpu_.exc_sum, 17u << 8);
}

TEST_F(ExceptionsTest, DoubleMissLatchesItsAddressOnly) {
  DataFault fault = kFault;
  fault.vpte = true;
  EnterDtbMiss(cpu_, fault);
  ExpectEntered(0x100);
  ExpectCounted(0, 1, 0, 0);
  EXPECT_EQ(cpu_.va, kOld);
  EXPECT_EQ(cpu_.mm_stat, kOld);
  EXPECT_EQ(cpu_.exc_sum, kOld);
}

TEST_F(ExceptionsTest, DoubleMissWithFourLevels) {
  cpu_.va_ctl = va_ctl::kVa48;
  DataFault fault = kFault;
  fault.vpte = true;
  EnterDtbMiss(cpu_, fault);
  ExpectEntered(0x180);
}

TEST_F(ExceptionsTest, DataFaultTellsWhy) {
  EnterDataFault(cpu_, kFault, mm_stat::kAcv | mm_stat::kFow);
  ExpectEntered(0x380);
  ExpectCounted(0, 0, 1, 0);
  EXPECT_EQ(cpu_.va, 0xabcd'ef01u);
  EXPECT_EQ(cpu_.mm_stat, 0x2d << 4 | 8 | 2 | 1);
  EXPECT_EQ(cpu_.exc_sum, 17u << 8);
}

// HRM section 5.1.3: VA still holds the address whose PTE was wanted.
TEST_F(ExceptionsTest, DataFaultOfAPageTableReferenceKeepsVa) {
  DataFault fault = kFault;
  fault.vpte = true;
  fault.write = false;
  fault.opcode = 3;
  EnterDataFault(cpu_, fault, mm_stat::kAcv);
  ExpectEntered(0x380);
  EXPECT_EQ(cpu_.va, kOld);
  EXPECT_EQ(cpu_.mm_stat, 3 << 4 | 2);
}

TEST_F(ExceptionsTest, Unaligned) {
  DataFault fault = kFault;
  fault.write = false;
  EnterUnaligned(cpu_, fault);
  ExpectEntered(0x280);
  ExpectCounted(0, 0, 1, 0);
  EXPECT_EQ(cpu_.va, 0xabcd'ef01u);
  EXPECT_EQ(cpu_.mm_stat, 0x2d << 4);
  EXPECT_EQ(cpu_.exc_sum, 17u << 8);
}

TEST_F(ExceptionsTest, Fetches) {
  EnterItbMiss(cpu_);
  ExpectEntered(0x580);
  ExpectCounted(1, 0, 0, 0);
  EXPECT_EQ(cpu_.iva, kPc);
  EXPECT_EQ(cpu_.va, kOld);
  EXPECT_EQ(cpu_.exc_sum, kOld);
}

TEST_F(ExceptionsTest, FetchViolationSaysThatExcAddrHoldsTheAddress) {
  EnterIacv(cpu_);
  ExpectEntered(0x480);
  ExpectCounted(0, 0, 1, 0);
  EXPECT_EQ(cpu_.exc_sum & exc_sum::kBadIva, 0u);
}

TEST_F(ExceptionsTest, OthersGoToTheirEntries) {
  const struct {
    void (*enter)(Cpu&);
    uint64_t offset;
  } cases[] = {{EnterOpcdec, 0x400}, {EnterFpDisabled, 0x200}, {EnterMachineCheck, 0x500}};
  for (const auto& c : cases) {
    cpu_.pc = kPc;
    cpu_.cycle = 100;
    c.enter(cpu_);
    ExpectEntered(c.offset);
  }
  ExpectCounted(0, 0, 3, 0);
}

TEST_F(ExceptionsTest, ArithmeticSummary) {
  EnterArithmetic(cpu_, exc_sum::kIntegerOverflow | exc_sum::kInteger, 9);
  ExpectEntered(0x600);
  EXPECT_EQ(cpu_.exc_sum, 0x40u | 0x80u | 9u << 8);
}

TEST_F(ExceptionsTest, InterruptsAreCountedApart) {
  EnterInterrupt(cpu_);
  ExpectEntered(0x680);
  ExpectCounted(0, 0, 0, 1);
}

TEST_F(ExceptionsTest, EntryFromPalmodeKeepsTheBit) {
  cpu_.pc = kPc | 1;
  EnterOpcdec(cpu_);
  EXPECT_EQ(cpu_.exc_addr, kPc | 1);
}

// HRM section 6.8.1: entries are 64 bytes apart, from 0x2000 and 0x3000.
TEST_F(ExceptionsTest, CallPalEntries) {
  for (uint32_t function = 0; function < 0x200; ++function) {
    for (int mode = 0; mode < 4; ++mode) {
      cpu_.pc = kPc;
      cpu_.r[23] = 0;
      cpu_.mode = static_cast<Mode>(mode);
      cpu_.exc_addr = kOld;
      const bool privileged = function <= 0x3f;
      const bool unprivileged = function >= 0x80 && function <= 0xbf;
      const bool allowed = unprivileged || (privileged && mode == 0);
      ASSERT_EQ(EnterCallPal(cpu_, function), allowed) << function;
      if (allowed) {
        const uint64_t offset =
            privileged ? 0x2000 + 64 * function : 0x3000 + 64 * (function - 0x80);
        ASSERT_EQ(cpu_.pc, kPalBase + offset + 1) << function;
        ASSERT_EQ(cpu_.r[23], kPc + 4);
        ASSERT_EQ(cpu_.exc_addr, kOld);
      } else {
        ASSERT_EQ(cpu_.pc, kPalBase + 0x401) << function;
        ASSERT_EQ(cpu_.exc_addr, kPc);
        ASSERT_EQ(cpu_.r[23], 0u);
      }
    }
  }
}

TEST_F(ExceptionsTest, CallPalUsesTheShadowOfR23) {
  cpu_.i_ctl = i_ctl::kShadowEnable;
  cpu_.r[23] = 77;
  ASSERT_TRUE(EnterCallPal(cpu_, 0x83));
  EXPECT_EQ(cpu_.r[23], 77u);
  EXPECT_EQ(cpu_.r[Cpu::IntegerPlace(23, true)], kPc + 4);
  EXPECT_EQ(cpu_.counters.pal_calls, 1u);
}

}  // namespace
}  // namespace isochron::alpha
