// Code in mapped pages: what leads from one to another, while translations come and go.

#include <cstdint>
#include <vector>

#include "alpha/call_pal.h"
#include "alpha/encode.h"
#include "alpha/stop_pcs.h"
#include "gtest/gtest.h"
#include "jit/testing.h"

namespace isochron::jit {
namespace {

using alpha::kPageSize;
using alpha::Op;
using testing::Computer;
using testing::Counts;
using testing::Eager;
using testing::Jit;
using testing::kCode;
using testing::kKseg;
using testing::Ref;
namespace words = alpha::words;

constexpr uint64_t kVa = 0x4000'0000;
constexpr int kToNextPage = static_cast<int>(kPageSize / 4);  // instructions

void Map(Computer& computer, uint64_t va, uint64_t pa, uint8_t asn, bool everywhere = false) {
  alpha::TlbEntry entry;
  entry.tag = va;
  entry.base = pa;
  entry.permissions = words::kAllRead;
  entry.asn = asn;
  entry.match_all = everywhere;
  computer.cpu.itb.Insert(entry);
}

// Runs what `put` has put there on both engines, compares them, and gives the CPU as it is then.
alpha::Cpu RunSame(void (*put)(Computer&), uint64_t cycles) {
  Computer ref(Ref);
  Computer jit(Jit(Eager()));
  put(ref);
  put(jit);
  testing::ExpectSame(ref, jit, cycles);
  return jit.cpu;
}

constexpr uint32_t kOtherSpace = 1;  // CALL_PAL

// A page that all address spaces have leads to one that each of two has for itself: R5 and R6
// count. Behind it CALL_PAL changes to the other space and back to the first page.
void PutTwoSpaces(Computer& computer) {
  constexpr auto kPctxAsn = static_cast<alpha::Ipr>(static_cast<int>(alpha::Ipr::kPctx) | 1);
  computer.cpu.i_ctl |= alpha::i_ctl::kShadowEnable;
  computer.Put(0x8000 + (alpha::CallPalEntry(kOtherSpace) & ~1u),
               {words::OperateLiteral(Op::kXor, 4, 3, 4), words::OperateLiteral(Op::kSll, 4, 39, 5),
                words::Mtpr(5, kPctxAsn), words::HwRet(9)});
  computer.Put(kCode, {words::OperateLiteral(Op::kAddq, 3, 1, 3),
                       words::BranchOp(Op::kBr, 31, kToNextPage - 2)});
  for (uint32_t space = 1; space <= 2; ++space) {
    computer.Put(kCode + space * kPageSize,
                 {words::OperateLiteral(Op::kAddq, 4 + space, 1, 4 + space), kOtherSpace});
    Map(computer, kVa + kPageSize, kCode + space * kPageSize, static_cast<uint8_t>(space));
  }
  Map(computer, kVa, kCode, 0, true);
  computer.cpu.asn = 1;
  computer.cpu.r[alpha::Cpu::IntegerPlace(4, true)] = 1;
  computer.cpu.r[9] = kVa;
  computer.cpu.pc = kVa;
}

TEST(Links, LeadToThePageOfTheAddressSpace) {
  const alpha::Cpu cpu = RunSame(PutTwoSpaces, 50'000);
  EXPECT_GT(cpu.r[5], 500u);
  EXPECT_NEAR(static_cast<double>(cpu.r[5]), static_cast<double>(cpu.r[6]), 1);
}

// A page at more places than it has names at a time.
void PutAliases(Computer& computer) {
  constexpr uint32_t kPlaces = 12;
  computer.Put(kCode + kPageSize,
               {words::OperateLiteral(Op::kAddq, 3, 1, 3), words::JumpOp(Op::kRet, 31, 26)});
  std::vector<uint32_t> calls;
  for (uint32_t i = 0; i < kPlaces; ++i) {
    Map(computer, kVa + i * kPageSize, kCode + kPageSize, 0);
    calls.push_back(words::MemoryOp(Op::kLda, 8, static_cast<int>(kPageSize), 8));
    calls.push_back(words::JumpOp(Op::kJsr, 26, 8));
  }
  calls.push_back(words::Move(9, 8));
  calls.push_back(words::BranchOp(Op::kBr, 31, -static_cast<int>(calls.size()) - 1));
  computer.Put(kCode, calls);
  computer.cpu.r[8] = computer.cpu.r[9] = kVa - kPageSize;
  computer.cpu.pc = kKseg + kCode;
}

TEST(Links, LeadToAPageAtManyPlaces) {
  const alpha::Cpu cpu = RunSame(PutAliases, 30'000);
  EXPECT_GT(cpu.r[3], 1000u);
}

constexpr uint64_t kRare = kVa + kPageSize + 4 * 4;

// Two pages that lead to each other; of every 256 rounds one goes by kRare.
void PutCircle(Computer& computer) {
  computer.Put(kCode, {words::OperateLiteral(Op::kAddq, 3, 1, 3),
                       words::BranchOp(Op::kBr, 31, kToNextPage - 2)});
  computer.Put(
      kCode + kPageSize,
      {words::OperateLiteral(Op::kAddq, 5, 1, 5), words::OperateLiteral(Op::kAnd, 5, 0xff, 6),
       words::BranchOp(Op::kBeq, 6, 1), words::BranchOp(Op::kBr, 31, -kToNextPage - 4),
       words::OperateLiteral(Op::kAddq, 7, 1, 7), words::BranchOp(Op::kBr, 31, -kToNextPage - 6)});
  Map(computer, kVa, kCode, 0);
  Map(computer, kVa + kPageSize, kCode + kPageSize, 0);
  computer.cpu.pc = kVa;
}

TEST(Links, AreNotFollowedPastAStop) {
  Computer jit(Jit(Eager()));
  PutCircle(jit);
  jit.RunTo(20'000);
  // Once linked, they are followed.
  EXPECT_LT(Counts(*jit.engine).entries, 100u);
  const uint64_t rare = jit.cpu.r[7];
  for (uint64_t i = 0; i < 3; ++i) {
    const alpha::StopPcs pcs({kRare}, jit.cpu.cycle);
    alpha::Deadline deadline{100'000};
    deadline.pcs = &pcs;
    jit.engine->Run(jit.cpu, deadline);
    EXPECT_EQ(jit.cpu.pc, kRare);
    EXPECT_EQ(jit.cpu.r[7], rare + i);
  }
  jit.RunTo(100'000);
  EXPECT_GT(jit.cpu.r[7], rare + 10);
}

}  // namespace
}  // namespace isochron::jit
