#include "conformance/sequences/board_program.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "alpha/decode.h"
#include "alpha/encode.h"
#include "alpha/ipr.h"
#include "alpha/memory.h"
#include "conformance/sequences/board_cpus.h"
#include "conformance/sequences/board_places.h"
#include "conformance/sequences/board_situations.h"
#include "conformance/sequences/sequence_generator.h"
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
using Registers = SequenceRegisters;
using namespace alpha::words;  // NOLINT: an assembler

// The program's own places, in pages that sequences leave alone.
constexpr uint64_t kHandler = 0xe000;
constexpr uint64_t kPrelude = 0xf000;
constexpr uint64_t kLoops = 0xfc00;

// Counts, quiets the interval timer and other CPUs, perhaps the 8259s too, and disables what else
// asked: the program enables it again.
Words InterruptHandler(Random& random, uint32_t cpus) {
  Words words;
  AppendAddress(4, kClockIndex, words);
  Append(words,
         {MemoryOp(Op::kLda, 5, 0x0c, 31), StoreLong(5, 0, 4),  // register C of the clock chip
          LoadLong(5, 0, 4)});
  AppendAddress(4, kMisc, words);
  if (cpus == 1) {
    Append(words, {MemoryOp(Op::kLda, 5, 0x10, 31)});  // MISC<ITINTR> of CPU 0
  } else {
    Append(words,
           {HwLoad(HwLoadType::kPhysical, 6, 0, 4), OperateLiteral(Op::kAnd, 6, 3, 6),  // CPUID
            MemoryOp(Op::kLda, 5, 0x110, 31), Operate(Op::kSll, 5, 6, 5)});  // its IPINTR, too
  }
  Append(words, {HwStore(HwStoreType::kPhysical, 5, 0, 4),
                 MemoryOp(Op::kLda, 4, static_cast<int>(kTickCell), 31),
                 HwLoad(HwLoadType::kPhysical, 5, 0, 4), OperateLiteral(Op::kAddq, 5, 1, 5),
                 HwStore(HwStoreType::kPhysical, 5, 0, 4)});
  uint32_t quieted = cpus == 1 ? 4 : 12;  // EI<2>, of EI<5:0>, and EI<3>
  if (random() % 4 == 0) {
    AppendAddress(4, kAcknowledge, words);
    Append(words, {LoadLong(5, 0, 4)});
    AppendAddress(4, kPics, words);
    Append(words, {MemoryOp(Op::kLda, 5, 0x20, 31), StoreLong(5, 0, 4)});  // end of interrupt
    quieted |= 2;
  }
  Append(words, {Mfpr(4, Ipr::kIsum), MemoryOp(Op::kLda, 5, static_cast<int>(quieted), 31),
                 OperateLiteral(Op::kSll, 5, 33, 5), Operate(Op::kBic, 4, 5, 4), Mfpr(5, Ipr::kIer),
                 Operate(Op::kBic, 5, 4, 5), Mtpr(5, Ipr::kIer), Mtpr(31, Ipr::kSirr),
                 Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  return words;
}

// CALL_PAL kStop: powers off.
Words PowerOff() {
  Words words;
  AppendAddress(20, kPlatformBase, words);
  Append(words, {MemoryOp(Op::kLda, 21, 1, 31),
                 HwStore(HwStoreType::kPhysical, 21, FW_PLATFORM_POWER, 20), HwRet(23)});
  return words;
}

// The 8254's counter 0 in any mode, and the way of its interrupts to the CPU.
void AppendTimer(Random& random, Words& words) {
  // Both 8259s: ICW1 and ICW2, then ICW3, ICW4 and a mask behind commands that do nothing.
  // Interrupts 0, 3 and 4.
  AppendAddress(4, kPics, words);
  for (const int pair :
       {0x0811, 0x0400, 0x0100, static_cast<int>(random() % 2 == 0 ? 0 : 0x6600)}) {
    Append(words, {MemoryOp(Op::kLda, 5, pair, 31), StoreLong(5, 0, 4)});
  }
  AppendAddress(4, kMask, words);
  Append(words, {MemoryOp(Op::kLda, 5, 1, 31), OperateLiteral(Op::kSll, 5, 55, 5),
                 HwStore(HwStoreType::kPhysical, 5, 0, 4)});
  // The command of counter 0, low byte and high byte or one of them, in the register of commands;
  // then its count twice.
  AppendAddress(4, kTimer, words);
  const uint64_t bytes = 1 + random() % 3;
  const uint64_t command = bytes << 4 | (random() % 6) << 1;
  AppendConstant(5, command << 24, words);
  Append(words, {StoreLong(5, 0, 4)});
  for (int byte = 0; byte < 2; ++byte) {
    const int count = static_cast<int>(byte == 0 ? random() % 256 : 1 + random() % 4);
    Append(words, {MemoryOp(Op::kLda, 5, count, 31), StoreLong(5, 0, 4)});
  }
}

// A UART at a random speed, with some of its interrupts and some bytes to send.
void AppendOutput(Random& random, uint64_t uart, Words& words) {
  AppendAddress(4, uart, words);
  const auto put = [&words](uint64_t lcr, uint64_t fcr, uint64_t second, uint64_t first) {
    AppendConstant(5, lcr << 24 | fcr << 16 | second << 8 | first, words);
    words.push_back(StoreLong(5, 0, 4));
  };
  constexpr uint64_t kEightBits = 0x03;
  constexpr uint64_t kDivisorAccess = 0x80;
  put(kDivisorAccess | kEightBits, 1, 0, 0);
  put(kEightBits, 1, 0, 1 + random() % 12);  // the divisor
  const uint64_t interrupts = random() % 16;
  for (uint64_t bytes = 1 + random() % 3; bytes != 0; --bytes) {
    put(kEightBits, 1, interrupts, random() % 256);
  }
  // MCR: DTR, RTS, OUT2.
  Append(words, {MemoryOp(Op::kLda, 5, 0x0b, 31), StoreLong(5, 4, 4)});
}

// In PALmode, from where the case begins: sets devices going, waits, and goes to the program. The
// shadow registers and R22 are free.
Words Prelude(Random& random, bool waits, uint64_t pc) {
  Words words;
  AppendAddress(4, kClockIndex, words);
  // Register B: periodic interrupts on, binary, 24 hours.
  Append(words, {MemoryOp(Op::kLda, 5, 0x460b, 31), StoreLong(5, 0, 4)});
  if (random() % 2 == 0) AppendTimer(random, words);
  for (const uint64_t uart : kUarts) AppendOutput(random, uart, words);
  if (waits && random() % 4 == 0) {  // stand still until something comes
    AppendAddress(4, kPlatformBase, words);
    Append(words, {HwStore(HwStoreType::kPhysical, 31, FW_PLATFORM_WAIT, 4)});
  }
  AppendConstant(22, pc, words);
  words.push_back(HwRet(22));
  return words;
}

// Loops that do nothing until an interrupt has come, so many times; then the code at `pc`, `at`
// being where they are.
Words WaitingLoops(uint64_t times, uint64_t at, uint64_t pc, uint32_t cell) {
  Words words = {MemoryOp(Op::kLda, 1, static_cast<int>(times), 31)};
  const size_t top = words.size();
  Append(words, {BranchOp(Op::kBeq, 1, 6), MemoryOp(Op::kLdq, 2, 0, cell),
                 MemoryOp(Op::kLdq, 3, 0, cell), Operate(Op::kCmpeq, 3, 2, 3),
                 BranchOp(Op::kBne, 3, -3), OperateLiteral(Op::kSubq, 1, 1, 1)});
  words.push_back(
      BranchOp(Op::kBr, 31, static_cast<int>(top) - static_cast<int>(words.size()) - 1));
  const int64_t distance = static_cast<int64_t>(pc) - static_cast<int64_t>(at + 4 * words.size());
  words.push_back(BranchOp(Op::kBr, 31, static_cast<int>(distance / 4) - 1));
  return words;
}

constexpr uint32_t kCellRegister = 13;

void RetargetIo(Random& random, Sequence& program) {
  const uint64_t device = kDevices[random() % std::size(kDevices)];
  uint64_t& io = program.r[Registers::kIo];
  if (io == Layout::kKseg + Layout::kIo) {
    io = kKsegIo | device;
  } else {
    io += device & alpha::kPageMask;
  }
  const uint64_t pte_index = Layout::kPages + static_cast<uint32_t>(AliasPage::kIo);
  for (Segment& segment : program.segments) {
    if (segment.pa != Layout::kDtbTable) continue;
    segment.words[2 * pte_index + 1] =
        static_cast<uint32_t>((kIoSpace | device) >> alpha::kPageShift);
  }
}

// HW_LD of physical addresses below 0 gets an answer from the bus of a SequenceMachine. Here
// nothing is there, and a machine check in PALmode ends the run.
void KeepLoadsInMemory(Sequence& program) {
  for (Segment& segment : program.segments) {
    if (segment.pa < Layout::kPalBase || segment.pa >= Layout::kData) continue;
    for (uint32_t& word : segment.words) {
      constexpr uint32_t kSign = 0x800;
      const bool physical = (word >> 13 & 7) <= static_cast<uint32_t>(HwLoadType::kPhysicalLock);
      const bool from_zero = (word >> 16 & 31) == 31;
      if (alpha::Decode(word).op == Op::kHwLd && physical && from_zero) word &= ~kSign;
    }
  }
}

}  // namespace

Sequence GenerateBoardProgram(Random& random, uint64_t seed, uint32_t cpus) {
  Sequence program = GenerateSequence(seed);
  if (random() % 8 != 0) KeepLoadsInMemory(program);
  RetargetIo(random, program);
  const uint64_t handler = Layout::kPalBase + static_cast<uint64_t>(alpha::PalEntry::kInterrupt);
  // The entry has no room for it.
  ReplaceSegment(kHandler, InterruptHandler(random, cpus), program);
  ReplaceSegment(handler, {BranchOp(Op::kBr, 31, static_cast<int>((kHandler - handler) / 4) - 1)},
                 program);
  ReplaceFunction(static_cast<uint32_t>(SequencePal::kStop), PowerOff(), program);

  const uint64_t base = program.pc >= Layout::kKseg ? Layout::kKseg : Layout::kMapped;
  if (cpus > 1) {
    AddDeedPages(random, program);
    AddDeeds(random, 0, cpus, base, program);
  }
  AppendSituations(random, base, program);
  // Who waits has the clock chip's interrupt at least.
  const bool waits = random() % 4 != 0;
  if (waits) program.ier |= uint64_t{1} << 35;
  ReplaceSegment(kLoops, WaitingLoops(waits ? random() % 3 : 0, kLoops, kSituations, kCellRegister),
                 program);
  program.r[kCellRegister] = base + kTickCell;
  ReplaceSegment(kPrelude, Prelude(random, waits, base + kLoops), program);
  program.pc = kPrelude | 1;
  return program;
}

Sequence GenerateProgramBeside(Random& random, uint32_t cpu, uint32_t cpus, const Sequence& first) {
  const bool mapped = first.r[kCellRegister] < Layout::kKseg;
  Sequence program = GenerateSequenceBeside(cpu, mapped, random());
  if (random() % 8 != 0) KeepLoadsInMemory(program);
  program.r[Registers::kIo] = first.r[Registers::kIo];
  AddDeeds(random, cpu, cpus, mapped ? Layout::kMapped : Layout::kKseg, program);
  return program;
}

bool IsBoardCode(uint64_t pa) {
  const bool data = pa >= Layout::kData && pa < Layout::kData + Layout::kDataSize;
  return (pa >= kHandler && pa < kSituationSubroutines + 2 * alpha::kPageSize && !data) ||
         IsDeedCode(pa);
}

}  // namespace isochron::conformance
