// What PALcode does to translations is seen by the next reference and the next fetch.

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "ref/testing.h"

namespace isochron::ref {
namespace {

using namespace testing;  // NOLINT: the assembler
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::kPageSize;
using alpha::PalEntry;

constexpr uint64_t kVa = 0x4000'0000;
constexpr uint32_t kStopPal = HwStore(HwStoreType::kPhysical, 31, -8, 31);

// A PTE as DTB_PTE takes it.
constexpr uint64_t DtbPte(uint64_t pa, uint64_t bits) { return (pa >> 13) << 32 | bits; }

// PALcode that reads kVa (R10) into R1, does something with R2 to R5, and reads it into R9.
class DataTranslationTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kFirst = TestMachine::kData;
  static constexpr uint64_t kSecond = TestMachine::kData + 4 * kPageSize;

  explicit DataTranslationTest(uint32_t tlb_entries = 4) : machine_(tlb_entries) {
    machine_.memory.Store<uint64_t>(kFirst, 111);
    machine_.memory.Store<uint64_t>(kSecond, 222);
    machine_.MapData(kVa, kFirst, kAllRead | kAllWrite);
    machine_.cpu.r[10] = kVa;
  }

  void Run(std::vector<uint32_t> between, uint32_t last = MemoryOp(Op::kLdq, 9, 0, 10)) {
    // Twice before, so that the lookaside knows the page for reads and writes.
    std::vector<uint32_t> words = {MemoryOp(Op::kLdq, 1, 0, 10), MemoryOp(Op::kStq, 1, 0, 10),
                                   MemoryOp(Op::kLdq, 1, 0, 10), MemoryOp(Op::kStq, 1, 0, 10)};
    words.insert(words.end(), between.begin(), between.end());
    words.push_back(last);
    words.push_back(kStopPal);
    machine_.Program(words);
    machine_.cpu.pc = TestMachine::kCode | 1;
    machine_.RunToPal();
    EXPECT_TRUE(machine_.stopped());
    EXPECT_EQ(machine_.cpu.r[1], 111u);
  }
  void ExpectMiss() { EXPECT_TRUE(machine_.AtEntry(PalEntry::kDtbmSingle)); }
  void ExpectViolation(uint64_t mm_stat) {
    EXPECT_TRUE(machine_.AtEntry(PalEntry::kDfault));
    EXPECT_EQ(machine_.cpu.mm_stat & 15, mm_stat);
  }

  TestMachine machine_;
};

TEST_F(DataTranslationTest, NothingChanges) {
  Run({});
  EXPECT_EQ(machine_.cpu.r[9], 111u);
}

TEST_F(DataTranslationTest, AnInsertThatReplacesTheEntry) {
  machine_.cpu.r[3] = DtbPte(kSecond, kAllRead);
  Run({Mtpr(10, Ipr::kDtbTag0), Mtpr(3, Ipr::kDtbPte0)});
  EXPECT_EQ(machine_.cpu.r[9], 222u);
}

TEST_F(DataTranslationTest, AnInsertThatTakesRightsAway) {
  machine_.cpu.r[3] = DtbPte(kFirst, kAllRead);
  Run({Mtpr(10, Ipr::kDtbTag0), Mtpr(3, Ipr::kDtbPte0)}, MemoryOp(Op::kStq, 9, 0, 10));
  ExpectViolation(alpha::mm_stat::kAcv | alpha::mm_stat::kWrite);
}

// An entry for all address spaces that lands before the page's own is found first.
TEST_F(DataTranslationTest, AnInsertInAnotherAddressSpaceThatComesFirst) {
  machine_.cpu.dtb.InvalidateAll();
  for (uint64_t page = 1; page <= 2; ++page) machine_.MapData(kVa + page * kPageSize, 0, kAllRead);
  // The fixture has used slot 0: this fills the last one.
  machine_.MapData(kVa, kFirst, kAllRead | kAllWrite);
  machine_.cpu.r[2] = uint64_t{5} << 56;
  machine_.cpu.r[3] = DtbPte(kSecond, kAllRead | alpha::pte::kAsm);
  Run({Mtpr(2, Ipr::kDtbAsn0), Mtpr(10, Ipr::kDtbTag0), Mtpr(3, Ipr::kDtbPte0),
       Mtpr(31, Ipr::kDtbAsn0)});
  EXPECT_EQ(machine_.cpu.dtb.Find(kVa, 0)->base, kSecond);
  EXPECT_EQ(machine_.cpu.r[9], 222u);
}

TEST_F(DataTranslationTest, InsertsThatEvictTheEntry) {
  std::vector<uint32_t> words;
  for (uint32_t i = 0; i < 4; ++i) {
    words.push_back(Mtpr(11 + i, Ipr::kDtbTag0));
    words.push_back(Mtpr(3, Ipr::kDtbPte0));
    machine_.cpu.r[11 + i] = kVa + (5 + i) * kPageSize;
  }
  Run(words);
  ExpectMiss();
}

TEST_F(DataTranslationTest, AnInsertedLargePageThatEvicts) {
  machine_.cpu.r[3] = DtbPte(kSecond, kAllRead | 1 << 5);
  std::vector<uint32_t> words;
  for (uint32_t i = 0; i < 4; ++i) {
    words.push_back(Mtpr(11 + i, Ipr::kDtbTag0));
    words.push_back(Mtpr(3, Ipr::kDtbPte0));
    machine_.cpu.r[11 + i] = 0x5000'0000 + i * 8 * kPageSize;
  }
  Run(words);
  ExpectMiss();
}

TEST_F(DataTranslationTest, InvalidateSingle) {
  machine_.cpu.r[2] = kVa + 123;
  Run({Mtpr(2, Ipr::kDtbIs0)});
  ExpectMiss();
}

TEST_F(DataTranslationTest, InvalidateSingleOfAnotherPage) {
  machine_.cpu.r[2] = kVa + kPageSize;
  Run({Mtpr(2, Ipr::kDtbIs0)});
  EXPECT_EQ(machine_.cpu.r[9], 111u);
}

TEST_F(DataTranslationTest, InvalidateSingleInsideALargePage) {
  machine_.cpu.dtb.InvalidateAll();
  alpha::TlbEntry entry;
  entry.tag = kVa;
  entry.base = kFirst & ~(8 * kPageSize - 1);
  entry.permissions = kAllRead | kAllWrite;
  entry.granularity = 1;
  machine_.cpu.dtb.Insert(entry);
  machine_.engine.Invalidate();
  ASSERT_EQ(kFirst % (8 * kPageSize), 0u);
  machine_.cpu.r[2] = kVa + 5 * kPageSize;
  Run({Mtpr(2, Ipr::kDtbIs0)});
  ExpectMiss();
}

TEST_F(DataTranslationTest, InvalidateProcessAndAll) {
  Run({Mtpr(31, Ipr::kDtbIap)});
  ExpectMiss();
  machine_.MapData(kVa, kFirst, kAllRead | kAllWrite);
  Run({Mtpr(31, Ipr::kDtbIa)});
  ExpectMiss();
}

TEST_F(DataTranslationTest, AddressSpace) {
  machine_.MapData(kVa, kSecond, kAllRead, 5);
  machine_.cpu.r[2] = uint64_t{5} << 56;
  machine_.cpu.r[3] = uint64_t{6} << 56;
  Run({Mtpr(2, Ipr::kDtbAsn0)});
  EXPECT_EQ(machine_.cpu.r[9], 222u);
  machine_.cpu.dtb_asn = 0;
  Run({Mtpr(2, Ipr::kDtbAsn0), Mtpr(31, Ipr::kDtbAsn0)});
  EXPECT_EQ(machine_.cpu.r[9], 111u);
  machine_.cpu.dtb_asn = 0;
  Run({Mtpr(3, Ipr::kDtbAsn0)});
  ExpectMiss();
}

TEST_F(DataTranslationTest, Mode) {
  machine_.MapData(kVa, kFirst, kKernelRead | kKernelWrite);
  machine_.cpu.r[2] = 3 << 3;
  Run({Mtpr(2, Ipr::kCm)});
  ExpectViolation(alpha::mm_stat::kAcv);
  machine_.cpu.mode = alpha::Mode::kKernel;
  Run({Mtpr(2, Ipr::kIerCm)});
  ExpectViolation(alpha::mm_stat::kAcv);
}

TEST_F(DataTranslationTest, SuperpageEnable) {
  machine_.cpu.r[10] = TestMachine::kKseg + kFirst;
  Run({Mtpr(31, Ipr::kMCtl)});
  ExpectMiss();
}

TEST_F(DataTranslationTest, AddressFormat) {
  const uint64_t va = 0x1000'0000'0000;  // canonical with 48 bits only
  machine_.cpu.va_ctl = alpha::va_ctl::kVa48;
  machine_.MapData(va, kFirst, kAllRead | kAllWrite);
  machine_.cpu.r[10] = va;
  Run({Mtpr(31, Ipr::kVaCtl)});
  ExpectViolation(alpha::mm_stat::kAcv);
}

// Reads may be forbidden where writes are allowed.
TEST_F(DataTranslationTest, WritesDoNotTeachReads) {
  machine_.MapData(kVa + kPageSize, kSecond, kAllWrite);
  machine_.cpu.r[2] = kVa + kPageSize;
  Run({MemoryOp(Op::kStq, 1, 8, 2), MemoryOp(Op::kStq, 1, 8, 2)}, MemoryOp(Op::kLdq, 9, 8, 2));
  ExpectViolation(alpha::mm_stat::kAcv);
}

// Pages that share a place in the lookaside.
TEST_F(DataTranslationTest, PagesFarApart) {
  machine_.MapData(kVa + 1024 * kPageSize, kSecond, kAllRead | kAllWrite);
  machine_.cpu.r[2] = kVa + 1024 * kPageSize;
  Run({MemoryOp(Op::kLdq, 3, 0, 2), MemoryOp(Op::kStq, 3, 8, 2), MemoryOp(Op::kLdq, 4, 0, 10),
       MemoryOp(Op::kStq, 4, 8, 10), MemoryOp(Op::kLdq, 5, 0, 2)});
  EXPECT_EQ(machine_.cpu.r[3], 222u);
  EXPECT_EQ(machine_.cpu.r[4], 111u);
  EXPECT_EQ(machine_.cpu.r[5], 222u);
  EXPECT_EQ(machine_.cpu.r[9], 111u);
  EXPECT_EQ(machine_.memory.Load<uint64_t>(kSecond + 8), 222u);
  EXPECT_EQ(machine_.memory.Load<uint64_t>(kFirst + 8), 111u);
}

// A program at kVa of the one or the other page that tells which it is, and PALcode between
// two runs of it.
class FetchTranslationTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kFirst = TestMachine::kCode;
  static constexpr uint64_t kSecond = TestMachine::kCode + kPageSize;

  FetchTranslationTest() {
    for (uint64_t i = 0; i < 2; ++i) {
      machine_.Put(kFirst + i * kPageSize,
                   {OperateLiteral(Op::kBis, 31, 1 + static_cast<uint32_t>(i), 1), CallPal(0x83)});
    }
    machine_.MapCode(kVa, kFirst, kAllRead);
    machine_.cpu.r[10] = kVa;
  }

  // Each routine has a page of its own: writing it disturbs nothing that is decoded.
  void RunPal(std::vector<uint32_t> words) {
    words.push_back(HwRet(10));
    machine_.Put(next_, words);
    machine_.cpu.pc = next_ | 1;
    next_ += kPageSize;
    machine_.cpu.r[1] = 0;
    machine_.RunToPal();
    EXPECT_TRUE(machine_.stopped());
  }
  void ExpectRan(uint64_t which) {
    EXPECT_TRUE(machine_.AtEntry(static_cast<PalEntry>(0x3000 + 3 * 64)));
    EXPECT_EQ(machine_.cpu.r[1], which);
  }
  void ExpectEntry(PalEntry entry) {
    EXPECT_TRUE(machine_.AtEntry(entry)) << std::hex << machine_.cpu.pc;
    EXPECT_EQ(machine_.cpu.exc_addr, machine_.cpu.r[10]);
    EXPECT_EQ(machine_.cpu.r[1], 0u);
  }

  TestMachine machine_;
  uint64_t next_ = TestMachine::kData;
};

TEST_F(FetchTranslationTest, Insert) {
  RunPal({});
  ExpectRan(1);
  machine_.cpu.r[3] = kSecond | kAllRead;
  RunPal({Mtpr(10, Ipr::kItbTag), Mtpr(3, Ipr::kItbPte)});
  ExpectRan(2);
}

TEST_F(FetchTranslationTest, Invalidates) {
  for (const Ipr ipr : {Ipr::kItbIs, Ipr::kItbIap, Ipr::kItbIa}) {
    machine_.MapCode(kVa, kFirst, kAllRead);
    RunPal({});
    ExpectRan(1);
    RunPal({Mtpr(10, ipr)});
    ExpectEntry(PalEntry::kItbMiss);
  }
}

TEST_F(FetchTranslationTest, LargePagesComeAndGoWhole) {
  constexpr uint64_t kLarge = 0x5000'0000;
  constexpr uint64_t kEightPages = uint64_t{1} << alpha::pte::kGhShift;
  // A small one before it, which the large one takes the place of.
  machine_.MapCode(kLarge + kPageSize, kFirst, kAllRead);
  machine_.cpu.r[10] = kLarge + kPageSize;
  RunPal({});
  ExpectRan(1);
  machine_.cpu.r[2] = kLarge;
  machine_.cpu.r[3] = kFirst | kAllRead | kEightPages;
  RunPal({Mtpr(10, Ipr::kItbIs), Mtpr(2, Ipr::kItbTag), Mtpr(3, Ipr::kItbPte)});
  ExpectRan(2);
  RunPal({Mtpr(2, Ipr::kItbIs)});
  ExpectEntry(PalEntry::kItbMiss);
}

TEST_F(FetchTranslationTest, AddressSpace) {
  machine_.MapCode(kVa, kSecond, kAllRead, 7);
  RunPal({});
  ExpectRan(1);
  machine_.cpu.r[2] = uint64_t{7} << alpha::pctx::kAsnShift;
  machine_.cpu.r[3] = uint64_t{8} << alpha::pctx::kAsnShift;
  const uint32_t write_asn = alpha::WithRb(alpha::Skeleton(Op::kHwMtpr), 2) | 0x41 << 8;
  RunPal({write_asn});
  ExpectRan(2);
  machine_.cpu.r[2] = 0;
  RunPal({write_asn});
  ExpectRan(1);
  machine_.cpu.r[2] = machine_.cpu.r[3];
  RunPal({write_asn});
  ExpectEntry(PalEntry::kItbMiss);
}

TEST_F(FetchTranslationTest, Mode) {
  machine_.MapCode(kVa, kFirst, kKernelRead);
  RunPal({});
  ExpectRan(1);
  machine_.cpu.r[2] = 3 << 3;
  RunPal({Mtpr(2, Ipr::kCm)});
  ExpectEntry(PalEntry::kIacv);
}

TEST_F(FetchTranslationTest, SuperpageEnable) {
  machine_.cpu.r[10] = TestMachine::kKseg + kSecond;
  RunPal({});
  ExpectRan(2);
  RunPal({Mtpr(31, Ipr::kICtl)});
  ExpectEntry(PalEntry::kItbMiss);
}

// With I_CTL<HWE> kernel code may pull its own page away: the next instruction misses.
TEST_F(FetchTranslationTest, ChangedByTheRunningPage) {
  machine_.cpu.i_ctl |= alpha::i_ctl::kHwe;
  machine_.Put(kFirst, {Nop(), Mtpr(31, Ipr::kItbIa), Nop(), CallPal(0x83)});
  machine_.cpu.pc = kVa;
  machine_.RunToPal();
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kItbMiss));
  EXPECT_EQ(machine_.cpu.exc_addr, kVa + 8);
  EXPECT_EQ(machine_.cpu.instructions, 2u);
}

TEST_F(FetchTranslationTest, ABranchIntoAnotherPageIsTranslated) {
  machine_.Put(kFirst, {BranchOp(Op::kBr, 31, static_cast<int>(kPageSize / 4) - 1)});
  machine_.cpu.pc = kVa;
  machine_.RunToPal();
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kItbMiss));
  machine_.MapCode(kVa + kPageSize, kSecond, kAllRead);
  machine_.cpu.pc = kVa;
  machine_.RunToPal();
  ExpectRan(2);
  machine_.cpu.r[10] = kVa;
  machine_.cpu.r[2] = kVa + kPageSize;
  machine_.cpu.r[1] = 0;
  RunPal({Mtpr(2, Ipr::kItbIs)});
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kItbMiss));
  EXPECT_EQ(machine_.cpu.exc_addr, kVa + kPageSize);
}

// A jump that has been made before, and leads elsewhere now.
class JumpTranslationTest : public FetchTranslationTest {
 protected:
  static constexpr uint64_t kTarget = kVa + 8 * kPageSize;

  // Programs that tell which they are, in both pages behind the one that jumps.
  JumpTranslationTest() {
    machine_.Put(kFirst, {JumpOp(Op::kJmp, 26, 2)});
    machine_.Put(kSecond + kPageSize, {OperateLiteral(Op::kBis, 31, 3, 1), CallPal(0x83)});
    machine_.MapCode(kVa, kFirst, kAllRead);
    machine_.MapCode(kTarget, kSecond, kAllRead);
    machine_.cpu.r[2] = kTarget;
    for (int i = 0; i < 2; ++i) {
      RunPal({});
      ExpectRan(2);
      EXPECT_EQ(machine_.cpu.r[26], kVa + 4);
    }
  }
};

TEST_F(JumpTranslationTest, AnInsert) {
  machine_.cpu.r[3] = (kSecond + kPageSize) | kAllRead;
  RunPal({Mtpr(2, Ipr::kItbTag), Mtpr(3, Ipr::kItbPte)});
  ExpectRan(3);
}

TEST_F(JumpTranslationTest, AnInvalidate) {
  RunPal({Mtpr(2, Ipr::kItbIs)});
  EXPECT_TRUE(machine_.AtEntry(PalEntry::kItbMiss));
  EXPECT_EQ(machine_.cpu.exc_addr, kTarget);
}

TEST_F(JumpTranslationTest, AnotherAddressSpace) {
  machine_.MapCode(kTarget, kSecond + kPageSize, kAllRead, 7);
  machine_.MapCode(kVa, kFirst, kAllRead, 7);
  const uint32_t write_asn = alpha::WithRb(alpha::Skeleton(Op::kHwMtpr), 3) | 0x41 << 8;
  for (int i = 0; i < 3; ++i) {
    machine_.cpu.r[3] = 0;
    RunPal({write_asn});
    ExpectRan(2);
    machine_.cpu.r[3] = uint64_t{7} << alpha::pctx::kAsnShift;
    RunPal({write_asn});
    ExpectRan(3);
  }
}

TEST_F(JumpTranslationTest, CodeThatHasBeenWritten) {
  machine_.Put(kSecond, {OperateLiteral(Op::kBis, 31, 4, 1)});
  RunPal({});
  ExpectRan(4);
}

}  // namespace
}  // namespace isochron::ref
