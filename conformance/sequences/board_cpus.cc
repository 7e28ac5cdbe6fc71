#include "conformance/sequences/board_cpus.h"

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#include "alpha/encode.h"
#include "alpha/ipr.h"
#include "alpha/memory.h"
#include "conformance/sequences/board_places.h"
#include "conformance/sequences/sequence_operands.h"
#include "conformance/sequences/words.h"
#include "ref/cpu_deeds.h"

namespace isochron::conformance {
namespace {

using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::Op;
using Layout = SequenceLayout;
using Registers = SequenceRegisters;
using namespace alpha::words;  // NOLINT: an assembler

// Physical addresses of their own: code and registers of each CPU, then pages. Other parts of
// programs leave them alone.
constexpr uint64_t kDeeds = 0x6'0000;
constexpr ref::DeedPages kPages = {
    .subroutines = 0x7'0000, .mapped_code = 0x7'2000, .data = 0x7'6000, .mapped_data = 0x7'8000};
constexpr uint32_t kUserPal = 0x80;
constexpr uint32_t kWaitFunction = 0x3d;
// Code of PALmode behind the handler of interrupts, and where CPUs begin anew.
constexpr uint64_t kEnd = 0xe800;
constexpr uint64_t kRestarts = 0x1a00;

// A CPU's part of kDeeds begins with its registers. Some of its instructions, which the others
// overwrite, lie on both sides of a page boundary. What comes before them loads the registers.
constexpr uint64_t kDeedBytes = 0x4000;
constexpr size_t kSlots = 8;
constexpr uint64_t kSlotsAt = alpha::kPageSize - 4 * kSlots / 2;
constexpr size_t kPrologue = 32;
constexpr uint64_t kCodeAt = kSlotsAt - 4 * kPrologue;
constexpr uint64_t PartOf(uint32_t cpu) { return kDeeds + cpu * kDeedBytes; }

// Registers beside those of ref::DeedRegisters().
constexpr uint32_t kTurns = 28, kMiscRegister = 29, kDevice = 30, kTicks = 13;

uint32_t SlotInstruction(uint64_t literal) {
  return OperateLiteral(Op::kAddq, 5, static_cast<uint32_t>(literal % 256), 5);
}

class Deeds {
 public:
  Deeds(Random& random, uint32_t cpu, uint32_t cpus, uint64_t base, Sequence& program)
      : random_(random), cpu_(cpu), cpus_(cpus), base_(base), program_(program) {}

  void Generate();

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  // The same for a field of an instruction.
  uint32_t FieldBelow(uint32_t bound) { return static_cast<uint32_t>(Below(bound)); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  uint32_t AnyRegister() { return 1 + FieldBelow(4); }
  // Of a number in the shared page, within a few blocks of those that are locked.
  int Place(uint64_t size) { return static_cast<int>(size * Below(256 / size)); }
  void Emit(std::initializer_list<uint32_t> words) { Append(words_, words); }
  void EmitPal(uint32_t function) { Emit({CallPal(kUserPal + function)}); }
  void EmitPal(SequencePal pal) { EmitPal(static_cast<uint32_t>(pal)); }

  void PutRegisters();
  void EmitPrologue();
  void EmitEnd(size_t top);

  void Shared() {
    constexpr size_t kKinds = ref::kAllDeeds.size();
    const ref::Deed deed = ref::kAllDeeds[Below(kKinds)];
    ref::AppendDeed(deed, PartOf(cpu_) + kCodeAt, kPages, random_(), words_);
  }
  void Access();
  void Lock();
  void Barrier();
  void Interrupt();
  void Device();
  void Wait() { EmitPal(kWaitFunction); }
  void Invalidate();
  void ChangeTable();
  void Overwrite();
  void Poll();
  void WaitForTick();

  Random& random_;
  const uint32_t cpu_;
  const uint32_t cpus_;
  const uint64_t base_;
  Sequence& program_;
  std::vector<std::pair<uint32_t, uint64_t>> registers_;
  Words words_;
};

void Deeds::Access() {
  struct Kind {
    Op op;
    uint64_t size;
  };
  constexpr Kind kKinds[] = {{Op::kLdbu, 1}, {Op::kLdwu, 2}, {Op::kLdl, 4}, {Op::kLdq, 8},
                             {Op::kLdqU, 1}, {Op::kLds, 4},  {Op::kLdt, 8}, {Op::kStb, 1},
                             {Op::kStw, 2},  {Op::kStl, 4},  {Op::kStq, 8}, {Op::kStqU, 1},
                             {Op::kSts, 4},  {Op::kStt, 8}};
  const Kind& kind = kKinds[Below(std::size(kKinds))];
  const int place = OneIn(32) ? Place(1) : Place(kind.size);
  const uint32_t page = OneIn(4) ? 17 : 16;
  Emit({MemoryOp(kind.op, AnyRegister(), place, page)});
}

void Deeds::Lock() {
  const bool quad = OneIn(2);
  const int place = Place(8);
  Emit({MemoryOp(quad ? Op::kLdqL : Op::kLdlL, 8, place, 16), OperateLiteral(Op::kAddq, 8, 1, 8)});
  for (uint64_t count = Below(4); count != 0; --count) Access();
  const int other = OneIn(8) ? Place(8) : place;
  Emit({MemoryOp(quad ? Op::kStqC : Op::kStlC, 8, other, 16), Operate(Op::kAddq, 6, 8, 6)});
}

void Deeds::Barrier() {
  constexpr Op kBarriers[] = {Op::kMb, Op::kWmb, Op::kMb, Op::kExcb, Op::kTrapb};
  Emit({Misc(kBarriers[Below(std::size(kBarriers))], 31)});
  if (OneIn(3)) EmitPal(SequencePal::kFlushInstructions);
}

// MISC<IPREQ> of some CPUs; now and then anything of MISC.
void Deeds::Interrupt() {
  const uint32_t shift = OneIn(12) ? FieldBelow(30) : 12;
  Emit({MemoryOp(Op::kLda, 21, 1 + static_cast<int>(Below((uint64_t{1} << cpus_) - 1)), 31),
        OperateLiteral(Op::kSll, 21, shift, 21), MemoryOp(Op::kStq, 21, 0, kMiscRegister)});
}

void Deeds::Device() {
  constexpr Op kAccesses[] = {Op::kLdbu, Op::kLdl, Op::kLdq, Op::kStb,
                              Op::kStl,  Op::kStl, Op::kStq};
  for (uint64_t count = 1 + Below(3); count != 0; --count) {
    const Op op = kAccesses[Below(std::size(kAccesses))];
    const int place = 4 * static_cast<int>(Below(4));
    Emit({MemoryOp(op, AnyRegister(), place, kDevice)});
  }
}

void Deeds::Invalidate() {
  switch (Below(5)) {
    case 0: return EmitPal(SequencePal::kInvalidateAll);
    case 1: return EmitPal(SequencePal::kInvalidateProcess);
    case 2: return Emit({Mtpr(19, Ipr::kItbIs)});
    default: return Emit({Mtpr(17, Ipr::kDtbIs0)});
  }
}

// Has a page table lead to the other page of two; this CPU, or all, may go on with what they have.
void Deeds::ChangeTable() {
  const bool data = !OneIn(3);
  const uint64_t page = (data ? kPages.mapped_data : kPages.mapped_code) >> alpha::kPageShift;
  const auto entry =
      static_cast<int>((data ? Layout::kDtbTable : Layout::kItbTable) + 8 * (page + Below(2)));
  static_assert(kPages.subroutines == 0x7'0000);  // R18
  Emit({MemoryOp(Op::kLdah, 21, -7, 18), MemoryOp(Op::kLdq, 8, entry, 21),
        Operate(Op::kXor, 8, data ? 23 : 25, 8), MemoryOp(Op::kStq, 8, entry, 21)});
  if (!OneIn(4)) Emit({data ? Mtpr(17, Ipr::kDtbIs0) : Mtpr(19, Ipr::kItbIs)});
  if (OneIn(3)) Interrupt();
}

// One of the instructions at the beginning of some CPU's deeds.
void Deeds::Overwrite() {
  const uint64_t part = PartOf(FieldBelow(cpus_));
  const uint64_t slot = part + kSlotsAt + 4 * Below(kSlots);
  const auto distance = static_cast<int64_t>(slot) - static_cast<int64_t>(kPages.subroutines);
  const auto low = static_cast<int16_t>(distance);
  const uint32_t word = SlotInstruction(random_());
  const auto word_low = static_cast<int16_t>(word);
  const uint32_t word_high = (word - static_cast<uint32_t>(static_cast<int32_t>(word_low))) >> 16;
  Emit({MemoryOp(Op::kLdah, 21, static_cast<int>((distance - low) >> 16), 18),
        MemoryOp(Op::kLdah, 8, static_cast<int>(word_high), 31), MemoryOp(Op::kLda, 8, word_low, 8),
        MemoryOp(Op::kStl, 8, low, 21)});
}

// Looks at a number until another CPU makes it odd, but not for ever.
void Deeds::Poll() {
  Emit({MemoryOp(Op::kLda, 21, 1 + static_cast<int>(Below(100)), 31),
        MemoryOp(Op::kLdq, 8, Place(8), 16), OperateLiteral(Op::kSubq, 21, 1, 21),
        BranchOp(Op::kBlbs, 8, 1), BranchOp(Op::kBgt, 21, -4)});
}

// Does nothing until some CPU has been interrupted.
void Deeds::WaitForTick() {
  Emit({MemoryOp(Op::kLdq, 2, 0, kTicks), MemoryOp(Op::kLdq, 3, 0, kTicks),
        Operate(Op::kCmpeq, 3, 2, 3), BranchOp(Op::kBne, 3, -3)});
}

void Deeds::PutRegisters() {
  registers_ = ref::DeedRegisters(kPages, cpu_);
  if (OneIn(3)) registers_.front().second = Layout::kKseg + Layout::kData + kDataOffset;
  constexpr uint64_t kEventful[] = {kTimer, kUarts[0], kUarts[1]};
  const uint64_t device =
      OneIn(2) ? kEventful[Below(std::size(kEventful))] : kDevices[Below(std::size(kDevices))];
  registers_.emplace_back(Registers::kChunk, program_.pc + 4);
  registers_.emplace_back(kMiscRegister, kKsegIo | kMisc);
  registers_.emplace_back(kDevice, kKsegIo | device);
  // Last: it is what the others are loaded by.
  registers_.emplace_back(kTurns, 1 + Below(OneIn(3) ? 80 : 12));
  Words table;
  for (const auto& [reg, value] : registers_) {
    table.push_back(static_cast<uint32_t>(value));
    table.push_back(static_cast<uint32_t>(value >> 32));
  }
  program_.segments.push_back({PartOf(cpu_), std::move(table)});
}

void Deeds::EmitPrologue() {
  AppendConstant(kTurns, Layout::kKseg + PartOf(cpu_), words_);
  for (size_t i = 0; i < registers_.size(); ++i) {
    Emit({MemoryOp(Op::kLdq, registers_[i].first, 8 * static_cast<int>(i), kTurns)});
  }
  words_.resize(kPrologue, Nop());
  for (size_t i = 0; i < kSlots; ++i) words_.push_back(SlotInstruction(i));
}

// Back to `top`, or on to the program.
void Deeds::EmitEnd(size_t top) {
  Emit({OperateLiteral(Op::kSubq, kTurns, 1, kTurns)});
  Emit({BranchOp(Op::kBgt, kTurns, static_cast<int>(top) - static_cast<int>(words_.size()) - 1)});
  if (program_.mode != 0) EmitPal(SequencePal::kUserMode);
  const auto next = static_cast<int64_t>(base_ + PartOf(cpu_) + kCodeAt + 4 * (words_.size() + 1));
  Emit({BranchOp(Op::kBr, 31, static_cast<int>((static_cast<int64_t>(program_.pc) - next) / 4))});
}

void Deeds::Generate() {
  PutRegisters();
  EmitPrologue();
  using Member = void (Deeds::*)();
  constexpr Member kMembers[] = {
      &Deeds::Shared,     &Deeds::Shared,      &Deeds::Shared,    &Deeds::Shared,    &Deeds::Shared,
      &Deeds::Shared,     &Deeds::Access,      &Deeds::Access,    &Deeds::Access,    &Deeds::Access,
      &Deeds::Lock,       &Deeds::Lock,        &Deeds::Barrier,   &Deeds::Interrupt, &Deeds::Device,
      &Deeds::Invalidate, &Deeds::ChangeTable, &Deeds::Overwrite, &Deeds::Overwrite, &Deeds::Poll};
  constexpr Member kRare[] = {&Deeds::Wait, &Deeds::WaitForTick};
  for (uint64_t count = 20 + Below(40); count != 0; --count) {
    (this->*(OneIn(40) ? kRare[Below(std::size(kRare))] : kMembers[Below(std::size(kMembers))]))();
  }
  EmitEnd(kPrologue);
  const uint64_t start = PartOf(cpu_) + kCodeAt;
  program_.segments.push_back({start, std::move(words_)});
  program_.pc = base_ + start;
  program_.mode = 0;
  program_.i_ctl |= alpha::i_ctl::kHwe;
  program_.r[kTicks] = base_ + kTickCell;
  // Mostly the interval timer and other CPUs can interrupt.
  if (!OneIn(4)) program_.ier |= uint64_t{3} << 35;
}

// At the end of its program a CPU begins its deeds anew.
Words Restart() {
  Words words;
  AppendAddress(20, kMisc, words);
  Append(words,
         {HwLoad(HwLoadType::kPhysical, 21, 0, 20), OperateLiteral(Op::kAnd, 21, 3, 21),
          MemoryOp(Op::kLda, 20, static_cast<int>(kRestarts), 31), Operate(Op::kS8addq, 21, 20, 20),
          HwLoad(HwLoadType::kPhysical, 23, 0, 20), Mtpr(31, Ipr::kCm), HwRet(23)});
  return words;
}

// Or it waits for ever.
Words StandStill() {
  Words words;
  AppendAddress(20, kPlatformBase, words);
  Append(words,
         {HwStore(HwStoreType::kPhysical, 31, FW_PLATFORM_WAIT, 20), BranchOp(Op::kBr, 31, -2)});
  return words;
}

}  // namespace

void AddDeedPages(Random& random, Sequence& program) {
  for (const uint64_t page :
       {kPages.subroutines, kPages.mapped_code, kPages.mapped_code + alpha::kPageSize}) {
    program.segments.push_back({page, ref::SubroutineWords(page == kPages.mapped_code ? 3 : 7)});
  }
  Words wait;
  AppendAddress(20, kPlatformBase, wait);
  Append(wait, {HwStore(HwStoreType::kPhysical, 31, FW_PLATFORM_WAIT, 20), HwRet(23)});
  ReplaceFunction(kWaitFunction, wait, program);
  const uint64_t end = random() % 8;
  if (end == 0) return;
  program.segments.push_back({kEnd, end == 1 ? StandStill() : Restart()});
  const auto stop = static_cast<uint32_t>(SequencePal::kStop);
  for (const uint64_t function : {uint64_t{0x2000}, uint64_t{0x3000}}) {
    const uint64_t pa = Layout::kPalBase + function + 64 * uint64_t{stop};
    ReplaceSegment(pa, {BranchOp(Op::kBr, 31, static_cast<int>((kEnd - pa) / 4) - 1)}, program);
  }
}

bool IsDeedCode(uint64_t pa) {
  return (pa >= kDeeds && pa < kPages.subroutines && pa % kDeedBytes != 0) ||
         (pa >= kPages.subroutines && pa < kPages.data);
}

void AddDeeds(Random& random, uint32_t cpu, uint32_t cpus, uint64_t base, Sequence& program) {
  Deeds(random, cpu, cpus, base, program).Generate();
  program.segments.push_back(
      {kRestarts + 8 * uint64_t{cpu},
       {static_cast<uint32_t>(program.pc), static_cast<uint32_t>(program.pc >> 32)}});
}

}  // namespace isochron::conformance
