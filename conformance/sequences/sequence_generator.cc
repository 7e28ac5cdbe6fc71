#include "conformance/sequences/sequence_generator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "alpha/encode.h"
#include "alpha/fpcr.h"
#include "alpha/ipr.h"
#include "conformance/sequences/sequence_coverage.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/sequence_palcode.h"
#include "conformance/sequences/words.h"

namespace isochron::conformance {
namespace {

using alpha::Op;
using Layout = SequenceLayout;
using Registers = SequenceRegisters;
using namespace alpha::words;  // NOLINT: an assembler

constexpr size_t kChunkWords = kChunkBytes / 4;
// Room for the jump to the next chunk.
constexpr size_t kBodyWords = kChunkWords - 1;
constexpr uint32_t kUserPal = 0x80;

// Builds one program. The words of a chunk are appended to `words_` and then padded.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed * 0x9e37'79b9'7f4a'7c15 + 1), seed_(seed) {}

  Sequence Generate() { return Generate(OneIn(2), Layout::kCode); }
  // `mapped`: the code is executed through the ITB; `code`: from where on it may be.
  Sequence Generate(bool mapped, uint64_t code);

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  // The same for a field of an instruction.
  uint32_t FieldBelow(uint32_t bound) { return static_cast<uint32_t>(Below(bound)); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  size_t room() const { return words_.size() < kBodyWords ? kBodyWords - words_.size() : 0; }

  void Emit(uint32_t word) { words_.push_back(word); }
  void Emit(std::initializer_list<uint32_t> words) { Append(words_, words); }
  void EmitStraight(size_t count);
  void EmitPal(SequencePal pal) {
    Emit(CallPal(static_cast<uint32_t>(pal) + (OneIn(2) && kernel_ ? 0 : kUserPal)));
  }
  // A 32-bit constant, sign-extended.
  void EmitConstant(uint32_t value, uint32_t reg);
  // R28 := the start of an alias page.
  void EmitAliasAddress(AliasPage page) {
    Emit(MemoryOp(Op::kLda, Registers::kScratch,
                  (static_cast<int>(page) - 4) * static_cast<int>(alpha::kPageSize),
                  Registers::kAliases));
  }
  // Loads operands from the table of hard ones.
  void EmitIntegerOperand(uint32_t reg);
  void EmitFloatOperand(uint32_t reg);

  void ChunkStraight() { EmitStraight(4 + Below(50)); }
  void ChunkLoop();
  void ChunkBranches();
  void ChunkCalls();
  void ChunkPal();
  void ChunkPalMode();
  void ChunkSelfModifying();
  void ChunkEdges();
  void ChunkMembers();
  void ChunkLocked();
  void ChunkFloat();
  void ChunkIo();
  void ChunkAliases();
  void ChunkWild();
  void ChunkDirected(CoveragePair pair);
  void EmitDirected(CoveragePair pair);
  uint32_t DirectedInstruction(CoveragePair pair);
  uint32_t RandomHwInstruction();

  void AddChunk(size_t index, size_t count);
  void FinishChunk(size_t start);
  void InitialState(Sequence& sequence);

  Random random_;
  uint64_t seed_;
  bool kernel_ = true;
  bool mapped_ = false;
  uint64_t entry_pa_ = 0;
  uint64_t base_ = 0;  // virtual address of physical 0
  Words words_;        // of this chunk
  Words program_;
};

void Generator::EmitStraight(size_t count) {
  for (; count != 0 && room() > 1; --count) {
    Emit(RandomInstruction(random_, RandomStraightOp(random_)));
  }
}

void Generator::EmitConstant(uint32_t value, uint32_t reg) {
  const auto low = static_cast<int16_t>(value & 0xffff);
  const uint32_t high = (value - static_cast<uint32_t>(static_cast<int32_t>(low))) >> 16;
  Emit({MemoryOp(Op::kLdah, reg, static_cast<int>(high), 31), MemoryOp(Op::kLda, reg, low, reg)});
}

void Generator::EmitIntegerOperand(uint32_t reg) {
  const int index = static_cast<int>(Below(HardIntegers().size()));
  Emit(MemoryOp(Op::kLdq, reg, 8 * index - kDataOffset, Registers::kData));
}

void Generator::EmitFloatOperand(uint32_t reg) {
  const int index = static_cast<int>(HardIntegers().size() + Below(HardFloats().size()));
  Emit(MemoryOp(Op::kLdt, reg, 8 * index - kDataOffset, Registers::kData));
}

void Generator::ChunkLoop() {
  // Long enough to become hot now and then; short ones leave traces early.
  const int turns = static_cast<int>(OneIn(4) ? 200 + Below(1500) : 2 + Below(60));
  Emit(MemoryOp(Op::kLda, Registers::kInnerCount, turns, 31));
  const size_t top = words_.size();
  const size_t length = 1 + Below(OneIn(3) ? 40 : 12);
  for (size_t i = 0; i < length && room() > 6; ++i) {
    const uint64_t kind = Below(16);
    if (kind == 0) {
      // A side exit that is taken in some turns.
      Emit(OperateLiteral(Op::kAnd, Registers::kInnerCount, FieldBelow(8), Registers::kScratch));
      Emit(BranchOp(OneIn(2) ? Op::kBne : Op::kBeq, Registers::kScratch, 1));
      EmitStraight(1);
    } else {
      EmitStraight(1);
    }
  }
  Emit(OperateLiteral(Op::kSubq, Registers::kInnerCount, 1, Registers::kInnerCount));
  const Op close = OneIn(3) ? Op::kBgt : Op::kBne;
  Emit(BranchOp(close, Registers::kInnerCount,
                static_cast<int>(top) - static_cast<int>(words_.size()) - 1));
}

void Generator::ChunkBranches() {
  while (room() > 8) {
    const Op op = static_cast<Op>(Below(alpha::kOpCount - 1));
    if (alpha::Info(op).format == alpha::Format::kBranch) {
      Emit(RandomInstruction(random_, op));
      EmitStraight(3);
    } else if (OneIn(8)) {
      EmitStraight(1);
    }
    if (OneIn(40)) break;
  }
}

void Generator::ChunkCalls() {
  // bsr over a subroutine, called twice; a computed jump; a return through R26 or R27.
  const size_t length = 1 + Below(12);
  Emit(BranchOp(Op::kBr, 31, static_cast<int>(length) + 1));
  const size_t subroutine = words_.size();
  EmitStraight(length);
  Emit(JumpOp(OneIn(4) ? Op::kJsrCoroutine : Op::kRet, 31, Registers::kReturn));
  for (int i = 0; i < 2; ++i) {
    Emit(BranchOp(Op::kBsr, Registers::kReturn,
                  static_cast<int>(subroutine) - static_cast<int>(words_.size()) - 1));
    EmitStraight(2);
  }
  // R12 is this chunk's second word.
  const int here = 4 * (static_cast<int>(subroutine) - 1);
  Emit(MemoryOp(Op::kLda, Registers::kScratch, here, Registers::kChunk));
  Emit(JumpOp(Op::kJsr, Registers::kReturn, Registers::kScratch));
  const int behind = 4 * (static_cast<int>(words_.size()) + 1);
  Emit(MemoryOp(Op::kLda, Registers::kScratch, behind + static_cast<int>(Below(4)),
                Registers::kChunk));
  Emit(JumpOp(Op::kJmp, OneIn(2) ? 31 : 27, Registers::kScratch));
  EmitStraight(6);
}

void Generator::ChunkPal() {
  while (room() > 6) {
    EmitStraight(Below(4));
    if (OneIn(2)) EmitConstant(static_cast<uint32_t>(RandomInteger(random_)), 16);
    uint32_t function = static_cast<uint32_t>(Below(0x3f));
    const auto pal = static_cast<SequencePal>(function);
    if (pal == SequencePal::kEnterPalMode || pal == SequencePal::kLeavePalMode) continue;
    if (pal == SequencePal::kUserMode && !mapped_) continue;
    EmitPal(pal);
    if (OneIn(10)) break;
  }
  if (kernel_) EmitPal(SequencePal::kKernelMode);
}

uint32_t Generator::RandomHwInstruction() {
  const uint32_t target = RandomTarget(random_);
  const auto displacement = static_cast<int>(Below(0x1000));
  const uint32_t pointer = OneIn(4) ? Registers::kEdge : Registers::kData;
  switch (Below(7)) {
    case 0: return Mfpr(target, static_cast<alpha::Ipr>(Below(0xd0)));
    case 1: {
      const alpha::Ipr ipr = OneIn(2) ? alpha::Ipr::kMmStat : alpha::Ipr::kExcAddr;
      return Mtpr(RandomSource(random_), ipr);
    }
    case 2: {
      constexpr uint32_t kTypes[] = {2, 4, 5, 6, 7};
      const uint32_t word = HwMemory(Op::kHwLd, kTypes[Below(5)], target, displacement, pointer);
      return OneIn(3) ? word ^ 0x1000 : word;
    }
    case 3: {
      const uint32_t source = RandomSource(random_);
      const uint32_t type = OneIn(2) ? 2 : 6;
      const uint32_t word = HwMemory(Op::kHwSt, type, source, displacement, pointer);
      return OneIn(3) ? word ^ 0x1000 : word;
    }
    case 4: return HwLoad(alpha::HwLoadType::kPhysical, target, displacement, 31);
    default: return RandomInstruction(random_, RandomStraightOp(random_));
  }
}

void Generator::ChunkPalMode() {
  EmitPal(SequencePal::kEnterPalMode);
  for (uint64_t count = 2 + Below(30); count != 0 && room() > 4; --count) {
    Emit(RandomHwInstruction());
  }
  if (OneIn(3)) {
    // HW_RET within PALmode, to the instruction behind it.
    Emit(BranchOp(Op::kBr, Registers::kScratch, 0));
    Emit(OperateLiteral(Op::kAddq, Registers::kScratch, 8, Registers::kScratch));
    Emit(HwRet(Registers::kScratch));
  }
  Emit(CallPal(static_cast<uint32_t>(SequencePal::kLeavePalMode) + kUserPal));
}

void Generator::ChunkSelfModifying() {
  // Stores an instruction a little ahead, in this chunk, in a loop: old and new code both run.
  const bool loop = OneIn(2);
  if (loop) Emit(MemoryOp(Op::kLda, Registers::kInnerCount, 2 + static_cast<int>(Below(40)), 31));
  const size_t top = words_.size();
  const uint32_t fresh = OneIn(2) ? RandomInstruction(random_, RandomStraightOp(random_))
                                  : OperateLiteral(Op::kAddq, 1, FieldBelow(256), 1);
  EmitConstant(fresh, 1);
  if (OneIn(2)) {
    // Another word in every turn: the literal of an ADDQ counts.
    EmitConstant(OperateLiteral(Op::kAddq, 2, 0, 2), 1);
    Emit({OperateLiteral(Op::kAnd, Registers::kInnerCount, 255, 3),
          OperateLiteral(Op::kSll, 3, 13, 3), Operate(Op::kBis, 1, 3, 1)});
  }
  const size_t store = words_.size();
  const auto distance = static_cast<int>(1 + Below(OneIn(2) ? 3 : 20));
  // R12 is the address of the chunk's second word.
  const int target = 4 * (static_cast<int>(store) + distance - 1);
  Emit(MemoryOp(Op::kStl, 1, target, Registers::kChunk));
  EmitStraight(static_cast<size_t>(distance) + Below(4));
  if (OneIn(3)) EmitPal(SequencePal::kFlushInstructions);
  if (!loop) return;
  Emit(OperateLiteral(Op::kSubq, Registers::kInnerCount, 1, Registers::kInnerCount));
  Emit(BranchOp(Op::kBne, Registers::kInnerCount,
                static_cast<int>(top) - static_cast<int>(words_.size()) - 1));
}

void Generator::ChunkEdges() {
  if (OneIn(2)) return ChunkMembers();
  for (uint64_t count = 4 + Below(40); count != 0 && room() > 1; --count) {
    Op op = Op::kLda;
    while (alpha::Info(op).format != alpha::Format::kMemory ||
           alpha::Info(op).shape == alpha::Shape::kAddress) {
      op = static_cast<Op>(Below(alpha::kOpCount - 1));
    }
    const auto displacement = static_cast<int>(Below(48)) - 24;
    Emit(MemoryOp(op, OneIn(16) ? 31 : RandomTarget(random_), displacement, Registers::kEdge));
  }
}

// Several references off one register, as to the members of a structure, which moves now and then
// and may lie across the end of a page, or where its members are misaligned.
void Generator::ChunkMembers() {
  constexpr Op kAccesses[] = {Op::kLdbu, Op::kLdwu, Op::kLdl, Op::kLdq, Op::kLdqU, Op::kLdt,
                              Op::kStb,  Op::kStw,  Op::kStl, Op::kStq, Op::kStqU, Op::kSts};
  Emit(MemoryOp(Op::kLda, Registers::kScratch, 0, Registers::kEdge));
  for (uint64_t count = 8 + Below(40); count != 0 && room() > 4; --count) {
    if (OneIn(6)) {
      const int step = static_cast<int>(Below(16)) - 8;
      const uint32_t from = OneIn(3) ? Registers::kEdge : Registers::kScratch;
      Emit(MemoryOp(Op::kLda, Registers::kScratch, OneIn(4) ? step : 8 * step, from));
    }
    if (OneIn(8)) Emit(BranchOp(OneIn(2) ? Op::kBlbs : Op::kBge, RandomTarget(random_), 1));
    const Op op = kAccesses[Below(std::size(kAccesses))];
    const int displacement = static_cast<int>(Below(32)) - 16;
    const uint32_t reg = OneIn(16) ? 31 : RandomTarget(random_);
    Emit(MemoryOp(op, reg, OneIn(8) ? displacement : 8 * displacement, Registers::kScratch));
  }
}

void Generator::ChunkLocked() {
  while (room() > 8) {
    const bool quad = OneIn(2);
    const int displacement = 8 * static_cast<int>(Below(24));
    Emit(MemoryOp(quad ? Op::kLdqL : Op::kLdlL, 1, displacement, Registers::kData));
    EmitStraight(Below(3));
    if (OneIn(6)) EmitPal(SequencePal::kClearFlags);
    Emit(OperateLiteral(Op::kAddq, 1, 1, 2));
    const int other = OneIn(6) ? displacement + 64 : displacement;
    Emit(MemoryOp(OneIn(8) != quad ? Op::kStqC : Op::kStlC, 2, other, Registers::kData));
    if (OneIn(4)) Emit(BranchOp(Op::kBeq, 2, 1));
    EmitStraight(1);
    if (OneIn(8)) break;
  }
}

void Generator::ChunkFloat() {
  const bool loop = OneIn(3);
  if (loop) Emit(MemoryOp(Op::kLda, Registers::kInnerCount, 4 + static_cast<int>(Below(80)), 31));
  for (uint32_t reg = 0; reg < 6; ++reg) EmitFloatOperand(static_cast<uint32_t>(Below(12)));
  if (OneIn(2)) {
    // The FPCR from a register: rounding mode, trap disable bits and status bits.
    EmitConstant(static_cast<uint32_t>(random_()), 1);
    Emit({OperateLiteral(Op::kSll, 1, 32, 1), Operate(Op::kItoft, 1, 31, 13),
          alpha::WithRa(alpha::Skeleton(Op::kMtFpcr), 13)});
  }
  const size_t top = words_.size();
  while (room() > 6) {
    Op op = Op::kAdds;
    do {
      op = RandomStraightOp(random_);
    } while (alpha::Info(op).format != alpha::Format::kFloatOperate);
    Emit(RandomInstruction(random_, op));
    if (OneIn(12)) EmitFloatOperand(static_cast<uint32_t>(Below(12)));
    if (OneIn(30)) break;
  }
  if (!loop) return;
  Emit(OperateLiteral(Op::kSubq, Registers::kInnerCount, 1, Registers::kInnerCount));
  Emit(BranchOp(Op::kBne, Registers::kInnerCount,
                static_cast<int>(top) - static_cast<int>(words_.size()) - 1));
}

void Generator::ChunkIo() {
  constexpr Op kAccesses[] = {Op::kLdbu, Op::kLdwu, Op::kLdl, Op::kLdq,  Op::kStb,
                              Op::kStw,  Op::kStl,  Op::kStq, Op::kLdqL, Op::kStqC,
                              Op::kLdt,  Op::kSts,  Op::kLdqU};
  for (uint64_t count = 1 + Below(10); count != 0 && room() > 6; --count) {
    const Op op = kAccesses[Below(std::size(kAccesses))];
    const int displacement = 8 * static_cast<int>(Below(64));
    Emit(MemoryOp(op, RandomTarget(random_), displacement, Registers::kIo));
    EmitStraight(Below(5));
  }
}

void Generator::ChunkAliases() {
  for (uint64_t count = 2 + Below(8); count != 0 && room() > 6; --count) {
    const auto page = static_cast<AliasPage>(Below(8));
    if (page == AliasPage::kNonexistent) continue;
    EmitAliasAddress(page);
    for (int i = 0; i < 3; ++i) {
      Op op = Op::kLda;
      while (alpha::Info(op).format != alpha::Format::kMemory) {
        op = static_cast<Op>(Below(alpha::kOpCount - 1));
      }
      const int displacement = 8 * static_cast<int>(Below(256));
      Emit(MemoryOp(op, RandomTarget(random_), displacement, Registers::kScratch));
      if ((words_.back() >> 21 & 31) == Registers::kScratch) words_.pop_back();
    }
    if (OneIn(4)) EmitPal(SequencePal::kSetAsn);
    if (OneIn(6)) EmitPal(SequencePal::kInvalidateAll);
    if (OneIn(6)) EmitPal(SequencePal::kInvalidateProcess);
  }
}

void Generator::ChunkWild() {
  for (uint64_t count = 1 + Below(6); count != 0; --count) {
    uint32_t word = static_cast<uint32_t>(random_());
    // A CALL_PAL of kStop would end the run early.
    if (word >> 26 == 0) word &= ~0x3fu;
    Emit(word);
    EmitStraight(3);
  }
}

uint32_t Generator::DirectedInstruction(CoveragePair pair) {
  const alpha::InstructionInfo& info = alpha::Info(pair.op);
  const uint32_t target = static_cast<uint32_t>(Below(8));
  const bool has_address = info.format == alpha::Format::kMemory;
  if (has_address) {
    const int odd = pair.outcome == Outcome::kUnaligned ? 1 + 2 * static_cast<int>(Below(4)) : 0;
    return MemoryOp(pair.op, target, 64 * static_cast<int>(Below(8)) + odd, Registers::kScratch);
  }
  switch (pair.op) {
    case Op::kHwLd: return HwLoad(alpha::HwLoadType::kVirtual, target, 64, Registers::kScratch);
    case Op::kHwSt: return HwStore(alpha::HwStoreType::kVirtual, target, 64, Registers::kScratch);
    case Op::kHwMfpr: return Mfpr(target, alpha::Ipr::kVa);
    case Op::kHwMtpr: return Mtpr(31, alpha::Ipr::kMmStat);
    case Op::kHwRet: return HwRet(Registers::kScratch);
    case Op::kReserved: return 0x04000000u | static_cast<uint32_t>(random_() & 0x3ff'ffff);
    case Op::kCallPal:
      return CallPal(pair.outcome == Outcome::kOpcdec ? 0x40 + static_cast<uint32_t>(Below(0x40))
                                                      : kUserPal);
    default: return RandomInstruction(random_, pair.op);
  }
}

void Generator::EmitDirected(CoveragePair pair) {
  const alpha::InstructionInfo& info = alpha::Info(pair.op);
  const bool hw = info.extension == alpha::Extension::kPal;
  // The HW_ instructions need PALmode for everything but OPCDEC; a machine check in PALmode is
  // fatal, so that for HW_LD it takes I_CTL<HWE>.
  const bool pal_mode =
      hw && pair.outcome != Outcome::kOpcdec && pair.outcome != Outcome::kNonexistent;
  switch (pair.outcome) {
    case Outcome::kIntegerOverflow:
      for (uint32_t reg = 0; reg < 8; ++reg) EmitIntegerOperand(reg);
      break;
    case Outcome::kArithmetic:
      for (uint32_t reg = 0; reg < 20; ++reg) EmitFloatOperand(reg);
      Emit(alpha::WithRa(alpha::Skeleton(Op::kMtFpcr), 31));
      break;
    case Outcome::kDtbMiss:
      EmitAliasAddress(AliasPage::kAll);
      EmitPal(SequencePal::kInvalidateAll);
      break;
    case Outcome::kAccessViolation: EmitAliasAddress(AliasPage::kNoAccess); break;
    case Outcome::kFaultOnRead: EmitAliasAddress(AliasPage::kFaultOnRead); break;
    case Outcome::kFaultOnWrite: EmitAliasAddress(AliasPage::kFaultOnWrite); break;
    case Outcome::kNonexistent: EmitAliasAddress(AliasPage::kNonexistent); break;
    default: EmitAliasAddress(AliasPage::kAll); break;
  }
  if (pal_mode) EmitPal(SequencePal::kEnterPalMode);
  const int times =
      pair.outcome == Outcome::kArithmetic || pair.outcome == Outcome::kIntegerOverflow ? 8 : 1;
  for (int i = 0; i < times; ++i) {
    if (pair.outcome == Outcome::kFen) EmitPal(SequencePal::kDisableFloat);
    const bool jumps = info.format == alpha::Format::kJump || pair.op == Op::kHwRet;
    if (jumps) {
      Emit(BranchOp(Op::kBr, Registers::kScratch, 0));
      Emit(OperateLiteral(Op::kAddq, Registers::kScratch, 8, Registers::kScratch));
    }
    Emit(DirectedInstruction(pair));
    if (info.format == alpha::Format::kBranch) EmitStraight(3);
  }
  if (pal_mode) EmitPal(SequencePal::kLeavePalMode);
}

void Generator::ChunkDirected(CoveragePair pair) {
  EmitStraight(Below(6));
  EmitDirected(pair);
  EmitStraight(Below(6));
}

void Generator::FinishChunk(size_t start) {
  words_.resize(std::min(words_.size(), kBodyWords));
  Append(program_, words_);
  const size_t end = start + kChunkWords;
  program_.push_back(BranchOp(Op::kBr, 31, static_cast<int>(end - program_.size()) - 1));
  program_.resize(end, Nop());
  words_.clear();
}

void Generator::AddChunk(size_t index, size_t count) {
  const size_t start = program_.size();
  Emit(BranchOp(Op::kBr, Registers::kChunk, 0));
  const std::vector<CoveragePair>& pairs = AllCoveragePairs();
  if (index == 1 || index + 1 == count) {
    ChunkDirected(pairs[(2 * seed_ + (index == 1 ? 0 : 1)) % pairs.size()]);
    return FinishChunk(start);
  }
  using Member = void (Generator::*)();
  constexpr Member kChunks[] = {
      &Generator::ChunkStraight, &Generator::ChunkStraight,      &Generator::ChunkLoop,
      &Generator::ChunkLoop,     &Generator::ChunkLoop,          &Generator::ChunkBranches,
      &Generator::ChunkCalls,    &Generator::ChunkPal,           &Generator::ChunkPalMode,
      &Generator::ChunkEdges,    &Generator::ChunkSelfModifying, &Generator::ChunkLocked,
      &Generator::ChunkFloat,    &Generator::ChunkFloat,         &Generator::ChunkIo,
      &Generator::ChunkAliases,  &Generator::ChunkWild};
  (this->*kChunks[Below(std::size(kChunks))])();
  FinishChunk(start);
}

void Generator::InitialState(Sequence& sequence) {
  for (uint64_t& value : sequence.r) value = RandomInteger(random_);
  for (uint64_t& value : sequence.f) value = RandomFloat(random_);
  sequence.r[31] = sequence.f[31] = 0;
  // Data may be mapped where code is not.
  const bool data_mapped = mapped_ || OneIn(2);
  const uint64_t data = (data_mapped ? Layout::kMapped : Layout::kKseg) + Layout::kData;
  sequence.r[Registers::kData] = data + kDataOffset;
  sequence.r[Registers::kEdge] = data + alpha::kPageSize * (4 + Below(4));
  sequence.r[Registers::kAliases] = Layout::kMapped + Layout::kMemorySize + 4 * alpha::kPageSize;
  sequence.r[Registers::kIo] = mapped_
                                   ? Layout::kMapped + Layout::kMemorySize +
                                         static_cast<uint64_t>(AliasPage::kIo) * alpha::kPageSize
                                   : Layout::kKseg + Layout::kIo;
  sequence.r[Registers::kOuterCount] = 2 + Below(12);
  sequence.pc = base_ + entry_pa_;
  sequence.fpcr = OneIn(3) ? 0 : random_();
  sequence.ier = random_();
  sequence.i_ctl = uint64_t{2} << alpha::i_ctl::kSpeShift;
  if (!OneIn(4)) sequence.i_ctl |= alpha::i_ctl::kShadowEnable;
  if (OneIn(4)) sequence.i_ctl |= alpha::i_ctl::kHwe;
  sequence.m_ctl = uint64_t{2} << 1;
  sequence.mode = kernel_ ? 0 : 3;
  sequence.asn = Below(4);
  sequence.fp_enable = !OneIn(8);
  sequence.tlb_entries = OneIn(3) ? 8 : 16 << Below(4);
  sequence.cycles = 60'000;
}

Sequence Generator::Generate(bool mapped, uint64_t code) {
  Sequence sequence;
  sequence.seed = seed_;
  mapped_ = mapped;
  kernel_ = !mapped_ || OneIn(2);
  base_ = mapped_ ? Layout::kMapped : Layout::kKseg;
  // Anywhere in a page, near its end rather often, so that chunks cross into the next.
  entry_pa_ = code + (OneIn(2) ? 0x1f00 + 4 * Below(64) : 4 * Below(2048));
  InstallPalcode(random_, base_, sequence);
  InitialState(sequence);

  const size_t count = 8 + Below(12);
  for (size_t i = 0; i < count; ++i) AddChunk(i, count);
  const size_t size = program_.size();
  program_.push_back(OperateLiteral(Op::kSubq, Registers::kOuterCount, 1, Registers::kOuterCount));
  program_.push_back(BranchOp(Op::kBgt, Registers::kOuterCount, -static_cast<int>(size) - 2));
  program_.push_back(CallPal(kUserPal + static_cast<uint32_t>(SequencePal::kStop)));
  sequence.segments.push_back({entry_pa_, std::move(program_)});

  sequence.fills.push_back({Layout::kData, Layout::kDataSize, random_()});
  Words tables;
  for (const std::span<const uint64_t> table : {HardIntegers(), HardFloats()}) {
    for (const uint64_t value : table) {
      tables.push_back(static_cast<uint32_t>(value));
      tables.push_back(static_cast<uint32_t>(value >> 32));
    }
  }
  sequence.segments.push_back({Layout::kData, std::move(tables)});
  return sequence;
}

}  // namespace

Sequence GenerateSequence(uint64_t seed) { return Generator(seed).Generate(); }

Sequence GenerateSequenceBeside(uint32_t cpu, bool mapped, uint64_t seed) {
  constexpr uint64_t kCodeOfCpu = 0x4000;  // more than there is
  Sequence sequence = Generator(seed).Generate(mapped, Layout::kCode + cpu * kCodeOfCpu);
  sequence.fills.clear();
  std::erase_if(sequence.segments, [](const Segment& segment) {
    return segment.pa < Layout::kCode || segment.pa >= Layout::kData;
  });
  return sequence;
}

}  // namespace isochron::conformance
