#include "conformance/sequences/board_situations.h"

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "alpha/decode.h"
#include "alpha/encode.h"
#include "alpha/fpcr.h"
#include "alpha/ipr.h"
#include "alpha/memory.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/words.h"

namespace isochron::conformance {
namespace {

using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::Op;
using Layout = SequenceLayout;
using namespace alpha::words;  // NOLINT: an assembler

// The last two alias pages, whose translations are changed.
constexpr uint64_t kAliasPage = 2 * Layout::kPages - 1;
constexpr uint64_t kSpacePage = 2 * Layout::kPages - 2;
constexpr uint64_t NameOf(uint64_t page) { return Layout::kMapped + page * alpha::kPageSize; }

// Both tables of translations: `page` leads to `pa`.
void Translate(uint64_t page, uint64_t pa, Sequence& program) {
  for (Segment& segment : program.segments) {
    if (segment.pa != Layout::kDtbTable && segment.pa != Layout::kItbTable) continue;
    const bool data = segment.pa == Layout::kDtbTable;
    const uint64_t pte =
        data ? pa >> alpha::kPageShift << 32 | kAllRead | kAllWrite : pa | kAllRead;
    segment.words[2 * page] = static_cast<uint32_t>(pte);
    segment.words[2 * page + 1] = static_cast<uint32_t>(pte >> 32);
  }
}

class Situations {
 public:
  Situations(Random& random, uint64_t base, Sequence& program)
      : random_(random), base_(base), program_(program) {}

  // All code, whose last instruction goes to program.pc.
  Words Generate();

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  // The same for a field of an instruction.
  uint32_t FieldBelow(uint32_t bound) { return static_cast<uint32_t>(Below(bound)); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  void Emit(std::initializer_list<uint32_t> words) { Append(words_, words); }
  static uint32_t Pal(SequencePal pal) { return CallPal(0x80 + static_cast<uint32_t>(pal)); }
  void EmitPal(SequencePal pal) { Emit({Pal(pal)}); }
  void EmitConstant(uint32_t target, uint64_t value) { AppendConstant(target, value, words_); }
  // R16 := n, and in the address space of that number.
  void EmitAddressSpace(uint32_t n) {
    Emit({MemoryOp(Op::kLda, 16, static_cast<int>(n), 31)});
    EmitPal(SequencePal::kSetAsn);
  }
  // Begins and closes a loop over R8.
  void Begin(uint64_t turns);
  void Close();

  void TwoNames();
  void TwoSpaces();
  void DataContexts();
  void FreeExceptions();
  void InvalidatedEntries();
  void LateBranches();
  void ReplacedInstructions();
  void PalLoads();
  void Counters();
  void SpecialNumbers();
  void TableAddresses();

  Random& random_;
  uint64_t base_;
  Sequence& program_;
  Words words_;
  size_t top_ = 0;
};

void Situations::Begin(uint64_t turns) {
  Emit({MemoryOp(Op::kLda, 8, static_cast<int>(turns), 31)});
  top_ = words_.size();
}

void Situations::Close() {
  Emit({OperateLiteral(Op::kSubq, 8, 1, 8)});
  Emit({BranchOp(Op::kBne, 8, static_cast<int>(top_) - static_cast<int>(words_.size()) - 1)});
}

// A subroutine that says where it is, called by one name and the other.
void Situations::TwoNames() {
  const uint64_t offset = 0x800 + 4 * Below(0x100);
  program_.segments.push_back(
      {kSituationSubroutines + offset,
       {BranchOp(Op::kBr, 3, 0), Operate(Op::kS4addq, 2, 3, 2), JumpOp(Op::kRet, 31, 26)}});
  EmitConstant(16, base_ + kSituationSubroutines + offset);
  EmitConstant(17, NameOf(kAliasPage) + offset);
  Begin(2 + Below(12));
  Emit({JumpOp(Op::kJsr, 26, 16), JumpOp(Op::kJsr, 26, 17)});
  Close();
}

// A name that leads to one subroutine or the other.
void Situations::TwoSpaces() {
  const uint64_t offset = 4 * Below(0x100);
  const auto a = FieldBelow(4);
  const uint32_t b = (a + 1 + FieldBelow(3)) % 4;
  EmitConstant(17, NameOf(kSpacePage) + offset);
  for (const uint32_t which : {0u, 1u}) {
    const uint64_t pa = kSituationSubroutines + which * alpha::kPageSize;
    program_.segments.push_back(
        {pa + offset, {OperateLiteral(Op::kS8addq, 3, 1 + which, 3), JumpOp(Op::kRet, 31, 26)}});
    EmitConstant(18, pa | kAllRead);
    EmitAddressSpace(which == 0 ? a : b);
    EmitPal(SequencePal::kEnterPalMode);
    Emit({Mtpr(17, Ipr::kItbTag), Mtpr(18, Ipr::kItbPte)});
    EmitPal(SequencePal::kLeavePalMode);
  }
  Begin(2 + Below(12));
  // The same jump in both.
  EmitAddressSpace(a);
  Emit({BranchOp(Op::kBr, 31, 2)});
  EmitAddressSpace(b);
  const size_t jump = words_.size();
  Emit({JumpOp(Op::kJsr, 26, 17), OperateLiteral(Op::kXor, 0, 1, 0)});
  Emit({BranchOp(Op::kBlbs, 0, static_cast<int>(jump) - static_cast<int>(words_.size()) - 3)});
  Close();
}

// One address in two address spaces and, of a program in kernel mode that goes on in user mode, in
// both.
void Situations::DataContexts() {
  const auto page = Layout::kPages + static_cast<uint64_t>(AliasPage::kAll);
  const auto kernel_page = Layout::kPages + static_cast<uint64_t>(AliasPage::kKernelOnly);
  const uint64_t offset = 8 * Below(0x100);
  const auto a = FieldBelow(4);
  const bool modes = program_.mode == 0 && base_ == Layout::kMapped && OneIn(2);
  EmitConstant(17, NameOf(modes ? kernel_page : page) + offset);
  Begin(1 + Below(6));
  const auto use = [&] { Emit({MemoryOp(OneIn(2) ? Op::kLdq : Op::kStq, 2, 0, 17)}); };
  for (const bool second : {false, true}) {
    if (modes) {
      EmitPal(second ? SequencePal::kUserMode : SequencePal::kKernelMode);
    } else {
      EmitAddressSpace(second ? (a + 1) % 4 : a);
    }
    use();
  }
  Close();
  if (modes) EmitPal(SequencePal::kKernelMode);
}

// Blocks that end with a reserved instruction: it retires nothing, and its exception comes behind
// what is due then.
void Situations::FreeExceptions() {
  Begin(100 + Below(400));
  for (uint64_t blocks = 1 + Below(3); blocks != 0; --blocks) {
    for (uint64_t count = Below(3); count != 0; --count) {
      Emit({OperateLiteral(Op::kAddq, 2, FieldBelow(256), 2)});
    }
    Emit({uint32_t{0x04000000} | FieldBelow(0x400'0000)});
  }
  Close();
}

void Situations::InvalidatedEntries() {
  EmitConstant(16, Layout::kMapped + Layout::kData + 8 * Below(Layout::kDataSize / 8));
  Begin(2 + Below(20));
  Emit({MemoryOp(Op::kLdq, 1, 0, 16)});
  EmitPal(SequencePal::kInvalidateSingle);
  Emit({MemoryOp(OneIn(2) ? Op::kLdq : Op::kStq, 2, 0, 16)});
  Close();
}

void Situations::LateBranches() {
  constexpr Op kCompares[] = {Op::kCmpeq,  Op::kCmplt,  Op::kCmple, Op::kCmpult,
                              Op::kCmpule, Op::kCmpbge, Op::kSubq,  Op::kAnd};
  constexpr Op kOthers[] = {Op::kAddq, Op::kSubl, Op::kXor, Op::kS4addq, Op::kSrl, Op::kZapnot};
  constexpr Op kBranches[] = {Op::kBeq,  Op::kBne, Op::kBlt, Op::kBge,
                              Op::kBlbc, Op::kBgt, Op::kBle, Op::kBlbs};
  Begin(2 + Below(30));
  for (uint64_t count = 1 + Below(6); count != 0; --count) {
    const uint32_t limit = 1 + FieldBelow(20);
    Emit({OperateLiteral(kCompares[Below(std::size(kCompares))], 8, limit, 1)});
    for (uint64_t others = Below(3); others != 0; --others) {
      const uint32_t literal = FieldBelow(256);
      const uint32_t source = OneIn(2) ? 8 : 3;
      Emit({OperateLiteral(kOthers[Below(std::size(kOthers))], source, literal, 2)});
    }
    Emit({BranchOp(kBranches[Below(std::size(kBranches))], 1, 1),
          OperateLiteral(Op::kS8addq, 3, 1 + FieldBelow(255), 3)});
  }
  Close();
}

// One of two instructions, in turns. HW_ST of physical memory puts it there, or a virtual store.
void Situations::ReplacedInstructions() {
  // Most of them the translator leaves to the golden functions.
  constexpr Op kOps[] = {Op::kPerr,  Op::kUnpkbw, Op::kMinsb8, Op::kMaxuw4, Op::kPklb,
                         Op::kAmask, Op::kUnpkbl, Op::kMinub8, Op::kMaxsb8, Op::kAddq,
                         Op::kMulq,  Op::kPkwb,   Op::kMinsw4, Op::kCmpbge};
  const auto make = [&] {
    const uint32_t word = alpha::Skeleton(kOps[Below(std::size(kOps))]);
    const auto target = static_cast<uint32_t>(2 + Below(2));
    const alpha::OperandRoles roles = alpha::RolesOf(alpha::Info(alpha::Decode(word).op).shape);
    const uint32_t ra = roles.ra == alpha::RegisterRole::kNone ? 31 : 8;
    return alpha::WithRc(alpha::WithRb(alpha::WithRa(word, ra), 2), target);
  };
  const bool pal = OneIn(2);
  EmitConstant(16, make());
  EmitConstant(17, make());
  if (pal) EmitPal(SequencePal::kEnterPalMode);
  Emit({BranchOp(Op::kBr, 18, 0)});  // R18: here
  const size_t here = words_.size();
  Begin(3 + Below(20));
  Emit({Operate(Op::kBis, 31, 17, 1), Operate(Op::kCmovlbs, 8, 16, 1)});
  const size_t store = words_.size();
  Emit({Nop()});
  if (OneIn(2)) Emit({pal ? Mtpr(31, Ipr::kIcFlush) : Pal(SequencePal::kFlushInstructions)});
  for (uint64_t count = Below(4); count != 0; --count) {
    Emit({OperateLiteral(Op::kAddq, 3, FieldBelow(256), 3)});
  }
  const int ahead = 4 * static_cast<int>(words_.size() - here);
  words_[store] = pal ? HwStore(HwStoreType::kPhysical, 1, ahead, 18) & ~kQuadword
                      : MemoryOp(Op::kStl, 1, ahead, 18);
  Emit({Nop()});
  Close();
  if (pal) EmitPal(SequencePal::kLeavePalMode);
}

// HW_LD of all kinds, at any alignment where that means something.
void Situations::PalLoads() {
  const uint64_t data = Layout::kData + Below(Layout::kDataSize / 2);
  EmitConstant(16, data);
  EmitConstant(17, Layout::kMapped + (data & ~uint64_t{7}));
  Emit({MemoryOp(Op::kLdq, 1, 0, 17)});
  EmitPal(SequencePal::kEnterPalMode);
  Begin(1 + Below(4));
  for (uint64_t count = 2 + Below(8); count != 0; --count) {
    constexpr HwLoadType kTypes[] = {HwLoadType::kPhysical, HwLoadType::kVirtualVpte,
                                     HwLoadType::kVirtual, HwLoadType::kVirtualAlt};
    const HwLoadType type = kTypes[Below(std::size(kTypes))];
    const bool physical = type == HwLoadType::kPhysical;
    const int displacement = static_cast<int>(physical ? Below(0x800) : 8 * Below(16));
    const uint32_t word = HwLoad(type, 1, displacement, physical ? 16 : 17);
    Emit({OneIn(2) ? word & ~kQuadword : word, Operate(Op::kS4addq, 2, 1, 2)});
  }
  Close();
  EmitPal(SequencePal::kLeavePalMode);
}

// Both performance counters run into an overflow, in PALmode, whose end is where the interrupt can
// come.
void Situations::Counters() {
  using namespace alpha::i_ctl;
  constexpr uint64_t kCounterMask = 0xf'ffff;
  constexpr int kCounterShifts[] = {28, 6};
  uint64_t counters = random_() & 0x1f;  // what they count
  for (const int shift : kCounterShifts) counters |= (kCounterMask - Below(100)) << shift;
  EmitConstant(16, counters);
  EmitConstant(17, kPct0Enable | kPct1Enable | kSpce);
  EmitConstant(18, alpha::interrupt::kPerformanceMask);
  EmitPal(SequencePal::kEnterPalMode);
  Emit({Mfpr(1, Ipr::kICtl), Operate(Op::kBis, 1, 17, 1), Mtpr(1, Ipr::kICtl), Mfpr(1, Ipr::kIer),
        Operate(Op::kBis, 1, 18, 1), Mtpr(1, Ipr::kIer), Mtpr(16, Ipr::kPctrCtl)});
  Begin(1 + Below(20));
  Emit({Operate(Op::kS4addq, 2, 8, 2)});
  if (OneIn(2)) Emit({Mfpr(1, Ipr::kPctrCtl), Operate(Op::kXor, 2, 1, 2)});
  Close();
  EmitPal(SequencePal::kLeavePalMode);
}

// F0 to F3 hold infinities, NaNs, denormals, zeros and numbers near 1, and nothing traps.
void Situations::SpecialNumbers() {
  constexpr Op kOps[] = {Op::kAddt, Op::kSubt,   Op::kMult,   Op::kDivt,   Op::kCvttq, Op::kCmpteq,
                         Op::kAdds, Op::kCmptlt, Op::kCmptle, Op::kCmptun, Op::kCvtts, Op::kCvttq};
  using namespace alpha::fpcr;
  constexpr uint64_t kNoTraps = kInvalidDisable | kDivideByZeroDisable | kOverflowDisable |
                                kUnderflowDisable | kInexactDisable;
  constexpr uint64_t kAny =
      kStatusMask | kDenormalToZero | kUnderflowToZero | uint64_t{3} << kDynamicRoundingShift;
  EmitConstant(1, kNoTraps | (random_() & kAny));
  Emit({Operate(Op::kItoft, 1, 31, 13), alpha::WithRa(alpha::Skeleton(Op::kMtFpcr), 13)});
  const int floats = static_cast<int>(HardIntegers().size()) * 8 - kDataOffset;
  const uint64_t near = random_() & 0x800f'ffff'ffff'ffff;
  EmitConstant(1, near | (0x3fc + Below(12)) << 52);
  Begin(1 + Below(8));
  for (uint32_t reg = 0; reg < 4; ++reg) {
    if (OneIn(2)) {
      Emit({Operate(Op::kItoft, 1, 31, reg)});
      continue;
    }
    const auto index = static_cast<int>(Below(HardFloats().size()));
    Emit({MemoryOp(Op::kLdt, reg, floats + 8 * index, SequenceRegisters::kData)});
  }
  for (uint64_t count = 4 + Below(20); count != 0; --count) {
    const auto any = [this] { return FieldBelow(4); };
    const uint32_t word = RandomInstruction(random_, kOps[Below(std::size(kOps))]);
    const uint32_t ra = (word >> 21 & 31) == 31 ? 31 : any();  // CVTxy has none
    const uint32_t rc = any();
    Emit({alpha::WithRc(alpha::WithRb(alpha::WithRa(word, ra), any()), rc)});
  }
  Close();
}

// Addresses of all of the 43 bits: behind a miss, VA holds them.
void Situations::TableAddresses() {
  const uint64_t half = OneIn(3) ? 0 : ~uint64_t{0} << 41;
  const uint64_t above = half | Below(uint64_t{1} << 20) << 20;
  EmitConstant(16, above | (Layout::kData + 8 * Below(Layout::kDataSize / 8)));
  Emit({MemoryOp(Op::kLdq, 1, 0, 16)});
  EmitPal(SequencePal::kEnterPalMode);
  Emit({Mfpr(1, Ipr::kVaForm), Operate(Op::kS4addq, 3, 1, 3), Mfpr(2, Ipr::kVa)});
  EmitPal(SequencePal::kLeavePalMode);
}

Words Situations::Generate() {
  using Member = void (Situations::*)();
  constexpr Member kSituationKinds[] = {
      &Situations::TwoNames,       &Situations::TwoSpaces,
      &Situations::FreeExceptions, &Situations::DataContexts,
      &Situations::Counters,       &Situations::InvalidatedEntries,
      &Situations::LateBranches,   &Situations::ReplacedInstructions,
      &Situations::PalLoads,       &Situations::SpecialNumbers,
      &Situations::TableAddresses};
  for (uint64_t count = 1 + Below(6); count != 0; --count) {
    (this->*kSituationKinds[Below(std::size(kSituationKinds))])();
  }
  const auto here = static_cast<int64_t>(base_ + kSituations + 4 * words_.size());
  EmitConstant(16, program_.pc);
  Emit({JumpOp(Op::kJmp, 31, 16)});
  // Machine checks and fetches that fail go on here, as if it were the next chunk.
  program_.r[SequenceRegisters::kChunk] = static_cast<uint64_t>(here) - kChunkBytes;
  return std::move(words_);
}

}  // namespace

void AppendConstant(uint32_t target, uint64_t value, std::vector<uint32_t>& words) {
  // 11 bits at a time from the top: what LDA takes without a sign.
  constexpr int kBits = 11;
  const auto fits = [value](int shift) {
    const int64_t top = static_cast<int64_t>(value) >> shift;
    return top == static_cast<int16_t>(top);
  };
  int shift = 5 * kBits;
  while (shift != 0 && fits(shift - kBits)) shift -= kBits;
  words.push_back(
      MemoryOp(Op::kLda, target, static_cast<int>(static_cast<int64_t>(value) >> shift), 31));
  while (shift != 0) {
    shift -= kBits;
    words.push_back(OperateLiteral(Op::kSll, target, kBits, target));
    words.push_back(MemoryOp(Op::kLda, target, static_cast<int>(value >> shift & 0x7ff), target));
  }
}

void AppendSituations(Random& random, uint64_t base, Sequence& program) {
  Translate(kAliasPage, kSituationSubroutines, program);
  Translate(kSpacePage, kSituationSubroutines, program);
  // What R31 and a displacement reach is no longer all the same.
  program.fills.push_back({0, 0x800, random()});
  Words words = Situations(random, base, program).Generate();
  program.segments.push_back({kSituations, std::move(words)});
}

}  // namespace isochron::conformance
